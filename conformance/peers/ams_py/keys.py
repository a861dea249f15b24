"""Key records, domain chains and bindings (spec KEY, DOM, BND)."""
import uuid

from . import crypto, encoding, schema, vrf
from .encoding import b64
from .errors import answered_with, require

DAY = 86_400_000  # ms
LIFE_MAX = 398 * DAY

KEY = schema.members("key/1", [
    ("sig_alg", schema.text()), ("kem", schema.text()),
    ("aeads", schema.array(schema.text(), 1, 8, ascending=True)),
    ("sk", schema.binary(1, 1024)), ("ek", schema.binary(1, 1024)), ("nonce", schema.binary(16)),
    ("nbf", schema.integer()), ("exp", schema.integer()),
    ("custody", schema.one_of("client", "corporate")), ("sig", schema.binary(1, 1024))])
POLICY_NOTICE = DAY  # POL-5
MODE = schema.one_of("isp", "corporate", "groups")


def group_name(value, where):
    """POL-4."""
    value = schema.text()(value, where)
    require(schema.LABEL.match(value) is not None, "schema", where)
    return value


SHARED_KEYS = schema.array(schema.members(None, [
    ("group?", group_name), ("kid", schema.kid), ("fp", schema.binary(32))]), 0, 64)
PRIOR = schema.members(None, [
    ("mode", MODE), ("effective", schema.integer()), ("keys", SHARED_KEYS)])
POLICY = schema.members(None, [
    ("mode", MODE), ("published", schema.integer()), ("effective", schema.integer()),
    ("keys", SHARED_KEYS), ("prior?", PRIOR)])
KEY_NAME = schema.members(None, [("kid", schema.kid), ("fp", schema.binary(32))])
DOMAIN = schema.members("domain/1", [
    ("domain", schema.domain), ("root_kid", schema.kid), ("root_fp", schema.binary(32)),
    ("op_kid", schema.kid), ("op_fp", schema.binary(32)),
    ("policy", POLICY), ("seq", schema.integer(1)),
    ("vrf_key?", schema.binary(33)), ("log_key?", schema.binary(32)),
    ("sig", schema.binary(1, 1024))])
BINDING = schema.members("bind/1", [
    ("addr", schema.address), ("kid", schema.kid), ("fp", schema.binary(32)),
    ("custody", schema.one_of("client", "corporate")), ("enc?", KEY_NAME),
    ("version", schema.integer(1)), ("dkid", schema.kid), ("sig", schema.binary(1, 1024))])
CHAIN = schema.members(None, [("record", lambda v, w: v), ("root", lambda v, w: v),
                              ("op", lambda v, w: v)])


def unsigned(value: dict) -> bytes:
    """AMS-CJ of an object without sig."""
    return encoding.encode({name: item for name, item in value.items() if name != "sig"})


PERSONAL = ("name", "email", "org", "desc")  # of a card


def card_hash(value: dict) -> bytes:
    """CRD-3."""
    if not any(name in value for name in PERSONAL):
        return bytes(32)
    return crypto.sha256(b"AMS-CARD/1\0" + unsigned(value))


def card_stub(value: dict) -> dict:
    """CRD-7."""
    out = {"ams": "cardstub/1", "hash": b64(card_hash(value))}
    return {**out, **{name: value[name] for name in ("kid", "cseq", "sig") if name in value}}


def signed_part(value: dict) -> dict:
    """What sig is of: the object, but of a card its stub."""
    return card_stub(value) if value.get("ams") == "card/1" else value


def fingerprint(value: dict) -> bytes:
    return crypto.sha256(b"AMS-KEY/1\0" + unsigned(value))


def kid_of(fp: bytes) -> str:
    raw = bytearray(fp[:16])
    raw[6] = 0x80 | (raw[6] & 0x0F)
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return str(uuid.UUID(bytes=bytes(raw)))


class Key:
    """A key record; `verify_key` makes those that are verified."""

    def __init__(self, value: dict, fields: dict):
        self.value, self.fields = value, fields
        self.fp = fingerprint(value)
        self.kid = kid_of(self.fp)

    def __getattr__(self, name):
        return self.fields[name]

    def check(self, tag: str, text_hash: bytes, signature: bytes, where: str) -> None:
        crypto.check_signature(self.sig_alg, self.sk, signature, tag, text_hash, where)

    def check_object(self, value: dict, signature: bytes, where: str) -> None:
        part = signed_part(value)
        self.check(part["ams"], crypto.sha256(unsigned(part)), signature, where)


def verify_key(value, kid=None, fp=None, where: str = "key") -> Key:
    """KEY-8 on a decoded record."""
    fields = KEY(value, where)
    require(fields["sig_alg"] in crypto.SIG_ALGS, "unknown_algorithm", where + ".sig_alg")
    require(fields["kem"] in crypto.KEMS, "unknown_algorithm", where + ".kem")
    for name in fields["aeads"]:
        require(name in crypto.AEADS, "unknown_algorithm", where + ".aeads")
    require(crypto.key_is_valid(fields["sig_alg"], fields["sk"]), "key_material", where + ".sk")
    require(crypto.key_is_valid(fields["kem"], fields["ek"]), "key_material", where + ".ek")
    require(fields["nbf"] < fields["exp"], "schema", where + ".nbf")
    require(fields["exp"] - fields["nbf"] <= LIFE_MAX, "schema", where + ".exp")
    key = Key(value, fields)
    require(kid is None or key.kid == kid, "kid_mismatch", where)
    require(fp is None or key.fp == fp, "fp_mismatch", where)
    key.check_object(value, fields["sig"], where + ".sig")
    return key


def usable(key: Key, now: int, where: str = "key") -> None:
    """KEY-7."""
    require(key.nbf <= now < key.exp, "key_expired", where)


class Chain:
    def __init__(self, record: dict, root: Key, op: Key):
        self.record, self.root, self.op = record, root, op
        self.domain = record["domain"]


def _judge_keys(terms: dict, where: str) -> None:
    """POL-4."""
    groups = [key.get("group") for key in terms["keys"]]
    if terms["mode"] == "isp":
        require(not groups, "schema", where)
    elif terms["mode"] == "corporate":
        require(groups == [None], "schema", where)
    else:
        require(bool(groups) and None not in groups and
                all(a < b for a, b in zip(groups, groups[1:])), "schema", where)


def judge_policy(policy: dict, seq: int) -> None:
    """POL-3 to POL-5 on a policy whose members are."""
    _judge_keys(policy, "policy.keys")
    if "prior" in policy:
        _judge_keys(policy["prior"], "policy.prior.keys")
    require(("prior" in policy) == (seq > 1), "schema", "policy.prior")
    require(policy["effective"] >= policy["published"], "schema", "policy.effective")
    if seq > 1:
        require(policy["effective"] - policy["published"] >= POLICY_NOTICE, "schema",
                "policy.notice")
    if "prior" in policy:
        require(policy["prior"]["effective"] <= policy["published"], "schema",
                "policy.prior.effective")


def in_force(policy: dict, now: int) -> dict:
    """POL-6."""
    return policy["prior"] if "prior" in policy and now < policy["effective"] else policy


def judge_log_keys(record: dict) -> None:
    """DOM-16."""
    require("vrf_key" not in record or vrf.decode(record["vrf_key"]) is not None, "key_material",
            "domain.vrf_key")
    require("log_key" not in record or crypto.key_is_valid("ed25519", record["log_key"]),
            "key_material", "domain.log_key")
    require(("vrf_key" in record) == ("log_key" in record), "schema", "domain.log")


def verify_chain(value, domain: str, root_kid: str, root_fp: bytes) -> Chain:
    """DOM-5: whatever is wrong with a decoded chain, its domain's record does not verify."""
    with answered_with("domain_record"):
        parts = CHAIN(value, "chain")
        record = DOMAIN(parts["record"], "domain")
        judge_log_keys(record)
        judge_policy(record["policy"], record["seq"])
        require(record["domain"] == domain, "domain_record", "chain.domain")
        root, op = verify_key(parts["root"], where="root"), verify_key(parts["op"], where="op")
        named = (record["root_kid"], record["root_fp"], record["op_kid"], record["op_fp"])
        require(named == (root.kid, root.fp, op.kid, op.fp), "domain_record", "chain.named")
        require((root.kid, root.fp) == (root_kid, root_fp), "domain_record", "chain.discovery")
        root.check_object(parts["record"], record["sig"], "domain.sig")
    return Chain(record, root, op)


def verify_binding(value, chain: Chain, where: str = "binding") -> dict:
    """BND-6."""
    fields = BINDING(value, where)
    require(("enc" in fields) == (fields["custody"] == "corporate"), "schema", where + ".enc")
    require(fields["addr"].rpartition("@")[2] == chain.domain, "domain_mismatch", where)
    require(fields["dkid"] == chain.op.kid, "kid_mismatch", where)
    chain.op.check_object(value, fields["sig"], where + ".sig")
    return fields


def judge_recipient(binding: dict, key: Key, chain: Chain, now: int) -> dict:
    """POL-8: the name of the key that is sealed to."""
    terms = in_force(chain.record["policy"], now)
    require(binding["custody"] == key.custody, "binding_custody", "binding.custody")
    if binding["custody"] == "corporate":
        require(terms["mode"] != "isp", "binding_policy", "binding.custody")
    else:
        require(terms["mode"] == "isp" or key.nbf < terms["effective"], "binding_policy",
                "binding.custody")
    if "enc" in binding:
        listed = [(one["kid"], one["fp"]) for one in terms["keys"]]
        require((binding["enc"]["kid"], binding["enc"]["fp"]) in listed, "enc_unlisted",
                "binding.enc")
    return binding.get("enc", {"kid": binding["kid"], "fp": binding["fp"]})


def sign_object(sign, value: dict, **changed) -> dict:
    """The object with sig; sign(text) -> signature. `changed` replaces members before signing, and
    takes out those that are None."""
    value = {**value, **changed}
    value = {name: item for name, item in value.items() if item is not None}
    part = signed_part(value)
    text = crypto.signed_text(str(part.get("ams", "")), crypto.sha256(unsigned(part)))
    return {**value, "sig": b64(sign(text))}
