"""Events, revocations, cards and the entries they make (spec KEV, REV, CRD, DIR-8)."""
import hashlib

from ams_py import crypto, keys, lineage
from ams_py.encoding import b64, encode

from .book import NOW_MS, File
from .faults import faults, raw, signature_faults
from .world import ALICE, ALICE_RSA, BOB, EVE, MALLORY

SALT = hashlib.shake_256(b"card salt").digest(16)


def _signed(signer, value: dict, changed: dict) -> dict:
    texts = {name: b64(item) if isinstance(item, bytes) else item for name, item in changed.items()}
    return keys.sign_object(signer.sign, value, **texts)


def event(person=ALICE, signer=None, successor=None, **changed) -> dict:
    data = {} if successor is None else {"kid": successor.kid, "fp": b64(successor.fp)}
    value = {"ams": "kev/1", "kid": person.kid, "seq": 1, "prev": b64(person.fp),
             "type": "supersede", "at": NOW_MS, "data": data}
    return _signed(signer or person, value, changed)


def revocation(person=ALICE, signer=None, **changed) -> dict:
    value = {"ams": "rev/1", "kid": person.kid, "fp": b64(person.fp)}
    return _signed(signer or person, value, changed)


def card(person=ALICE, signer=None, **changed) -> dict:
    value = {"ams": "card/1", "kid": person.kid, "cseq": 1, "salt": b64(SALT), "name": "Alice A."}
    return _signed(signer or person, value, changed)


def erasure(person=ALICE, **changed) -> dict:
    return card(person, **{"cseq": 2, "salt": None, "name": None, **changed})


def stub(value: dict) -> dict:
    """What is left of a card that was dropped."""
    return keys.card_stub(value)


def after(value: dict, person=ALICE, **changed) -> dict:
    """The event that follows this one."""
    return event(person, seq=value["seq"] + 1, prev=lineage.event_hash(value), **changed)


def of_key(person=ALICE):
    return lambda value: {"record_b64": b64(encode(person.record)), **raw(value)}


def _other_signature(value: dict) -> str:
    text = crypto.signed_text(value["ams"], crypto.sha256(keys.unsigned(value)))
    return b64(EVE.sign(text))


def _contexts(group, value: dict, args, twin) -> None:
    """Signatures over this object that were made for something else."""
    part = keys.signed_part(value)
    text = crypto.sha256(keys.unsigned(part))
    others = [("under another tag", crypto.signed_text("key/1", text)),
              ("without the prefix", part["ams"].encode() + b"\0" + text),
              ("the hash alone", text), ("the object itself", keys.unsigned(value))]
    if part is not value:
        whole = crypto.sha256(keys.unsigned(value))
        others.append(("of the whole", crypto.signed_text(value["ams"], whole)))
    for what, signed in others:
        group.invalid(f"a signature {what}", args({**value, "sig": b64(ALICE.sign(signed))}),
                      "signature", twin, ["signature_context"], importance="critical")


def _changed(group, value: dict, args, twin, **members) -> None:
    for name, item in members.items():
        group.invalid(f"{name} changed after signing", args({**value, name: item}), "signature",
                      twin, ["changed_after_signing"], importance="critical")


def _event_file() -> File:
    file = File("keys/events.json", "event.verify", "kev")
    args, good = of_key(), file.group("valid")
    twin = good.valid("superseded, no successor named", args(event()),
                      clauses=["KEV-1", "KEV-2", "KEV-4"])
    named = good.valid("superseded by a named key", args(event(successor=BOB)), clauses=["KEV-3"])
    good.valid("by an RSA key", of_key(ALICE_RSA)(event(ALICE_RSA, successor=ALICE)),
               clauses=["KEV-1", "ALG-1"])
    stone = good.valid("a tombstone", args(event(type="tombstone")), clauses=["KEV-1"])
    for seq in (2, 15, 16):
        good.valid(f"seq {seq}", args(event(seq=seq, prev=bytes(range(32)))), clauses=["KEV-1"])
    for at in (0, 2**53 - 1):
        good.valid(f"at {at}", args(event(at=at)), clauses=["KEV-1"])
    bad = file.group("schema")
    faults(bad, event, args, twin, {"kid": "kid", "seq": "integer", "prev": "binary",
                                    "type": "text", "at": "integer", "data": "array"})
    for seq in (0, 17, 2**53 - 1):
        bad.invalid(f"seq {seq}", args(event(seq=seq)), "schema", twin, ["out_of_range"])
    for kind in ("", "revoke", "Tombstone", "supersede "):
        bad.invalid(f"the type {kind!r}", args(event(type=kind)), "schema", twin, ["out_of_range"])
    bad.invalid("an event in an array", args([event()]), "schema", twin, ["wrong_type"])
    bad.invalid("more than 4,096 bytes", args(event(zz="a" * 4096)), "object_too_large", twin,
                ["object_too_large"])
    full = event(successor=BOB)["data"]
    for data, what, flag, code in (
            ({"kid": BOB.kid}, "without its fp", "missing_member", "schema"),
            ({"fp": b64(BOB.fp)}, "without its kid", "missing_member", "schema"),
            ({**full, "zz": 1}, "with more", "unknown_member", "unknown_member"),
            ({**full, "kid": BOB.kid.upper()}, "in capitals", "kid_form", "schema"),
            ({**full, "fp": full["fp"] + "="}, "with a padded fp", "base64url", "base64url"),
            ({**full, "fp": full["fp"][:-2]}, "with a short fp", "base64url", "base64url"),
            ("", "that is a string", "wrong_type", "schema")):
        bad.invalid(f"a successor {what}", args(event(data=data)), code, named, [flag])
    bad.invalid("a tombstone with a successor", args(event(type="tombstone", data=full)),
                "unknown_member", stone, ["unknown_member"])
    bad = file.group("successor")
    bad.invalid("kid and fp of two keys", args(event(data={**full, "kid": EVE.kid})),
                "kid_mismatch", named, ["successor_form"])
    bad.invalid("the key itself", args(event(successor=ALICE)), "schema", named,
                ["successor_form"])
    bad = file.group("signature")
    bad.invalid("an event of another key", args(event(BOB)), "kid_mismatch", twin,
                ["lineage_foreign"], importance="critical")
    bad.invalid("another key's kid, own signature", args(event(kid=BOB.kid)), "kid_mismatch", twin,
                ["lineage_foreign"], importance="critical")
    for signer, who in ((EVE, "someone of the domain"), (MALLORY, "a stranger")):
        bad.invalid(f"signed by {who}", args(event(signer=signer)), "signature", twin,
                    ["signature_other_key"], importance="critical")
    signature_faults(bad, event(), args, twin, other=_other_signature(event(seq=3)))
    _contexts(bad, event(), args, twin)
    _changed(bad, event(), args, twin, seq=2, at=NOW_MS + 1, type="tombstone", data=full,
             prev=b64(BOB.fp))
    rsa = good.valid("an RSA tombstone", of_key(ALICE_RSA)(event(ALICE_RSA, type="tombstone")),
                     clauses=["KEV-1"])
    signature_faults(bad, event(ALICE_RSA, type="tombstone"), of_key(ALICE_RSA), rsa)
    bad.invalid("an Ed25519 signature for an RSA key",
                of_key(ALICE_RSA)({**event(ALICE_RSA), "sig": event()["sig"]}), "algorithm_mix",
                rsa,
                ["signature_length"])
    return file


def _revocation_file() -> File:
    file = File("keys/revocations.json", "revocation.verify", "rev")
    args, good = of_key(), file.group("valid")
    twin = good.valid("a revocation", args(revocation()), clauses=["REV-1", "REV-2"])
    rsa = good.valid("of an RSA key", of_key(ALICE_RSA)(revocation(ALICE_RSA)), clauses=["REV-1"])
    bad = file.group("schema")
    faults(bad, revocation, args, twin, {"kid": "kid", "fp": "binary"})
    bad.invalid("a revocation with a number", args(revocation(seq=1)), "unknown_member", twin,
                ["unknown_member"])
    bad.invalid("a revocation in an array", args([revocation()]), "schema", twin, ["wrong_type"])
    bad.invalid("more than 2,048 bytes", args(revocation(zz="a" * 2048)), "object_too_large", twin,
                ["object_too_large"])
    bad = file.group("signature")
    bad.invalid("of another key", args(revocation(BOB)), "kid_mismatch", twin, ["lineage_foreign"],
                importance="critical")
    bad.invalid("another key's kid", args(revocation(kid=BOB.kid)), "kid_mismatch", twin,
                ["lineage_foreign"], importance="critical")
    bad.invalid("another key's fp", args(revocation(fp=b64(BOB.fp))), "fp_mismatch", twin,
                ["lineage_foreign"], importance="critical")
    for signer, who in ((EVE, "someone of the domain"), (MALLORY, "a stranger")):
        bad.invalid(f"signed by {who}", args(revocation(signer=signer)), "signature", twin,
                    ["signature_other_key"], importance="critical")
    signature_faults(bad, revocation(), args, twin)
    signature_faults(bad, revocation(ALICE_RSA), of_key(ALICE_RSA), rsa)
    _contexts(bad, revocation(), args, twin)
    return file


def _card_file() -> File:
    file = File("keys/cards.json", "card.verify", "crd")
    args, good = of_key(), file.group("valid")
    twin = good.valid("a name", args(card()), clauses=["CRD-1", "CRD-2", "CRD-3", "CRD-5"])
    gone = good.valid("an erasure", args(erasure()), clauses=["CRD-2", "CRD-3"])
    good.valid("of an RSA key", of_key(ALICE_RSA)(card(ALICE_RSA)), clauses=["CRD-1"])
    every = card(email="alice@elsewhere.example", org="Home", desc="One line.\nAnother.")
    good.valid("everything", args(every), clauses=["CRD-1", "CRD-6"])
    good.valid("an e-mail address that is none", args(card(email="not an address")),
               clauses=["CRD-6"])
    good.valid("a description alone", args(card(name=None, desc="x")), clauses=["CRD-2"])
    good.valid("an empty name", args(card(name="")), clauses=["CRD-2"])
    good.valid("other scripts", args(card(name="\u0410\u043b\u0438\u0441\u0430 \u611b\u5b50")),
               clauses=["CRD-1"])
    good.valid("the greatest cseq", args(card(cseq=2**53 - 1)), clauses=["CRD-1"])
    room = 2048 - len(encode(card(name="")))
    last = good.valid("2,048 bytes", args(card(name="a" * room)), clauses=["CRD-1"])
    bad = file.group("schema")
    bad.invalid("2,049 bytes", args(card(name="a" * (room + 1))), "object_too_large", last,
                ["object_too_large"])
    faults(bad, card, args, twin, {"kid": "kid", "cseq": "integer"})
    bad.invalid("cseq 0", args(card(cseq=0)), "schema", twin, ["out_of_range"])
    bad.invalid("a card in an array", args([card()]), "schema", twin, ["wrong_type"])
    for name in keys.PERSONAL:
        bad.invalid(f"{name} is a number", args(card(**{name: 1})), "schema", twin, ["wrong_type"])
    for text, what in (("a\nb", "a line feed"), ("a\tb", "a tab"), ("\0", "a zero"),
                       ("\x1b[2J", "an escape"), ("a\x7f", "a delete"), ("\u009bA", "a CSI"),
                       ("\u0080", "U+0080")):
        for name in ("name", "email", "org"):
            bad.invalid(f"{name} with {what}", args(card(**{name: text})), "schema", twin,
                        ["card_control"])
    for text, what in (("a\rb", "a carriage return"), ("\x1b[2J", "an escape"), ("\x85", "U+0085")):
        bad.invalid(f"desc with {what}", args(card(desc=text)), "schema", twin, ["card_control"])
    bad.invalid("no salt", args(card(salt=None)), "schema", twin,
                ["card_salt"], importance="critical")
    bad.invalid("an erasure with a salt", args(erasure(salt=SALT)), "schema", gone,
                ["card_salt"])
    for salt in (b"", SALT[:15], SALT + b"\0"):
        bad.invalid(f"a salt of {len(salt)} bytes", args(card(salt=salt)), "base64url", twin,
                    ["base64url"])
    bad = file.group("signature")
    bad.invalid("a card of another key", args(card(BOB)), "kid_mismatch", twin,
                ["lineage_foreign"], importance="critical")
    bad.invalid("another key's kid", args(card(kid=BOB.kid)), "kid_mismatch", twin,
                ["lineage_foreign"], importance="critical")
    for signer, who in ((EVE, "someone of the domain"), (MALLORY, "a stranger")):
        bad.invalid(f"signed by {who}", args(card(signer=signer)), "signature", twin,
                    ["signature_other_key"], importance="critical")
    signature_faults(bad, card(), args, twin)
    signature_faults(bad, erasure(), args, gone)
    _contexts(bad, card(), args, twin)
    _changed(bad, every, args, twin, cseq=2, name="Eve", email="eve@evil.example", org="Evil",
             desc="", salt=b64(bytes(16)))
    _changed(bad, erasure(), args, gone, cseq=9)
    return file


def _stub_file() -> File:
    file = File("keys/card_stubs.json", "cardstub.verify", "cst")
    args, good = of_key(), file.group("valid")
    full = card(email="alice@elsewhere.example", org="Home", desc="x")

    def make(signer=ALICE, **changed) -> dict:
        return _signed(signer, {n: v for n, v in stub(card()).items() if n != "sig"}, changed)
    twin = good.valid("of a card", args(stub(card())), clauses=["CRD-7", "CRD-8"])
    good.valid("of a card with everything", args(stub(full)), clauses=["CRD-7", "CRD-3"])
    good.valid("of an RSA key's card", of_key(ALICE_RSA)(stub(card(ALICE_RSA))), clauses=["CRD-7"])
    good.valid("of the greatest cseq", args(stub(card(cseq=2**53 - 1))), clauses=["CRD-8"])
    bad = file.group("schema")
    faults(bad, make, args, twin, {"kid": "kid", "cseq": "integer", "hash": "binary"})
    bad.invalid("cseq 0", args(make(cseq=0)), "schema", twin, ["out_of_range"])
    bad.invalid("of an erasure", args(stub(erasure())), "schema", twin, ["stub_erased"],
                importance="critical")
    bad.invalid("the card itself", args(card()), "unknown_ams_tag", twin, ["wrong_tag"])
    for size in (31, 33):
        bad.invalid(f"a hash of {size} bytes", args(make(hash=b"\1" * size)), "base64url", twin,
                    ["base64url"])
    for name in ("salt", *keys.PERSONAL):
        bad.invalid(f"with {name}", args(make(**{name: card().get(name, "x")})), "unknown_member",
                    twin, ["unknown_member"])
    bad = file.group("signature")
    bad.invalid("of another key's card", args(stub(card(BOB))), "kid_mismatch", twin,
                ["lineage_foreign"], importance="critical")
    bad.invalid("another key's kid", args(make(kid=BOB.kid)), "kid_mismatch", twin,
                ["lineage_foreign"], importance="critical")
    bad.invalid("signed by someone of the domain", args(make(EVE)), "signature", twin,
                ["signature_other_key"], importance="critical")
    signature_faults(bad, stub(card()), args, twin)
    _contexts(bad, stub(card()), args, twin)
    _changed(bad, stub(card()), args, twin, cseq=2, hash=b64(crypto.sha256(b"another card")))
    return file


def _list(*objects, person=ALICE) -> dict:
    return {"record_b64": b64(encode(person.record)),
            "objects_b64": [b64(encode(value)) for value in objects]}


def _chain(length: int) -> list:
    out = [event(successor=BOB)]
    while len(out) < length:
        out.append(after(out[-1], at=NOW_MS + len(out)))
    return out


def _entry_file() -> File:
    file = File("keys/entries.json", "entry.judge", "ent")
    good = file.group("valid")
    nothing = good.valid("a record alone", _list(), clauses=["DIR-8", "KEV-7"])
    good.valid("an RSA record alone", _list(person=ALICE_RSA), clauses=["DIR-8"])
    full = _chain(16)
    one, two, three = full[:3]
    for length in (1, 2, 3, 16):
        chained = good.valid(f"a chain of {length}", _list(*full[:length]),
                             clauses=["KEV-5", "KEV-7", "DIR-8"])
    good.valid("an event twice", _list(one, one), clauses=["KEV-6"])
    good.valid("a chain, its first event once more", _list(one, two, one), clauses=["KEV-6"])
    stone = after(one, type="tombstone", at=NOW_MS + 1)
    buried = good.valid("a tombstone after an event", _list(one, stone), clauses=["KEV-7"])
    good.valid("the same time twice", _list(one, after(one, at=NOW_MS)), clauses=["KEV-5"])
    rivals = [event(), event(successor=EVE), event(type="tombstone"), event(at=NOW_MS + 1)]
    for order, what in (((0, 1), ""), ((1, 0), ", the other way round"), ((0, 1, 2), ", three"),
                        ((2, 1, 0), ", three backwards"), ((1, 2, 0, 3), ", four"),
                        ((3, 0, 2, 1), ", four otherwise")):
        good.valid("two events with one seq" + what, _list(*(rivals[i] for i in order)),
                   clauses=["KEV-6", "KEV-7"], importance="critical")
    fork = after(one, successor=EVE, at=NOW_MS + 5)
    for objects, what in (((one, two, fork), "a fork at seq 2"),
                          ((one, fork, two), "a fork at seq 2, the other way round"),
                          ((one, two, three, fork), "a fork below the head drops what follows"),
                          ((one, two, fork, rivals[0]), "a fork at seq 1 after one at seq 2"),
                          ((one, two, fork, after(fork, at=NOW_MS + 9)), "after a fork nothing"),
                          ((one, two, three, rivals[2]), "a tombstone beside a chain")):
        good.valid(what, _list(*objects), clauses=["KEV-6"], importance="critical")
    good.valid("revoked", _list(revocation()), clauses=["REV-3", "KEV-7"])
    good.valid("revoked twice", _list(revocation(), revocation()), clauses=["REV-3"])
    good.valid("revoked and then superseded", _list(revocation(), one), clauses=["REV-3"])
    good.valid("superseded and then revoked", _list(one, revocation()), clauses=["REV-3"])
    good.valid("a conflict and a revocation", _list(rivals[0], rivals[1], revocation()),
               clauses=["REV-3", "KEV-7"])
    good.valid("a tombstone and a revocation", _list(one, stone, revocation()), clauses=["KEV-7"])
    carded = good.valid("a card", _list(card()), clauses=["CRD-4", "DIR-8"])
    good.valid("a card twice", _list(card(), card()), clauses=["CRD-4"])
    newer = good.valid("a newer card", _list(card(), card(cseq=2, name="A.")), clauses=["CRD-4"])
    erased = good.valid("erased", _list(card(), erasure()), clauses=["CRD-4"],
                        importance="critical")
    good.valid("erased under the same number", _list(card(), erasure(cseq=1)), clauses=["CRD-4"],
               importance="critical")
    good.valid("erased, and a newer card", _list(erasure(), card(cseq=3)), clauses=["CRD-4"])
    same = sorted((card(name=name) for name in ("A", "B", "C")), key=keys.card_hash)
    good.valid("two cards of one number, the greater hash first", _list(same[1], same[0]),
               clauses=["CRD-4"])
    dropped = stub(card())
    stubbed = good.valid("a card's stub has the card's value", _list(dropped),
                         clauses=["CRD-9", "DIR-8"], importance="critical")
    good.valid("a stub and its card", _list(dropped, card()), clauses=["CRD-9"])
    good.valid("a card and its stub", _list(card(), dropped), clauses=["CRD-9"])
    good.valid("a stub and a newer card", _list(dropped, card(cseq=2, name="A.")),
               clauses=["CRD-4", "CRD-9"])
    good.valid("a stub and an erasure", _list(dropped, erasure()), clauses=["CRD-4", "CRD-9"])
    good.valid("a stub and an erasure of one number", _list(dropped, erasure(cseq=1)),
               clauses=["CRD-4", "CRD-9"], importance="critical")
    good.valid("everything at once", _list(one, two, card(), revocation()), clauses=["DIR-8"])
    bad = file.group("chain")

    def refuse(comment, code, flag, *objects, twin=chained):
        bad.invalid(comment, _list(*objects), code, twin, [flag], importance="critical")
    refuse("an event whose predecessor is not held", "event_chain", "event_chain", two)
    refuse("an event left out", "event_chain", "event_chain", one, three)
    refuse("the chain backwards", "event_chain", "event_chain", two, one)
    refuse("a first event that follows another key", "event_chain", "event_chain",
           event(prev=BOB.fp))
    refuse("a first event that follows an event", "event_chain", "event_chain", one,
           event(prev=lineage.event_hash(one)))
    refuse("a second event that follows the record", "event_chain", "event_chain", one,
           event(seq=2))
    refuse("a third event that follows the first", "event_chain", "event_chain", one, two,
           event(seq=3, prev=lineage.event_hash(one)))
    refuse("an event that follows a rival not held", "event_chain", "event_chain", one,
           after(rivals[0]))
    refuse("an event after a tombstone", "event_chain", "event_buried", one, stone,
           after(stone, at=NOW_MS + 2), twin=buried)
    refuse("a second tombstone", "event_chain", "event_buried", one, stone,
           after(stone, type="tombstone", at=NOW_MS + 2), twin=buried)
    refuse("an event before the one it follows", "event_chain", "event_time", one,
           after(one, at=NOW_MS - 1))
    refuse("an event of another key", "kid_mismatch", "lineage_foreign", one, event(BOB))
    bad = file.group("card")
    for objects, what, twin in (((card(cseq=2, name="A."), card()), "an older card", newer),
                                ((erasure(), card()), "an erased card", erased),
                                ((erasure(cseq=1), card()), "an erased card of one number", erased),
                                ((same[0], same[1]), "a card of one number, greater hash", newer),
                                ((card(), erasure(), card()), "what was erased, again", erased),
                                ((erasure(), dropped), "an erased card's stub", erased),
                                ((card(cseq=2, name="A."), dropped), "an older card's stub", newer),
                                ((stub(card(cseq=2)), card()), "a card older than a stub", stubbed),
                                ((stub(same[0]), stub(same[1])), "stubs of one number", stubbed)):
        bad.invalid(what, _list(*objects), "card_stale", twin, ["card_stale"],
                    importance="critical")
    bad = file.group("kinds")
    bad.invalid("an object of another kind", _list(HOME_BINDING), "unknown_ams_tag", nothing,
                ["wrong_tag"])
    bad.invalid("an object without a tag", _list({"kid": ALICE.kid}), "schema", nothing,
                ["wrong_tag"])
    bad.invalid("an object of the tag ''", _list({"ams": "", "kid": ALICE.kid}), "unknown_ams_tag",
                nothing, ["wrong_tag"])
    bad.invalid("another key's record", _list(BOB.record), "kid_mismatch", nothing,
                ["lineage_foreign"])
    bad.invalid("no object", _list([]), "schema", nothing, ["wrong_type"])
    for value, what in ((event(signer=EVE), "event"), (revocation(signer=EVE), "revocation"),
                        (card(signer=EVE), "card")):
        bad.invalid(f"another's {what}", _list(value), "signature", carded,
                    ["signature_other_key"], importance="critical")
    return file


def _usable_file() -> File:
    file = File("keys/entry_use.json", "entry.usable", "eus")
    good, bad = file.group("valid"), file.group("state")
    one = event(successor=BOB)
    stone, fork = after(one, type="tombstone"), after(one, successor=EVE)
    active = good.valid("active", _list(), clauses=["KEV-7"])
    superseded = good.valid("superseded", _list(one), clauses=["KEV-7"])
    good.valid("erased", _list(card(), erasure()), clauses=["KEV-7"])
    for objects, what, code, twin in (
            ((revocation(),), "revoked", "key_revoked", active),
            ((one, revocation()), "superseded and revoked", "key_revoked", superseded),
            ((one, stone, revocation()), "retired and revoked", "key_revoked", superseded),
            ((one, fork, after(one), revocation()), "in conflict and revoked", "key_revoked",
             superseded),
            ((one, fork, after(one)), "in conflict", "key_conflict", superseded),
            ((event(), one), "in conflict from the first", "key_conflict", superseded),
            ((one, stone, fork), "a tombstone in conflict", "key_conflict", superseded),
            ((one, stone), "retired", "key_retired", superseded),
            ((event(type="tombstone"),), "retired at once", "key_retired", active),
            ((card(), event(type="tombstone")), "retired, with a card", "key_retired", active)):
        bad.invalid(what, _list(*objects), code, twin, ["key_state"], importance="critical")
    return file


HOME_BINDING = {"ams": "bind/1", "kid": ALICE.kid, "sig": b64(bytes(64))}


def files() -> list:
    return [_event_file(), _revocation_file(), _card_file(), _stub_file(), _entry_file(),
            _usable_file()]
