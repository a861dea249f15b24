"""A domain's answer for a batch of new keys (spec DIR-57, DIR-58)."""
from . import crypto, encoding, keys, proofs, schema, trees
from .encoding import b64
from .errors import require

GRANT_MAX, KEYS_MAX, VOUCHER_MAX = 2_048, 64, 194

GRANT = schema.members("grant/1", [
    ("domain", schema.domain), ("op_key", schema.binary(32)), ("root", schema.binary(32)),
    ("count", schema.integer(1, KEYS_MAX)), ("sig", schema.binary(1, 1024))])


def leaf(fp: bytes) -> bytes:
    return proofs.log_leaf(b"AMS-GRANT/1\0" + fp)


def make(sign, public: bytes, domain: str, fps: list, **changed) -> tuple:
    """(grant, paths): signed by sign(text), whose raw public key is given."""
    hashes = [leaf(fp) for fp in fps]
    value = {"ams": "grant/1", "domain": domain, "op_key": b64(crypto.sha256(public)),
             "root": b64(trees.log_root(hashes)), "count": len(fps)}
    return (keys.sign_object(sign, value, **changed),
            [trees.log_inclusion(hashes, at) for at in range(len(fps))])


def voucher(place: int, index: int, path: bytes) -> str:
    return b64(bytes([place, index]) + path)


def read_voucher(text: str) -> tuple:
    """(which grant, index, path)."""
    raw = encoding.unb64(text)
    require(raw is not None, "base64url", "voucher")
    size = len(raw or b"")
    require(size % 32 == 2 and size <= VOUCHER_MAX, "proof_form", "voucher.size")
    return raw[0], raw[1], raw[2:]


def verify(value, text: str, fp: bytes, algorithm: str, public: bytes) -> dict:
    """That this key is one of those that the domain of this op key granted."""
    _, index, path = read_voucher(text)
    require(len(encoding.encode(value)) <= GRANT_MAX, "object_too_large", "grant.size")
    fields = GRANT(value, "grant")
    proofs.included(fields["root"], fields["count"], index, leaf(fp), path, "grant.path")
    require(fields["op_key"] == crypto.sha256(public), "signature", "grant.op_key")
    crypto.check_signature(algorithm, public, fields["sig"], "grant/1",
                           crypto.sha256(keys.unsigned(value)), "grant.sig")
    return {"domain": fields["domain"], "count": fields["count"], "index": index}
