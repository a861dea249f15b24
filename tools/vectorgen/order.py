"""Two faults at once: the order of checks decides (spec ENC-16, KEY-8, MSG-29). With the check of
the first one disabled it is the second one's that refuses."""
from ams_py import keys, message
from ams_py.encoding import b64, encode, unb64
from ams_py.seal import Hooks

from . import containers, leaves, letterforms, receipts
from .book import NOW_MS, File
from .faults import raw
from .lineage import card, event, of_key, stub
from .letters import add, args_of, drop, flip, letter, sealed
from .world import ALICE, BOB, EVE, HOME, NBF

LONG = "a" * 1025
# kind of a member: [(what, its value made wrong, code)…]; None: left out
FAULTS = {
    "binary": [("left out", None, "schema"), ("padded", lambda v: v + "=", "base64url")],
    "optional": [("padded", lambda v: v + "=", "base64url")],
    "kid": [("in capitals", lambda v: v.upper(), "schema")],
    "domain": [("left out", None, "schema"), ("in capitals", lambda v: v.upper(),
                                              "address_syntax")],
    "address": [("left out", None, "schema"), ("without its domain", lambda v: v.split("@")[0],
                                               "address_syntax")],
    "text": [("left out", None, "schema"), ("1,025 bytes long", lambda _: LONG,
                                            "object_too_large")],
    "integer": [("negative", lambda _: -1, "schema")],
    "array": [("an object", lambda _: {}, "schema")],
    "hashes": [("an object", lambda _: {}, "schema"), ("of 31 bytes", lambda _: [b64(bytes(31))],
                                                       "base64url")],
    "addresses": [("an object", lambda _: {}, "schema"), ("of a name alone", lambda _: ["bob"],
                                                          "address_syntax")],
    "successor": [("a number", lambda _: 1, "schema"),
                  ("of a padded fp", lambda v: {**v, "fp": v["fp"] + "="}, "base64url"),
                  ("of a member more", lambda v: {**v, "zz": 1}, "unknown_member")],
}


def pairs(file: File, make, args, listed: dict, tag: bool = True) -> None:
    """make(change) -> the object, changed before it is signed; listed: member -> kind, in the
    order of the specification."""
    twin = file.group("valid").valid("no fault", args(make(lambda v: v)), clauses=["ENC-16"])
    bad, names = file.group("members"), list(listed)

    def wrong(name, change):
        if change is None:
            return drop(name)
        return lambda value: {**value, name: change(value[name])}

    def refuse(comment, first, second, code):
        bad.invalid(comment, args(make(lambda value: second(first(value)))), code, twin,
                    ["check_order"], ["ENC-16"])
    for i, name in enumerate(names):
        for what, change, code in FAULTS[listed[name]]:
            first = wrong(name, change)
            for other in names[i + 1:]:
                for second, changed, its in FAULTS[listed[other]]:
                    if its != code:
                        refuse(f"{name} {what}, and {other} {second}", first,
                               wrong(other, changed), code)
            refuse(f"{name} {what}, and a member more", first, add(zz=1), code)
            if tag:
                refuse(f"the tag of another object, and {name} {what}", add(ams="other/1"), first,
                       "unknown_ams_tag")


def _arrays(file: File) -> None:
    """Of an array the elements come before their order."""
    twin, bad = file.groups[0].tests[0]["id"], file.group("arrays")
    base = {name: item for name, item in ALICE.record.items() if name != "sig"}
    for what, aeads, code in (("in another order, and one of 1,025 bytes",
                               ["c20p1305", "a256gcm", LONG], "object_too_large"),
                              ("one twice, and one of 1,025 bytes",
                               ["a256gcm", "a256gcm", LONG], "object_too_large")):
        bad.invalid(f"aeads {what}", raw(keys.sign_object(ALICE.sign, {**base, "aeads": aeads})),
                    code, twin, ["check_order"], ["ENC-16", "KEY-1"])


def _codes(file: File) -> None:
    """A receipt's code, which stands between verdict and ts."""
    twin, bad = file.groups[0].tests[0]["id"], file.group("code")
    make = _signed(receipts.AWAY.op.sign, receipts.receipt())
    for what, change in (("accepted, with a code", add(verdict="accepted", code="rate")),
                         ("refused, without a code", lambda value: {
                             name: item for name, item in {**value, "verdict": "refused"}.items()
                             if name != "code"})):
        bad.invalid(f"{what}, and a member more", receipts.args(make(
            lambda value, change=change: add(zz=1)(change(value)))), "schema", twin,
            ["check_order"], ["ENC-16", "REL-16"])
        value = {**make(change), "sig": ""}
        bad.invalid(f"{what}, and an empty sig", receipts.args(value), "schema", twin,
                    ["check_order"], ["ENC-16", "REL-16"])


def _places(file: File) -> None:
    """An attachment's id, which stands first in it."""
    twin, bad = file.groups[0].tests[0]["id"], file.group("places")
    whole = letterforms.whole()
    for name, other in (("blob", lambda v: v + "="), ("key", lambda v: v[:-1])):
        changed = [dict(one) for one in whole["att"]]
        changed[0].update({"id": 9, name: other(changed[0][name])})
        bad.invalid(f"an attachment in another's place, and its {name} in no form",
                    letterforms.args({**whole, "att": changed}), "schema", twin, ["check_order"],
                    ["ENC-16"])


def _last_member(file: File) -> None:
    """sig, which comes after data."""
    twin, bad = file.groups[0].tests[0]["id"], file.group("sig")
    for what, change, code in FAULTS["successor"]:
        value = event(successor=BOB)
        value["data"] = change(value["data"])
        for other, sig, its in (("sig a number", 1, "schema"), ("sig empty", "", "base64url"),
                                ("sig of zeros", b64(bytes(64)), "signature")):
            if its != code:
                bad.invalid(f"data {what}, and {other}", of_key()({**value, "sig": sig}), code,
                            twin,
                            ["check_order"], ["ENC-16"])


def _signed(person_sign, base):
    """make for an object that is signed after its change."""
    def make(change):
        value = change({name: item for name, item in base.items() if name != "sig"})
        return keys.sign_object(person_sign, value)
    return make


def _objects() -> list:
    made = []

    def file(path, op, prefix, *rest, **options):
        made.append(File(path, op, prefix))
        pairs(made[-1], *rest, **options)
    file("keys/key_order.json", "key.verify", "kor", _signed(ALICE.sign, ALICE.record), raw, {
        "sig_alg": "text", "kem": "text", "aeads": "array", "sk": "binary", "ek": "binary",
        "nonce": "binary", "nbf": "integer", "exp": "integer", "custody": "text"})
    _arrays(made[-1])
    file("keys/event_order.json", "event.verify", "kvo",
         _signed(ALICE.sign, event(successor=BOB)), of_key(), {
             "kid": "kid", "seq": "integer", "prev": "binary", "type": "text", "at": "integer",
             "data": "successor"})
    _last_member(made[-1])
    file("keys/card_order.json", "card.verify", "cro", _signed(ALICE.sign, card()), of_key(), {
        "kid": "kid", "cseq": "integer", "salt": "optional"})
    file("keys/card_stub_order.json", "cardstub.verify", "cso",
         _signed(ALICE.sign, stub(card())), of_key(), {
             "kid": "kid", "cseq": "integer", "hash": "binary"})
    base = containers.Made().header
    file("container/header_order.json", "container.open", "cor",
         lambda change: containers.Made(header=change), lambda made: made.args(), {
             "id": "binary", "aead": "text", "skid": "kid", "sfp": "binary", "ts": "integer",
             "to": "hashes", "epk": "optional"})
    assert set(base) >= {"id", "aead", "skid", "sfp", "ts", "to", "epk"}
    header = message.encoding.decode(sealed()["header"])
    file("message/header_order.json", "header.judge", "hor", lambda change: change(dict(header)),
         lambda value: {"header_b64": b64(encode(value)), "now": NOW_MS}, {
             "id": "binary", "aead": "text", "skid": "kid", "sfp": "binary", "sdom": "domain",
             "ts": "integer", "exp": "integer", "leaves": "integer", "fc": "binary",
             "body": "array"})
    file("message/letter_order.json", "letter.judge", "lor",
         lambda change: change(letterforms.whole()), letterforms.args, {
             "mid": "binary", "from": "array", "deliver_to": "addresses", "to": "addresses",
             "cc": "addresses", "date": "integer", "parts": "array", "att": "array",
             "fk": "binary"})
    _places(made[-1])
    file("message/receipt_order.json", "receipt.verify", "ror",
         _signed(receipts.AWAY.op.sign, receipts.receipt()), receipts.args, {
             "ehash": "binary", "rdom": "domain", "dkid": "kid", "addr_tag": "binary",
             "ts": "integer"})
    _codes(made[-1])
    file("message/notice_order.json", "notice.verify", "nor",
         _signed(HOME.op.sign, receipts.notice()), lambda value: receipts.args(value, HOME), {
             "ehash": "binary", "id": "binary", "addr": "address", "ts": "integer",
             "dkid": "kid"})
    value = leaves.letter_of(3)
    opening = leaves.franking.make(value, 1)
    file("franking/opening_order.json", "franking.open", "oor",
         lambda change: change(dict(opening)),
         lambda changed: leaves.args(changed, 3, leaves.commitment(value)),
         {"i": "integer", "key": "binary", "leaf": "binary", "path": "hashes"}, tag=False)
    return made


def _key_stages(file: File) -> None:
    """KEY-8: algorithms, material, times, kid, fp, signature."""
    good = {**raw(ALICE.record), "kid": ALICE.kid, "fp": b64(ALICE.fp)}
    twin = file.group("valid").valid("offered under kid and fingerprint", good, clauses=["KEY-8"])
    low = b64(bytes(32))
    record = [("an unknown sig_alg", add(sig_alg="none"), "unknown_algorithm"),
              ("an unknown kem", add(kem="none"), "unknown_algorithm"),
              ("an unknown AEAD", add(aeads=["none"]), "unknown_algorithm"),
              ("sk of small order", add(sk=low), "key_material"),
              ("ek of low order", add(ek=low), "key_material"),
              ("no life", add(exp=NBF), "schema")]
    for i, (what, change, code) in enumerate(record):
        for other, second, its in record[i + 1:]:
            if its != code:
                value = second(change({n: v for n, v in ALICE.record.items() if n != "sig"}))
                file.group(f"record-{i}").invalid(
                    f"{what}, and {other}", raw(keys.sign_object(ALICE.sign, value)), code, twin,
                    ["stage_order"], ["KEY-8"])
        value = keys.sign_object(ALICE.sign, change({n: v for n, v in ALICE.record.items()
                                                     if n != "sig"}))
        group = file.group(f"offered-{i}")
        for other, its in (("another kid", {"kid": BOB.kid}),
                           ("another fingerprint", {"kid": keys.kid_of(keys.fingerprint(value)),
                                                    "fp": b64(BOB.fp)})):
            group.invalid(f"{what}, and {other}", {**raw(value), **its}, code, twin,
                          ["stage_order"], ["KEY-8"])
        group.invalid(f"{what}, and sig changed", raw({**value, "sig": b64(bytes(64))}), code,
                      twin, ["stage_order"], ["KEY-8"])
    group, bad = file.group("identity"), {**ALICE.record, "sig": b64(bytes(64))}
    for what, its, code in (("another kid and fingerprint", {"kid": BOB.kid, "fp": b64(BOB.fp)},
                             "kid_mismatch"),
                            ("another kid", {"kid": BOB.kid}, "kid_mismatch"),
                            ("another fingerprint", {"kid": ALICE.kid, "fp": b64(BOB.fp)},
                             "fp_mismatch")):
        group.invalid(f"{what}, and sig changed", {**raw(bad), **its}, code, twin,
                      ["stage_order"], ["KEY-8"])


# MSG-29's stages: (what, the hooks that make it wrong, the code)
STAGES = (
    ("exp is ts", {"header": add(exp=NOW_MS)}, "expired"),
    ("asig changed", {"asig": lambda sig: flip(sig, 0)}, "signature"),
    ("101 stanzas", {"stanzas": lambda listed: listed * 101}, "too_many_stanzas"),
    ("a stanza without fp", {"stanzas": lambda listed: [drop("fp")(one) for one in listed]},
     "schema"),
    ("another's kid", {"stanza": add(kid=EVE.kid)}, "no_stanza"),
    ("enc for an X25519 key", {"stanza": add(enc=b64(bytes(32)))}, "algorithm_mix"),
    ("wk changed", {"stanza": lambda one: add(wk=b64(flip(unb64(one["wk"]), 0)))(one)
                    if "wk" in one else one}, "unwrap"),
    ("another hash", {"named": lambda value: {**value, "body": {
        **value["body"], "hash": b64(bytes(32))}}}, "blob_hash"),
    ("a changed salt", {"body": lambda body: flip(body, 0)}, "key_commitment"),
    ("a changed chunk", {"body": lambda body: flip(body, 60)}, "chunk"),
    ("padding", {"plain": lambda plain: plain + b"\0"}, "body_layout"),
    ("a member more in the letter", {"letter": add(zz=1)}, "unknown_member"),
    ("a leaf too many", {"leaves": lambda count: count + 1}, "leaf_count"),
    ("another fc", {"fc": lambda fc: flip(fc, 0)}, "franking"),
    ("a blob that nothing names", {"named": lambda value: {**value, "body": {
        **value["body"], "blobs": [b64(bytes(32))]}}}, "blob_set"),
    ("another's address", {"letter": lambda value: {**value, "from": {
        **value["from"], "addr": EVE.addr}}}, "from_binding"),
    ("another reader", {"letter": add(deliver_to=[EVE.addr])}, "deliver_to"),
)


def _both(first: dict, second: dict) -> Hooks:
    def chain(one, two):
        return lambda value: two(one(value))
    return Hooks(**{name: chain(first[name], second[name]) if name in first and name in second
                    else first.get(name) or second[name] for name in {**first, **second}})


def _message_stages(file: File) -> None:
    twin = file.group("valid").valid("no fault", args_of(sealed(text=letter())),
                                     clauses=["MSG-29"])
    bad = file.group("stages")
    for i, (what, hooks, code) in enumerate(STAGES):
        later = STAGES[i + 1:] if "101" not in what else STAGES[i + 1:i + 2]  # it is large
        for other, its, _ in later:
            if "101" in other and i:
                continue
            bad.invalid(f"{what}, and {other}", args_of(sealed(_both(hooks, its))), code, twin,
                        ["stage_order"], ["MSG-29"])


def files() -> list:
    key_file = File("keys/key_stages.json", "key.verify", "kst")
    _key_stages(key_file)
    message_file = File("message/stages.json", "message.open", "mst")
    _message_stages(message_file)
    return [*_objects(), key_file, message_file]
