"""Vouches, receipts and notices (spec VCH, REL)."""
from . import crypto, keys, message, schema
from .errors import answered_with, require

HASH = schema.binary(32)
SIG = schema.binary(1, 1024)
VOUCH = schema.members("vouch/1", [
    ("ehash", HASH), ("sdom", schema.domain), ("dkid", schema.kid), ("acct", schema.binary(16)),
    ("rdom", schema.domain), ("class", schema.one_of("cold", "granted")), ("rroot", HASH),
    ("day", schema.integer()), ("dseq?", schema.integer(1)), ("aseq?", schema.integer(1)),
    ("age", schema.integer()), ("close", HASH), ("sig", SIG)])
RECEIPT = schema.members("receipt/1", [
    ("ehash", HASH), ("rdom", schema.domain), ("dkid", schema.kid), ("addr_tag", HASH),
    ("verdict", schema.one_of("accepted", "refused")), ("code?", schema.text()),
    ("ts", schema.integer()), ("sig", SIG)])
NOTICE = schema.members("notice/1", [
    ("ehash", HASH), ("id", schema.binary(16)), ("addr", schema.address),
    ("verdict", schema.one_of("failed", "undetermined")), ("code", schema.text()),
    ("ts", schema.integer()), ("dkid", schema.kid), ("receipt?", RECEIPT), ("sig", SIG)])


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
