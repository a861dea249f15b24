"""The key store interface ams-ks/1 (spec KST): forms, capabilities, the audit log's chain, and what
an asker believes of an answer."""
import hmac

from . import crypto, encoding, keys, schema
from .encoding import b64
from .errors import PHASES, answered_with, fail, require

MESSAGE_MAX = 262_144  # bytes, KST-2
SKEW = 600_000  # ms, KST-15
PURPOSES = ("decap", "export", "sign")
PROFILES = {"modern": ("ed25519", "x25519"), "rsa2048": ("rsa2048pss", "rsa2048kem"),
            "rsa3072": ("rsa3072pss", "rsa3072kem"), "rsa4096": ("rsa4096pss", "rsa4096kem"),
            "ed25519-rsa3072": ("ed25519", "rsa3072kem")}
SIGNED_TAGS = ("env/1", "seal/1")  # KST-21
CHANGES = ("create", "rotate", "grant", "revoke")  # KST-17


def profile(value, where):
    value = schema.text()(value, where)
    require(value in PROFILES, "unknown_algorithm", where)
    return value


def aead(value, where):
    value = schema.text()(value, where)
    require(value in crypto.AEADS, "unknown_algorithm", where)
    return value


def boolean(value, where):
    require(isinstance(value, bool), "schema", where)
    return value is True


def device_key(algorithm):
    def judge(value, where):
        raw = schema.binary(32)(value, where)
        require(crypto.key_is_valid(algorithm, raw), "key_material", where)
        return raw
    return judge


def devices(value, where):
    one = schema.members(None, [("sk", device_key("ed25519")), ("ek?", device_key("x25519"))])
    out = schema.array(one, 1, 16)(value, where)
    sks = [each.get("sk", b"") for each in out]
    require(all(a < b for a, b in zip(sks, sks[1:])), "schema", where)
    return out


def member(value, where):
    """KST-12."""
    out = schema.members(None, [
        ("addr", schema.address), ("admin", boolean), ("devices", devices),
        ("exp", schema.integer()), ("groups", schema.array(keys.group_name, 0, 64, ascending=True)),
        ("purposes", schema.array(schema.one_of(*PURPOSES), 0, 3, ascending=True))])(value, where)
    require(out.get("admin") or out.get("purposes"), "schema", where + ".purposes")
    return out


CAPABILITY = schema.members("ks-cap/1", [
    ("addr", schema.address), ("device", schema.binary(32)), ("kid", schema.kid),
    ("group?", keys.group_name), ("purpose", schema.one_of(*PURPOSES)), ("exp", schema.integer()),
    ("mac", schema.binary(32))])
ITEM = schema.members(None, [("h0", schema.binary(32)), ("aead", aead),
                             ("enc", schema.binary(1, 1024)), ("wk", schema.binary(48))])
KID = ("kid", schema.kid)
SCOPE = [("addr?", schema.address), ("group?", keys.group_name)]
TIMES = [("nbf", schema.integer()), ("exp", schema.integer())]


def create_args(value, where):
    out = schema.members(None, [*SCOPE, ("profile", profile), *TIMES,
                                ("exportable", boolean)])(value, where)
    require(not ("addr" in out and "group" in out), "schema", where + ".group")
    return out


ARGS = {
    "decap": schema.members(None, [KID, ("enc", schema.binary(1, 1024))]),
    "sign": schema.members(None, [KID, ("text", schema.binary(1, 256))]),
    "export": schema.members(None, [KID]),
    "create": create_args,
    "rotate": schema.members(None, [KID, *TIMES]),
    "rewrap": schema.members(None, [KID, ("to", schema.kid),
                                    ("items", schema.array(ITEM, 1, 100))]),
    "list": schema.members(None, [("after?", schema.kid)]),
    "audit": schema.members(None, [("from", schema.integer()), ("count", schema.integer(1, 100))]),
    "grant": schema.members(None, [("member", member)]),
    "revoke": schema.members(None, [("addr", schema.address)]),
}


def op_name(value, where):
    value = schema.text()(value, where)
    require(value in ARGS, "unsupported", where)
    return value


def parse_request(text: bytes) -> tuple:
    """(value, fields) of a request (KST-2, KST-3)."""
    require(len(text) <= MESSAGE_MAX, "object_too_large", "request")
    value = encoding.decode(text)
    op = value.get("op") if isinstance(value, dict) else None
    args = ARGS.get(op if isinstance(op, str) else None, lambda v, w: v)
    return value, schema.members("ks-req/1", [
        ("addr", schema.address), ("device", schema.binary(32)), ("id", schema.binary(16)),
        ("ts", schema.integer()), ("op", op_name), ("args", args), ("cap?", CAPABILITY),
        ("sig", schema.binary(1, 1024))])(value, "request")


def check_request_signature(value: dict, fields: dict) -> None:
    """KST-16: the device's signature."""
    text = crypto.signed_text("ks-req/1", crypto.sha256(keys.unsigned(value)))
    good = (len(fields["sig"]) == 64 and crypto.key_is_valid("ed25519", fields["device"]) and
            crypto.signature_is_valid("ed25519", fields["device"], fields["sig"], text))
    require(good, "member_signature", "request.sig")


def capability_mac(key: bytes, value: dict) -> bytes:
    bare = {name: item for name, item in value.items() if name != "mac"}
    return crypto.mac(key, b"AMS-KS-CAP/1\0" + encoding.encode(bare))


def check_capability(value: dict, key: bytes, use: dict, now: int) -> None:
    """KST-19. use: addr, device (bytes), kid, purpose."""
    fields = CAPABILITY(value, "cap")
    mac = capability_mac(key, value)
    require(hmac.compare_digest(mac, fields["mac"]), "capability", "cap.mac")
    require(fields["addr"] == use["addr"], "capability", "cap.addr")
    require(fields["device"] == use["device"], "capability", "cap.device")
    require(fields["kid"] == use["kid"], "capability", "cap.kid")
    require(fields["purpose"] == use["purpose"], "capability", "cap.purpose")
    require(fields["exp"] > now, "capability_expired", "cap.exp")


def is_sign_form(text: bytes) -> bool:
    """KST-21."""
    return any(text[:-32] == crypto.signed_text(tag, b"") and len(text) > 32 for tag in SIGNED_TAGS)


def export_info(kid: str, fp: bytes, device: bytes) -> bytes:
    return b"AMS-KS-EXPORT\0" + bytes.fromhex(kid.replace("-", "")) + fp + device


# --- the audit log ---

def entry_hash(entry: dict) -> bytes:
    return crypto.sha256(b"AMS-KS-LOG/1\0" + encoding.encode(entry))


def follow_chain(size: int, head: bytes, entries: list) -> tuple:
    """(size, hash) after the entries; KST-27."""
    for entry in entries:
        require(isinstance(entry, dict) and not isinstance(entry.get("n"), bool) and
                entry.get("n") == size, "audit_chain", "entry.n")
        require(entry.get("prev") == b64(head), "audit_chain", "entry.prev")
        size, head = size + 1, entry_hash(entry)
    return size, head


# --- answers ---

def record(value, where):
    return value


def rewrapped(value, where):
    if isinstance(value, dict) and "code" in value:
        return schema.members(None, [("code", schema.text(64))])(value, where)
    return schema.members(None, [("enc", schema.binary(1, 1024)),
                                 ("wk", schema.binary(48))])(value, where)


def listed_key(value, where):
    out = schema.members(None, [("record", record), *SCOPE, ("retired", boolean),
                                ("caps", schema.array(CAPABILITY, 0, 3))])(value, where)
    require(not ("addr" in out and "group" in out), "schema", where + ".group")
    return out


OK = {
    "decap": schema.members(None, [KID, ("shared", schema.binary(32))]),
    "sign": schema.members(None, [KID, ("sig", schema.binary(1, 1024))]),
    "export": schema.members(None, [KID, ("enc", schema.binary(32)),
                                    ("sealed", schema.binary(17, 4112))]),
    "create": schema.members(None, [("record", record)]),
    "rotate": schema.members(None, [("record", record)]),
    "rewrap": schema.members(None, [("items", schema.array(rewrapped, 0, 100))]),
    "list": schema.members(None, [("keys", schema.array(listed_key, 0, 16)), ("more", boolean)]),
    "audit": schema.members(None, [("entries", schema.array(record, 0, 100)),
                                   ("size", schema.integer()), ("head", schema.binary(32))]),
    "grant": schema.members(None, [("addr", schema.address)]),
    "revoke": schema.members(None, [("addr", schema.address),
                                    ("kids", schema.array(schema.kid, 0, 1024))]),
}


def parse_answer(text: bytes, op: str) -> dict:
    """KST-13."""
    require(len(text) <= MESSAGE_MAX, "object_too_large", "answer")
    value = encoding.decode(text)
    said = "ok" if isinstance(value, dict) and "ok" in value else "error"
    kind = OK[op] if said == "ok" else schema.text(64)
    return schema.members("ks-ans/1", [("id", schema.binary(16)), (said, kind)])(value, "answer")


def judge_answer(request: bytes, text: bytes, own=None) -> dict:
    """KST-33 to KST-35: the ok of an answer. own: the key asked for, where it is known."""
    asked = parse_request(request)[1]
    with answered_with("keystore_answer"):
        answer = parse_answer(text, asked["op"])
        require(answer["id"] == asked["id"], "keystore_answer", "answer.id")
    if "error" in answer:
        known = answer["error"] in PHASES
        fail(answer["error"] if known else "keystore_answer", "answer.error")
    ok, args = answer.get("ok", {}), asked["args"]
    if asked["op"] in ("decap", "sign", "export"):
        require(ok["kid"] == args["kid"], "kid_mismatch", "answer.kid")
    if asked["op"] == "sign":
        require(own is not None, "not_found", "record")
        require(own.kid == args["kid"], "kid_mismatch", "record")
        require(crypto.signature_is_valid(own.sig_alg, own.sk, ok["sig"], args["text"]),
                "signature", "answer.sig")
    if asked["op"] in ("create", "rotate"):
        made = keys.verify_key(ok["record"], where="record")
        require(made.custody == "corporate", "key_origin", "record.custody")
        if asked["op"] == "create":
            require((made.sig_alg, made.kem) == PROFILES[args["profile"]], "key_material", "record")
    if asked["op"] == "rewrap":
        require(len(ok["items"]) == len(args["items"]), "keystore_answer", "answer.items")
    return ok
