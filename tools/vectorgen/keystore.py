"""The key store interface: requests, capabilities, answers, the audit log (spec KST)."""
from ams_py import crypto, keys, keystore
from ams_py.encoding import b64, encode, unb64

from .book import NOW_MS, File
from .faults import faults, raw, signature_faults
from .world import ALICE, ALICE_RSA, BOB, EXP, NBF, Person

DEVICE = Person("device", "corp.example")  # its Ed25519 half is the device's key
OTHER = Person("other-device", "corp.example")
CORPORATE = Person("shared", "corp.example", custody="corporate")
MAC_KEY = crypto.sha256(b"key of the capabilities")
ADDR = "alice@corp.example"
ID = b64(bytes(range(16)))
ITEM = {"h0": b64(bytes(32)), "aead": "a256gcm", "enc": b64(b"\x05" * 32), "wk": b64(b"\x06" * 48)}
DEVICES = sorted(({"sk": b64(one.sk), "ek": b64(one.ek)} for one in (DEVICE, OTHER)),
                 key=lambda each: unb64(each["sk"]))
MEMBER = {"addr": ADDR, "admin": False, "devices": DEVICES, "exp": EXP,
          "groups": ["sales", "support"], "purposes": ["decap", "export", "sign"]}
TEXT = crypto.signed_text("env/1", crypto.sha256(b"a header"))
KID, TO = CORPORATE.kid, BOB.kid

ARGS = {
    "decap": {"kid": KID, "enc": b64(b"\x05" * 32)},
    "sign": {"kid": KID, "text": b64(TEXT)},
    "export": {"kid": KID},
    "create": {"group": "sales", "profile": "modern", "nbf": NBF, "exp": EXP, "exportable": True},
    "rotate": {"kid": KID, "nbf": NBF, "exp": EXP},
    "rewrap": {"kid": KID, "to": TO, "items": [ITEM, {**ITEM, "aead": "c20p1305"}]},
    "list": {"after": KID},
    "audit": {"from": 0, "count": 100},
    "grant": {"member": MEMBER},
    "revoke": {"addr": ADDR},
}


def capability(**changed) -> dict:
    value = {"ams": "ks-cap/1", "addr": ADDR, "device": b64(DEVICE.sk), "kid": KID,
             "group": "sales", "purpose": "decap", "exp": EXP}
    value = {**value, **changed}
    value = {name: item for name, item in value.items() if item is not None}
    if "mac" in changed:
        return value
    return {**value, "mac": b64(keystore.capability_mac(MAC_KEY, value))}


def request(name: str, given: dict = None, /, signer=DEVICE, **changed) -> dict:
    value = {"ams": "ks-req/1", "addr": ADDR, "device": b64(DEVICE.sk), "id": ID, "ts": NOW_MS,
             "op": name, "args": ARGS[name] if given is None else given}
    return keys.sign_object(signer.sign, value, **changed)


def with_args(op: str, **changed) -> dict:
    args = {**ARGS[op], **changed}
    return request(op, {name: item for name, item in args.items() if item is not None})


WRONG_TYPE = {str: 1, int: "1", bool: 1, list: {}, dict: []}
OPTIONAL = {("create", "group"), ("list", "after")}


def _args_faults(group, op: str, twin: str) -> None:
    for name, value in ARGS[op].items():
        if (op, name) not in OPTIONAL:
            group.invalid(f"{op}: no {name}", raw(with_args(op, **{name: None})), "schema", twin,
                          ["missing_member"])
        group.invalid(f"{op}: {name} has another type",
                      raw(with_args(op, **{name: WRONG_TYPE[type(value)]})), "schema", twin,
                      ["wrong_type"])
        if name in ("kid", "to", "after"):
            group.invalid(f"{op}: {name} in capitals", raw(with_args(op, **{name: value.upper()})),
                          "schema", twin, ["kid_form"])
    group.invalid(f"{op}: an unknown member", raw(with_args(op, x_more=1)), "unknown_member", twin,
                  ["unknown_member"])


def _values(group, twins: dict) -> None:
    """Values outside their range."""
    for op, name, value, code, flag in (
            ("decap", "enc", "", "base64url", "base64url"),
            ("decap", "enc", b64(bytes(1025)), "base64url", "out_of_range"),
            ("decap", "enc", ARGS["decap"]["enc"] + "=", "base64url", "base64url"),
            ("sign", "text", "", "base64url", "base64url"),
            ("sign", "text", b64(bytes(257)), "base64url", "out_of_range"),
            ("create", "profile", "rsa1024", "unknown_algorithm", "unknown_algorithm"),
            ("create", "profile", "Modern", "unknown_algorithm", "unknown_algorithm"),
            ("create", "group", "", "schema", "keystore_group"),
            ("create", "group", "Sales", "schema", "keystore_group"),
            ("create", "group", "sales/all", "schema", "keystore_group"),
            ("create", "group", "a" * 64, "schema", "keystore_group"),
            ("create", "group", "-sales", "schema", "keystore_group"),
            ("create", "group", "sales-", "schema", "keystore_group"),
            ("create", "addr", ADDR, "schema", "keystore_scope"),
            ("create", "nbf", -1, "schema", "out_of_range"),
            ("rotate", "exp", -1, "schema", "out_of_range"),
            ("rewrap", "items", [], "schema", "out_of_range"),
            ("rewrap", "items", [ITEM] * 101, "object_too_large", "object_too_large"),
            ("rewrap", "items", [1], "schema", "wrong_type"),
            ("audit", "count", 0, "schema", "out_of_range"),
            ("audit", "count", 101, "schema", "out_of_range"),
            ("audit", "from", -1, "schema", "out_of_range"),
            ("revoke", "addr", "Alice@corp.example", "address_syntax", "address_syntax"),
            ("revoke", "addr", "alice", "address_syntax", "address_syntax")):
        group.invalid(f"{op}: {name} {str(value)[:40]!r}", raw(with_args(op, **{name: value})),
                      code, twins[op], [flag])
    for name, value, code, flag in (
            ("h0", b64(bytes(31)), "base64url", "base64url"), ("h0", None, "schema",
                                                              "missing_member"),
            ("aead", "a128gcm", "unknown_algorithm", "unknown_algorithm"),
            ("enc", b64(bytes(1025)), "base64url", "out_of_range"),
            ("wk", b64(bytes(47)), "base64url", "out_of_range"),
            ("wk", b64(bytes(49)), "base64url", "out_of_range"),
            ("more", 1, "unknown_member", "unknown_member")):
        item = {key: each for key, each in {**ITEM, name: value}.items() if each is not None}
        group.invalid(f"rewrap: an item's {name} {str(value)[:24]}",
                      raw(with_args("rewrap", items=[item])), code, twins["rewrap"], [flag])


def _members(group, twin: str) -> None:
    def refuse(comment, flag, code, **changed):
        member = {name: item for name, item in {**MEMBER, **changed}.items() if item is not None}
        group.invalid(f"grant: {comment}", raw(with_args("grant", member=member)), code, twin,
                      [flag])
    for name, value in MEMBER.items():
        refuse(f"a member without {name}", "missing_member", "schema", **{name: None})
        refuse(f"{name} has another type", "wrong_type", "schema",
               **{name: WRONG_TYPE[type(value)]})
    refuse("an unknown member", "unknown_member", "unknown_member", role="owner")
    refuse("no device", "out_of_range", "schema", devices=[])
    refuse("the same device twice", "keystore_order", "schema", devices=[DEVICES[0]] * 2)
    refuse("devices in another order", "keystore_order", "schema", devices=DEVICES[::-1])
    refuse("a device key of small order", "weak_key", "key_material",
           devices=[{"sk": b64(bytes([1] + [0] * 31))}])
    refuse("an export key of small order", "weak_key", "key_material",
           devices=[{**DEVICES[0], "ek": b64(bytes(32))}])
    refuse("a device key of 31 bytes", "base64url", "base64url", devices=[{"sk": b64(bytes(31))}])
    refuse("a device with an unknown member", "unknown_member", "unknown_member",
           devices=[{**DEVICES[0], "name": "phone"}])
    refuse("17 devices", "object_too_large", "object_too_large", devices=[DEVICES[0]] * 17)
    refuse("groups in another order", "keystore_order", "schema", groups=["support", "sales"])
    refuse("the same group twice", "keystore_order", "schema", groups=["sales", "sales"])
    refuse("a group in capitals", "keystore_group", "schema", groups=["Sales"])
    refuse("a group that starts with a hyphen", "keystore_group", "schema", groups=["-sales"])
    refuse("65 groups", "object_too_large", "object_too_large",
           groups=[f"g{i:02}" for i in range(65)])
    refuse("a purpose that is none", "out_of_range", "schema", purposes=["admin"])
    refuse("purposes in another order", "keystore_order", "schema", purposes=["sign", "decap"])
    refuse("no purpose and no administrator", "keystore_purpose", "schema", purposes=[])


def _requests() -> File:
    file = File("keystore/requests.json", "keystore.request", "ksr")
    good, bad = file.group("valid"), file.group("schema")
    twins = {op: good.valid(op, raw(request(op)), clauses=["KST-3", clause]) for op, clause in (
        ("decap", "KST-6"), ("sign", "KST-7"), ("export", "KST-8"), ("create", "KST-9"),
        ("rotate", "KST-10"), ("rewrap", "KST-11"), ("list", "KST-12"), ("audit", "KST-12"),
        ("grant", "KST-12"), ("revoke", "KST-12"))}
    good.valid("decap with a capability", raw(request("decap", cap=capability())),
               clauses=["KST-3", "KST-5"])
    good.valid("create for an address", raw(with_args("create", group=None, addr=ADDR)),
               clauses=["KST-9"])
    for name in ("a", "0", "a" * 63, "a-b", "a--b"):
        good.valid(f"create for the group {name}", raw(with_args("create", group=name)),
                   clauses=["KST-4"])
    good.valid("create for all members", raw(with_args("create", group=None)), clauses=["KST-9"])
    for profile in ("rsa2048", "rsa3072", "rsa4096", "ed25519-rsa3072"):
        good.valid(f"create {profile}", raw(with_args("create", profile=profile)),
                   clauses=["KST-9"])
    good.valid("list from the start", raw(request("list", {})), clauses=["KST-12"])
    good.valid("an administrator without purposes",
               raw(with_args("grant", member={**MEMBER, "admin": True, "purposes": []})),
               clauses=["KST-12"])
    for op in ARGS:
        _args_faults(bad, op, twins[op])
    _values(bad, twins)
    _members(bad, twins["grant"])
    faults(bad, lambda **changed: request("export", **changed), raw, twins["export"], {
        "addr": "address", "device": "binary", "id": "binary", "ts": "integer", "op": "text",
        "args": "array"})
    for op in ("destroy", "Decap", ""):
        bad.invalid(f"the op {op!r}", raw(request("list", {}, op=op)), "unsupported",
                    twins["list"], ["keystore_op"])
    for name, value, code, flag in (("addr", None, "schema", "missing_member"),
                                    ("mac", b64(bytes(31)), "base64url", "base64url"),
                                    ("purpose", "admin", "schema", "out_of_range"),
                                    ("ams", "ks-cap/2", "unknown_ams_tag", "wrong_tag"),
                                    ("more", 1, "unknown_member", "unknown_member")):
        bad.invalid(f"its capability's {name} is wrong",
                    raw(request("decap", cap=capability(**{name: value}))), code, twins["decap"],
                    [flag])
    forged = file.group("signature")
    other = request("export", signer=OTHER)["sig"]
    signature_faults(forged, request("export"), raw, twins["export"], "member_signature", other)
    moved = {**request("export"), "ts": NOW_MS + 1}
    forged.invalid("another time than was signed", raw(moved), "member_signature",
                   twins["export"], ["keystore_replay"], importance="critical")
    forged.invalid("a signature of another algorithm's length",
                   raw({**request("export"), "sig": b64(bytes(256))}), "member_signature",
                   twins["export"], ["signature_flip"])
    return file


def _capabilities() -> File:
    file = File("keystore/capabilities.json", "keystore.capability", "ksc")
    use = {"key_b64": b64(MAC_KEY), "addr": ADDR, "device_b64": b64(DEVICE.sk), "kid": KID,
           "purpose": "decap", "now": NOW_MS}

    def args(value, **changed):
        return {**raw(value), **use, **changed}
    good = file.group("valid")
    twin = good.valid("of a group's key", args(capability()), clauses=["KST-5", "KST-19"])
    good.valid("of a key that all share", args(capability(group=None)), clauses=["KST-5"])
    for purpose in ("sign", "export"):
        good.valid(f"to {purpose}", args(capability(purpose=purpose), purpose=purpose),
                   clauses=["KST-5", "KST-19"])
    good.valid("a millisecond before it expires", args(capability(exp=NOW_MS + 1)),
               clauses=["KST-19"])
    form = file.group("schema")
    faults(form, capability, args, twin, {
        "addr": "address", "device": "binary", "kid": "kid", "purpose": "text", "exp": "integer"})
    form.invalid("no mac", args({name: item for name, item in capability().items()
                                 if name != "mac"}), "schema", twin, ["missing_member"])
    form.invalid("a mac of 16 bytes", args(capability(mac=b64(bytes(16)))), "base64url", twin,
                 ["base64url"])
    form.invalid("a group in capitals", args(capability(group="Sales")), "schema", twin,
                 ["keystore_group"])
    form.invalid("a purpose that is none", args(capability(purpose="admin")), "schema", twin,
                 ["out_of_range"])
    forged = file.group("forged")
    for comment, value in (
            ("a later end", {**capability(), "exp": EXP + 1}),
            ("another purpose", {**capability(), "purpose": "export"}),
            ("another address", {**capability(), "addr": "bob@corp.example"}),
            ("another device", {**capability(), "device": b64(OTHER.sk)}),
            ("another key", {**capability(), "kid": TO}),
            ("another group", {**capability(), "group": "support"}),
            ("a mac of zeros", capability(mac=b64(bytes(32)))),
            ("the mac of another store", capability(mac=b64(keystore.capability_mac(
                bytes(32), {n: v for n, v in capability().items() if n != "mac"}))))):
        asked = {"addr": value["addr"], "device_b64": value["device"], "kid": value["kid"],
                 "purpose": value["purpose"]}
        forged.invalid(f"forged: {comment}", args(value, **asked), "capability", twin,
                       ["keystore_capability_forged"], importance="critical")
    bound = file.group("bound")
    for comment, changed in (("another address asks", {"addr": "bob@corp.example"}),
                             ("another device asks", {"device_b64": b64(OTHER.sk)}),
                             ("it is asked of another key", {"kid": TO}),
                             ("it is asked for another purpose", {"purpose": "export"})):
        bound.invalid(comment, args(capability(), **changed), "capability", twin,
                      ["keystore_capability_bound"], importance="critical")
    for exp in (NOW_MS, NOW_MS - 1, 0):
        bound.invalid(f"it ended at {exp}", args(capability(exp=exp)), "capability_expired", twin,
                      ["keystore_capability_expired"])
    return file


def _answer(said: dict, **changed) -> dict:
    value = {"ams": "ks-ans/1", "id": ID, **said, **changed}
    return {name: item for name, item in value.items() if item is not None}


def _oks() -> dict:
    return {
        "decap": {"kid": KID, "shared": b64(b"\x07" * 32)},
        "sign": {"kid": KID, "sig": b64(CORPORATE.sign(TEXT))},
        "export": {"kid": KID, "enc": b64(b"\x05" * 32), "sealed": b64(b"\x06" * 48)},
        "create": {"record": CORPORATE.record},
        "rotate": {"record": CORPORATE.record},
        "rewrap": {"items": [{"enc": ITEM["enc"], "wk": ITEM["wk"]}, {"code": "unwrap"}]},
        "list": {"keys": [{"record": CORPORATE.record, "group": "sales", "retired": False,
                           "caps": [capability()]}], "more": False},
        "audit": {"entries": [{"n": 0}], "size": 1, "head": b64(bytes(32))},
        "grant": {"addr": ADDR},
        "revoke": {"addr": ADDR, "kids": [KID]},
    }


def _answers() -> File:
    file = File("keystore/answers.json", "keystore.answer", "ksa")

    def args(op, value, record=CORPORATE):
        out = {"request_b64": b64(encode(request(op))), **raw(value)}
        return {**out, "record_b64": b64(encode(record.record))} if op == "sign" else out
    good, bad, lies = (file.group(name) for name in ("valid", "malformed", "lies"))
    oks, twins = _oks(), {}
    for op, ok in oks.items():
        twins[op] = good.valid(op, args(op, _answer({"ok": ok})), clauses=["KST-13", "KST-33"])
    code = "keystore_answer"
    for op, ok in oks.items():
        for name, value in ok.items():
            less = {key: item for key, item in ok.items() if key != name}
            bad.invalid(f"{op}: no {name}", args(op, _answer({"ok": less})), code, twins[op],
                        ["keystore_malformed"])
            if name != "record":
                wrong = {**ok, name: WRONG_TYPE[type(value)]}
                bad.invalid(f"{op}: {name} has another type", args(op, _answer({"ok": wrong})),
                            code, twins[op], ["keystore_malformed"])
        bad.invalid(f"{op}: an unknown member", args(op, _answer({"ok": {**ok, "more_of_it": 1}})),
                    code, twins[op], ["keystore_malformed"])
        lies.invalid(f"{op}: an answer to another request",
                     args(op, _answer({"ok": ok}, id=b64(bytes(16)))), code, twins[op],
                     ["keystore_other_id"], importance="critical")
    for comment, value in (
            ("neither ok nor error", _answer({})),
            ("both ok and error", _answer({"ok": oks["decap"], "error": "rate"})),
            ("no id", _answer({"ok": oks["decap"]}, id=None)),
            ("another tag", _answer({"ok": oks["decap"]}, ams="ks-ans/2")),
            ("a secret of 31 bytes", _answer({"ok": {**oks["decap"], "shared": b64(bytes(31))}})),
            ("an error that is no text", _answer({"error": 1})),
            ("an error of a later version", _answer({"error": "of_a_later_version"})),
            ("an error of 65 bytes", _answer({"error": "a" * 65})),
            ("the answer of another op", _answer({"ok": oks["sign"]}))):
        bad.invalid(comment, args("decap", value), code, twins["decap"], ["keystore_malformed"])
    bad.invalid("no AMS-CJ", {**args("decap", {}), "raw_b64": b64(b"<html>")}, code,
                twins["decap"], ["keystore_malformed"])
    bad.invalid("a space", {**args("decap", {}), "raw_b64": b64(
        encode(_answer({"ok": oks["decap"]})) + b" ")}, code, twins["decap"],
        ["keystore_malformed"])
    bad.invalid("more items than were asked for", args("rewrap", _answer(
        {"ok": {"items": oks["rewrap"]["items"] * 2}})), code, twins["rewrap"],
        ["keystore_malformed"])
    for error in ("not_member", "capability_expired", "key_purpose", "keystore_full", "rate"):
        lies.invalid(f"refused with {error}", args("decap", _answer({"error": error})), error,
                     twins["decap"], ["keystore_refusal"])
    for op in ("decap", "sign", "export"):
        lies.invalid(f"{op}: of another key", args(op, _answer({"ok": {**oks[op], "kid": TO}})),
                     "kid_mismatch", twins[op], ["keystore_other_kid"], importance="critical")
    for comment, sig in (("of another text", CORPORATE.sign(TEXT + b"x")),
                         ("by another key", OTHER.sign(TEXT)), ("of zeros", bytes(64))):
        lies.invalid(f"sign: a signature {comment}", args(
            "sign", _answer({"ok": {"kid": KID, "sig": b64(sig)}})), "signature", twins["sign"],
            ["keystore_false_signature"], importance="critical")
    for op in ("create", "rotate"):
        lies.invalid(f"{op}: a record of custody client",
                     args(op, _answer({"ok": {"record": ALICE.record}})), "key_origin", twins[op],
                     ["keystore_false_record"], importance="critical")
        flipped = {**CORPORATE.record, "exp": EXP - 1}
        lies.invalid(f"{op}: a record that does not verify",
                     args(op, _answer({"ok": {"record": flipped}})), "signature", twins[op],
                     ["keystore_false_record"], importance="critical")
    lies.invalid("create: a record of other algorithms", args("create", _answer(
        {"ok": {"record": ALICE_RSA.make(custody="corporate")}})), "key_material",
        twins["create"], ["keystore_false_record"], importance="critical")
    return file


def _log(count: int) -> list:
    entries, head = [], bytes(32)
    for n in range(count):
        entries.append({"ams": "ks-log/1", "n": n, "ts": NOW_MS + n, "addr": ADDR, "op": "decap",
                        "kid": KID, "detail": "", "outcome": "ok", "id": ID, "prev": b64(head)})
        head = keystore.entry_hash(entries[-1])
    return entries


def _audits() -> File:
    file = File("keystore/audits.json", "keystore.audit", "ksl")
    entries = _log(4)
    head = keystore.entry_hash(entries[-1])

    def args(listed, size=4, digest=head):
        return {**raw(listed), "size": size, "head_b64": b64(digest)}
    good, bad = file.group("valid"), file.group("broken")
    twin = good.valid("four entries", args(entries), clauses=["KST-26", "KST-27"])
    good.valid("an empty log", args([], 0, bytes(32)), clauses=["KST-27"])
    for n in range(4):
        changed = [dict(entry) for entry in entries]
        changed[n]["addr"] = "mallory@corp.example"
        bad.invalid(f"entry {n} was changed", args(changed), "audit_chain", twin,
                    ["keystore_log_changed"], importance="critical")
        cut = entries[:n] + entries[n + 1:]
        bad.invalid(f"entry {n} is missing", args(cut), "audit_chain", twin,
                    ["keystore_log_gap"], importance="critical")
    renumbered = [{**entry, "n": n} for n, entry in enumerate(entries[1:])]
    bad.invalid("the first is missing and the rest is numbered anew", args(renumbered),
                "audit_chain", twin, ["keystore_log_gap"], importance="critical")
    bad.invalid("two in another order", args([entries[0], entries[2], entries[1], entries[3]]),
                "audit_chain", twin, ["keystore_log_changed"])
    bad.invalid("the head of a longer log", args(entries, 5, head), "audit_chain", twin,
                ["keystore_log_cut"], importance="critical")
    bad.invalid("another head", args(entries, 4, bytes(32)), "audit_chain", twin,
                ["keystore_log_cut"], importance="critical")
    bad.invalid("n is true", args([{**entries[0], "n": True}], 1, head), "audit_chain", twin,
                ["wrong_type"])
    bad.invalid("an entry is a number", args([1], 1, head), "audit_chain", twin, ["wrong_type"])
    return file


def files() -> list:
    return [_requests(), _capabilities(), _answers(), _audits()]
