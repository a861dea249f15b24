"""Vouches, receipts and notices (spec VCH, REL)."""
from . import crypto, keys, schema
from .errors import PHASES, answered_with, fail, require

HASH = schema.binary(32)
SIG = schema.binary(1, 1024)
VOUCH = schema.members("vouch/1", [
    ("ehash", HASH), ("sdom", schema.domain), ("dkid", schema.kid), ("acct", schema.binary(16)),
    ("rdom", schema.domain), ("class", schema.one_of("cold", "granted")), ("rroot", HASH),
    ("day", schema.integer()), ("dseq?", schema.integer(1)), ("aseq?", schema.integer(1)),
    ("age", schema.integer()), ("close", HASH), ("sig", SIG)])


def _code(value, where):
    value = schema.text()(value, where)
    require(value in PHASES, "schema", where)
    return value


def _receipt(*code):
    return schema.members("receipt/1", [
        ("ehash", HASH), ("rdom", schema.domain), ("dkid", schema.kid), ("addr_tag", HASH),
        ("verdict", schema.one_of("accepted", "refused")), code, ("ts", schema.integer()),
        ("sig", SIG)])


def _no_code(_value, where):
    fail("schema", where + "?")


_ACCEPTED, _REFUSED = _receipt("code?", _no_code), _receipt("code", _code)


def receipt(value, where):
    """REL-16: a code stands there exactly when the verdict is refused, and is judged in its place
    (ENC-16)."""
    refused = isinstance(value, dict) and value.get("verdict") == "refused"
    return (_REFUSED if refused else _ACCEPTED)(value, where)


NOTICE = schema.members("notice/1", [
    ("ehash", HASH), ("id", schema.binary(16)), ("addr", schema.address),
    ("verdict", schema.one_of("failed", "undetermined")), ("code", _code),
    ("ts", schema.integer()), ("dkid", schema.kid), ("receipt?", receipt), ("sig", SIG)])


def rtag(salt: bytes, addr: str) -> bytes:
    """VCH-2; the same is a receipt's addr_tag."""
    return crypto.mac(salt, addr.encode())


def vouch_hash(header: bytes, asig: bytes) -> bytes:
    """VCH-1: this ehash covers the account's signature too."""
    return crypto.sha256(header + asig)


def verify_vouch(value, chain: keys.Chain, header: bytes, asig: bytes, rdom: str, tags: list):
    """VCH-4. tags: the rtags that the vouch must cover, in order."""
    fields = VOUCH(value, "vouch")
    require(fields["dkid"] == chain.op.kid, "vouch_mismatch", "vouch.dkid")
    require(fields["ehash"] == vouch_hash(header, asig), "vouch_mismatch", "vouch.ehash")
    require(fields["sdom"] == chain.domain, "vouch_mismatch", "vouch.sdom")
    require(fields["rdom"] == rdom, "vouch_mismatch", "vouch.rdom")
    require(fields["rroot"] == crypto.merkle_root(tags), "vouch_mismatch", "vouch.rroot")
    with answered_with("vouch_mismatch"):
        chain.op.check_object(value, fields["sig"], "vouch.sig")
    return fields


def verify_receipt(value, chain: keys.Chain) -> dict:
    """REL-16; chain is the answering domain's."""
    fields = receipt(value, "receipt")
    require(fields["rdom"] == chain.domain, "domain_mismatch", "receipt")
    require(fields["dkid"] == chain.op.kid, "kid_mismatch", "receipt")
    chain.op.check_object(value, fields["sig"], "receipt.sig")
    return fields


def verify_notice(value, chain: keys.Chain) -> dict:
    """REL-17; chain is the own domain's."""
    fields = NOTICE(value, "notice")
    require(fields["dkid"] == chain.op.kid, "kid_mismatch", "notice")
    chain.op.check_object(value, fields["sig"], "notice.sig")
    return fields
