"""Look-ups in a directory (spec DIR-8, DIR-12, DIR-22)."""
from ams_py import keys, proofs
from ams_py.encoding import b64, unb64
from ams_py.trees import log_inclusion, map_proof

from .book import NOW_MS, File
from .directories import DIR, NOW_S, OTHER, WITNESSES, Directory, label, signer
from .lineage import after, card, erasure, event, revocation
from .logbook import Signer, flipped
from .world import ALICE, ALICE_RSA, BOB, DAY, EVE, HOME, Person

W1, W2, W3 = (signer(domain, 4) for domain in WITNESSES)
OTHERS = [Person(f"user{number}", HOME.name) for number in range(6)]
HOUR = 3_600_000
NOBODY = Person("nobody", HOME.name)


def filled(*objects, epochs: int = 3) -> Directory:
    """A directory of seven keys, one of them of these objects; the last epoch is of now."""
    made = Directory()
    for number, person in enumerate(OTHERS):
        made.put(person.record)
        if number < epochs - 1:
            made.log(NOW_S - 60 * (epochs - 1 - number))
    if objects:
        made.put(*objects)
    made.log()
    return made


def _lookups() -> File:
    file = File("directory/look_ups.json", "lookup.verify", "lkv")
    good, twins = file.group("valid"), {}
    first = event()
    held = {
        "a record": [ALICE.record], "an RSA record": [ALICE_RSA.record],
        "superseded": [ALICE.record, event(successor=BOB)],
        "superseded twice": [ALICE.record, first, after(first, successor=BOB)],
        "retired": [ALICE.record, event(type="tombstone")],
        "a conflict": [ALICE.record, event(at=NOW_MS - 1), event(successor=BOB)],
        "revoked": [ALICE.record, revocation()], "a card": [ALICE.record, card()],
        "an erasure": [ALICE.record, erasure()],
        "all that an entry can have": [ALICE.record, event(successor=BOB), revocation(), card()]}
    for comment, objects in held.items():
        kid = keys.kid_of(keys.fingerprint(objects[0]))
        made = filled(*objects)
        twins[comment] = good.valid(comment, made.args(kid, objects, made.prove(kid)), (),
                                    ["DIR-8", "DIR-12", "DIR-22"])
    made = filled(ALICE.record, event(successor=BOB), revocation(), card())
    objects = made.held[ALICE.kid]
    good.valid("in another order", made.args(ALICE.kid, [objects[0], *objects[:0:-1]],
                                             made.prove(ALICE.kid)), (), ["DIR-8", "DIR-22"])
    good.valid("the record and the revocation twice", made.args(
        ALICE.kid, [*objects, objects[0], objects[2]], made.prove(ALICE.kid)), (), ["DIR-22"])
    twins["absent"] = good.valid("a key that is not there", made.args(
        NOBODY.kid, [], made.prove(NOBODY.kid)), (), ["DIR-12", "DIR-22"])
    empty = Directory()
    empty.log()
    good.valid("an empty directory", empty.args(NOBODY.kid, [], empty.prove(NOBODY.kid)), (),
               ["DIR-22"])
    only = Directory()
    only.put(ALICE.record)
    only.log()
    good.valid("the only key, in the first epoch", only.args(
        ALICE.kid, [ALICE.record], only.prove(ALICE.kid)), (), ["DIR-22"])
    good.valid("an answer with a member to ignore", made.args(
        ALICE.kid, objects, made.prove(ALICE.kid, x_a=1)), (), ["DIR-70"])
    _objects(file, held, twins)
    _withheld(file, twins)
    _forms(file, made, objects, twins["all that an entry can have"], twins["absent"])
    _paths(file, made, objects, twins["all that an entry can have"], twins["absent"])
    _heads(file, made, objects, twins["all that an entry can have"])
    _witnesses(file, made, objects)
    _times(file)
    _order(file, made, objects, twins["all that an entry can have"])
    return file


def _objects(file, held, twins) -> None:
    """The proof is of what is shown: only an object is at fault."""
    bad = file.group("objects")

    def refuse(comment, twin, shown, code, flag):
        made = filled(*held[twin])
        bad.invalid(comment, made.args(ALICE.kid, shown, made.prove(ALICE.kid)), code, twins[twin],
                    [flag])
    record = ALICE.record
    forged = {**record, "sig": flipped(record["sig"])}
    refuse("the record's sig changed", "a record", [forged], "signature", "signature_flip")
    refuse("the record's nonce changed", "a record", [{**record,
                                                       "nonce": flipped(record["nonce"])}],
           "kid_mismatch", "look_up_object")
    refuse("another's record", "a record", [BOB.record], "kid_mismatch", "look_up_object")
    refuse("another's record beside it", "a record", [record, BOB.record], "kid_mismatch",
           "look_up_object")
    refuse("a revocation for a record", "revoked", [revocation()], "unknown_ams_tag",
           "look_up_object")
    refuse("a number", "a record", [1], "schema", "look_up_object")
    refuse("a record, and a number", "a record", [record, 1], "schema", "look_up_object")
    refuse("a record, and an object without a tag", "a record", [record, {"kid": ALICE.kid}],
           "schema", "look_up_object")
    for tag in ("bind/1", "kev/2", "rev/2", "key/2", ""):
        refuse(f"a record, and an object of the tag {tag!r}", "a record",
               [record, {**revocation(), "ams": tag}], "unknown_ams_tag", "look_up_object")
    for what, twin, one in (("event", "superseded", event(successor=BOB)),
                            ("revocation", "revoked", revocation()), ("card", "a card", card())):
        refuse(f"the {what}'s sig changed", twin, [record, {**one, "sig": flipped(one["sig"])}],
               "signature", "signature_flip")
        refuse(f"the {what} with a member more", twin, [record, {**one, "zz": 1}], "unknown_member",
               "unknown_member")
    refuse("another's event", "superseded", [record, event(EVE)], "kid_mismatch", "look_up_object")
    refuse("another's revocation", "revoked", [record, revocation(EVE)], "kid_mismatch",
           "look_up_object")
    refuse("another's card", "a card", [record, card(EVE)], "kid_mismatch", "look_up_object")
    _, first, second = held["superseded twice"]
    refuse("the second event before the first", "superseded twice", [record, second, first],
           "event_chain", "look_up_object")
    refuse("the second event alone", "superseded twice", [record, second], "event_chain",
           "look_up_object")
    refuse("an erased card after its erasure", "an erasure", [record, erasure(), card()],
           "card_stale", "look_up_object")


def _withheld(file, twins) -> None:
    """What is shown verifies, but it is not what the peer committed to."""
    bad = file.group("withheld")
    whole = [ALICE.record, event(successor=BOB), revocation(), card()]
    made = filled(*whole)

    def refuse(comment, objects, flag="look_up_withheld", shown=made, code="proof",
               twin="all that an entry can have", **changed):
        bad.invalid(comment, shown.args(ALICE.kid, objects, shown.prove(ALICE.kid), **changed),
                    code,
                    twins[twin], [flag], importance="critical")
    refuse("the event", [whole[0], *whole[2:]])
    refuse("the revocation", [*whole[:2], whole[3]])
    refuse("the card", whole[:3])
    refuse("all but the record", whole[:1])
    refuse("an erased card in place of the one that is held",
           [*whole[:3], card(cseq=2, name="Alice B.")])
    refuse("another event in place of the one that is held", [whole[0], event(), *whole[2:]])
    refuse("the entry as a whole", [])
    bare = filled(ALICE.record)
    refuse("a revocation that is younger than the epoch", [ALICE.record, revocation()],
           "look_up_younger", bare, twin="a record")
    refuse("an event that is younger than the epoch", [ALICE.record, event()], "look_up_younger",
           bare, twin="a record")
    # The entry as it was, rightly proven in the epoch of then, under the checkpoint of now.
    grown = filled(ALICE.record)
    old = grown.prove(ALICE.kid)
    grown.put(ALICE.record, revocation())
    grown.log()
    now = grown.prove(ALICE.kid)
    twin = file.group("valid").valid("revoked in the fourth epoch", grown.args(
        ALICE.kid, [ALICE.record, revocation()], now), (), ["DIR-22"])
    third = b64(log_inclusion(grown.hashes(), 2))
    for comment, proof in (
            ("the epoch before, with its place in the log of now",
             {**old, "checkpoint": now["checkpoint"], "inclusion": third}),
            ("the epoch before, with the last one's place",
             {**old, "checkpoint": now["checkpoint"], "inclusion": now["inclusion"]}),
            ("the epoch before, with its place in the log of then",
             {**old, "checkpoint": now["checkpoint"]})):
        bad.invalid(comment, grown.args(ALICE.kid, [ALICE.record], proof), "proof", twin,
                    ["old_entry"], importance="critical")
    bad.invalid("the entry as it was, in the epoch of now", grown.args(
        ALICE.kid, [ALICE.record], {**now, "map": old["map"], "value": old["value"]}), "proof",
        twin,
        ["old_entry"], importance="critical")


def _forms(file, made, objects, twin, absent) -> None:
    bad = file.group("form")

    def refuse(comment, code, flag, **changed):
        bad.invalid(comment, made.args(ALICE.kid, objects, made.prove(ALICE.kid, **changed)), code,
                    twin, [flag])
    proof = made.prove(ALICE.kid)
    for name in ("checkpoint", "epoch", "inclusion", "map"):
        refuse(f"no {name}", "schema", "missing_member", **{name: None})
    for name in proof:
        refuse(f"{name} is a number", "schema", "wrong_type", **{name: 1})
    for name in ("epoch", "inclusion", "map", "value"):
        refuse(f"{name} is padded", "base64url", "base64url", **{name: proof[name] + "="})
    refuse("a member more", "unknown_member", "unknown_member", zz=1)
    refuse("a tag", "unknown_member", "unknown_member", ams="dproof/1")
    for size in (59, 61):
        refuse(f"an epoch of {size} bytes", "base64url", "base64url",
               epoch=b64((unb64(proof["epoch"]) + b"\0")[:size]))
    refuse("a map proof of 1 byte", "base64url", "base64url", map=b64(b"\0"))
    refuse("a map proof of 4,163 bytes", "base64url", "base64url", map=b64(bytes(4163)))
    refuse("an inclusion of 4,097 bytes", "base64url", "base64url", inclusion=b64(bytes(4097)))
    refuse("a value of 31 bytes", "base64url", "base64url", value=b64(bytes(31)))
    refuse("a checkpoint above 128 KiB", "object_too_large", "object_too_large",
           checkpoint="x" * (128 * 1024 + 1))
    refuse("the epoch under another tag", "proof_form", "epoch_form",
           epoch=b64(b"AMS-EPOCH/2\0" + unb64(proof["epoch"])[12:]))
    path = unb64(proof["map"])
    refuse("a map proof with a byte more", "proof_form", "map_length", map=b64(path + b"\0"))
    refuse("a map proof of kind 3", "proof_form", "map_form", map=b64(b"\3" + path[1:]))
    refuse("an inclusion with a byte more", "proof_form", "log_form",
           inclusion=b64(unb64(proof["inclusion"]) + b"\0"))
    refuse("no note", "proof_form", "note_layout", checkpoint="x")
    for value in ([], "x", 1):
        bad.invalid(f"{value!r} for an answer", made.args(ALICE.kid, objects, value), "schema",
                    twin,
                    ["wrong_type"])
    bad.invalid("the value of a key that is not there", made.args(NOBODY.kid, [], made.prove(
        NOBODY.kid, value=proof["value"])), "proof", absent, ["needless_value"])


def _paths(file, made, objects, twin, absent) -> None:
    bad, proof = file.group("paths"), made.prove(ALICE.kid)

    def refuse(comment, flag, valid=twin, kid=ALICE.kid, shown=objects, **changed):
        said = {**made.prove(kid), **changed}
        bad.invalid(comment, made.args(kid, shown, {name: item for name, item in said.items()
                                                    if item is not None}), "proof", valid, [flag],
                    importance="critical")
    refuse("no value", "look_up_value", value=None)
    refuse("a value with a bit changed", "look_up_value", value=flipped(proof["value"]))
    refuse("another's value", "look_up_value", value=made.prove(OTHERS[0].kid)["value"])
    refuse("zeros for a value", "look_up_value", value=b64(bytes(32)))
    refuse("another's path", "map_fold", map=made.prove(OTHERS[0].kid)["map"])
    refuse("a path of one changed bit", "map_fold", map=flipped(proof["map"], -1))
    refuse("the path of a map without the key", "map_kind", map=b64(map_proof(
        [one for one in made.leaves if one[0] != label(ALICE.kid)], label(ALICE.kid))))
    refuse("the path of an empty map", "map_kind", map=b64(b"\2\0"))
    none = {"valid": absent, "kid": NOBODY.kid, "shown": []}
    refuse("absent, as if the directory was empty", "map_fold", map=b64(b"\2\0"), **none)
    refuse("absent, by another's presence", "map_kind", map=proof["map"], **none)
    refuse("absent, by the absence of another", "map_misplaced", map=b64(map_proof(
        made.leaves, _other_branch(made))), **none)
    refuse("a key that is there, by its own leaf", "map_own_leaf", valid=absent, shown=[],
           value=None, map=b64(b"\1" + unb64(proof["map"])[1:] + label(ALICE.kid) +
                               unb64(proof["value"])))
    refuse("a key that is there, by the presence of it", "map_kind", valid=absent, shown=[],
           value=None)


def _other_branch(made) -> bytes:
    """A kid that is not there and whose way parts from NOBODY's at the root's branch."""
    raw = bytearray(label(NOBODY.kid))
    raw[0] ^= 0x80
    return bytes(raw)


def _heads(file, made, objects, twin) -> None:
    bad = file.group("heads")
    last = made.epochs[-1]

    def refuse(comment, code, flag, **changed):
        bad.invalid(comment, made.args(ALICE.kid, objects, made.prove(ALICE.kid, **changed)), code,
                    twin, [flag], importance="critical")
    forger = Signer(made.signer.key.name, 1, "forger of a directory")
    text = made.text()
    refuse("another log's origin", "proof", "checkpoint_other",
           checkpoint=made.note(text=made.text(origin="other.example/ams-directory")))
    refuse("the binding log's origin", "proof", "checkpoint_other",
           checkpoint=made.note(text=made.text(origin="ams-bind/dir.example")))
    refuse("signed by another key", "signature", "note_unsigned",
           checkpoint=text + "\n" + forger.line(text))
    refuse("another size under the signature", "signature", "note_signature",
           checkpoint=made.note().replace("\n3\n", "\n4\n"))
    refuse("a size with a zero before it, signed", "proof_form", "checkpoint_form",
           checkpoint=made.note(text=made.text(size="03")))
    for size in (0, 1, 4, 2**53):
        refuse(f"a size of {size:,}, signed", "proof", "log_fold",
               checkpoint=made.note(text=made.text(size=size)))
    refuse("another root, signed", "proof", "log_fold",
           checkpoint=made.note(text=made.text(root=bytes(32))))
    refuse("a place of one changed bit", "proof", "log_fold", inclusion=b64(
        bytes([unb64(made.prove(ALICE.kid)["inclusion"])[0] ^ 1]) +
        unb64(made.prove(ALICE.kid)["inclusion"])[1:]))
    refuse("no place", "proof", "log_length", inclusion="")
    refuse("a hash more", "proof", "log_length",
           inclusion=made.prove(ALICE.kid)["inclusion"] + b64(bytes(33))[:43])
    refuse("the epoch's number of keys changed", "proof", "log_fold",
           epoch=b64(last[:44] + bytes(8) + last[52:]))
    refuse("the epoch's time changed", "proof", "log_fold",
           epoch=b64(last[:52] + (NOW_S + 1).to_bytes(8, "big")))


def _witnesses(file, made, objects) -> None:
    good, bad = file.group("valid-witnesses"), file.group("witnesses")
    known = [one.key.text() for one in (W1, W2, W3)]

    def args(*signers, quorum=2, witnesses=None):
        return made.args(ALICE.kid, objects, made.prove(ALICE.kid, *signers), quorum=quorum,
                         witnesses=known if witnesses is None else witnesses)
    twin = good.valid("two of three", args(W1, W3), (), ["DIR-22"])
    good.valid("three of three", args(W1, W2, W3), (), ["DIR-22"])
    good.valid("one is enough for who says so", args(W2, quorum=1), (), ["DIR-22"])

    def refuse(comment, code, flag, *signers, **more):
        bad.invalid(comment, args(*signers, **more), code, twin, [flag], importance="critical")
    refuse("one of two", "witnesses", "witness_count", W1)
    refuse("none", "witnesses", "witness_count")
    refuse("one twice", "witnesses", "witness_twice", W1, W1)
    refuse("a stranger", "witnesses", "witness_count", W1, signer(OTHER, 4))
    refuse("the log itself", "witnesses", "witness_count", W1, signer(DIR, 4))
    text = made.text()
    spoiled = made.note(W1, W2) + _bad_line(W3, text)
    bad.invalid("a known one's cosignature is bad", made.args(
        ALICE.kid, objects, made.prove(ALICE.kid, checkpoint=spoiled), quorum=2, witnesses=known),
        "signature", twin, ["cosignature"], importance="critical")


def _bad_line(witness, text: str) -> str:
    return proofs.line(witness.key, NOW_S.to_bytes(8, "big") + bytes(64))


def _times(file) -> None:
    good, bad = file.group("valid-times"), file.group("times")

    def args(time: int, now: int) -> dict:
        made = Directory()
        made.put(ALICE.record)
        made.log(time)
        return made.args(ALICE.kid, [ALICE.record], made.prove(ALICE.kid), now=now)
    oldest = good.valid("a millisecond less than a day old", args(NOW_S, NOW_MS + 24 * HOUR - 1),
                        (),
                        ["DIR-22"])
    early = good.valid("five minutes ahead", args(NOW_S, NOW_MS - 300_000), (), ["DIR-22"])
    for now, comment in ((NOW_MS + 24 * HOUR, "a day old"), (NOW_MS + 25 * HOUR, "25 hours old"),
                         (NOW_MS + 400 * DAY, "400 days old")):
        bad.invalid(comment, args(NOW_S, now), "checkpoint_stale", oldest, ["stale_epoch"],
                    importance="critical")
    bad.invalid("of the beginning of time", args(0, NOW_MS), "checkpoint_stale", oldest,
                ["stale_epoch"], importance="critical")
    for time, now, comment in ((NOW_S, NOW_MS - 300_001, "more than five minutes ahead"),
                               (NOW_S + 400 * 86_400, NOW_MS, "400 days ahead"),
                               (2**63 - 1, NOW_MS, "2^63 - 1 seconds"),
                               (2**64 - 1, NOW_MS, "of the end of time")):
        bad.invalid(comment, args(time, now), "checkpoint_stale", early, ["future_epoch"],
                    importance="critical")


def _order(file, made, objects, twin) -> None:
    """DIR-22's steps, each with the faults of all later ones."""
    proof = made.prove(ALICE.kid)
    forger = Signer(made.signer.key.name, 1, "forger of a directory")
    text = made.text()
    steps = [
        ("the revocation's sig changed", "signature", {"objects": [*objects[:2], {
            **objects[2], "sig": flipped(objects[2]["sig"])}, *objects[3:]]}),
        ("an epoch of another tag", "proof_form", {"epoch": b64(
            b"AMS-EPOCH/2\0" + unb64(proof["epoch"])[12:])}),
        ("another value", "proof", {"value": flipped(proof["value"])}),
        ("a map proof of kind 3", "proof_form", {"map": b64(b"\3" + unb64(proof["map"])[1:])}),
        ("a note without signatures", "proof_form", {"checkpoint": text + "\n"}),
        ("signed by another key", "signature", {"checkpoint": text + "\n" + forger.line(text)}),
        ("too few witnesses", "witnesses", {"quorum": 1}),
        ("another place", "proof", {"inclusion": flipped(proof["inclusion"])}),
        ("two days later", "checkpoint_stale", {"now": NOW_MS + 48 * HOUR})]
    bad = file.group("stages")
    for at, (what, code, first) in enumerate(steps):
        for other, its, second in steps[at + 1:]:
            if its == code or set(first) & set(second):
                continue
            said = {**first, **second}
            shown = said.pop("objects", objects)
            more = {name: said.pop(name) for name in ("quorum", "now") if name in said}
            bad.invalid(f"{what}, and {other}", made.args(
                ALICE.kid, shown, {**proof, **said}, **more), code, twin, ["stage_order"],
                ["DIR-22"])


def files() -> list:
    return [_lookups()]
