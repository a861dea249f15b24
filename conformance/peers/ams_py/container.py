"""Sealed files (spec CON): read in one pass, with the checks in the order of CON-11."""
from . import crypto, encoding, keys, message, schema
from .encoding import b64
from .errors import fail, require

MAGIC = b"AMS-SEAL/1\n"
HEADER_MAX, STANZAS_MAX, TRAILER_MAX = 16_384, 262_144, 4_096  # bytes, CON-3, CON-5, CON-9
FULL = crypto.CHUNK + crypto.TAG

HEADER = schema.members("seal/1", [
    ("id", schema.binary(16)), ("aead", message.aead_name), ("skid", schema.kid),
    ("sfp", message.HASH), ("ts", schema.integer()), ("to", schema.array(message.HASH, 1, 100)),
    ("epk?", schema.binary(32))])
TRAILER = schema.members(None, [("asig", schema.binary(1, 1024)), ("hash", message.HASH),
                                ("len", schema.integer())])


class _Input:
    def __init__(self, raw: bytes):
        self.raw, self.at = raw, 0

    def take(self, size: int) -> bytes:
        require(len(self.raw) - self.at >= size, "stream_truncated", "container")
        self.at += size
        return self.raw[self.at - size:self.at]

    def section(self, limit: int, where: str):
        """CON-3, CON-5, CON-9: a length, then one AMS-CJ text."""
        size = int.from_bytes(self.take(4), "big")
        require(size <= limit, "object_too_large", where)
        return encoding.decode(self.take(size))


def check_sender(fields: dict, sender, now: int) -> None:
    """CON-4. sender: the verified record at hand, or None."""
    if sender is None:
        fail("not_found", "container.sender")
        return
    require(sender.kid == fields["skid"], "kid_mismatch", "container.skid")
    require(sender.fp == fields["sfp"], "fp_mismatch", "container.sfp")
    keys.usable(sender, fields["ts"], "container.ts")
    require(fields["ts"] <= now + message.CLOCK_TOLERANCE, "not_yet_valid", "container.ts")


def signed_hash(header: dict, digest: bytes, length: int) -> bytes:
    """What asig signs, CON-10."""
    return crypto.sha256(encoding.encode({**header, "body": {"hash": b64(digest),
                                                             "len": length}}))


def read_stream(source: _Input, fields: dict, key: bytes, context: bytes) -> tuple:
    """(the stream without the lengths of CON-8, its plaintext)."""
    stream = source.take(crypto.STREAM_HEADER)
    chunk_key, commitment = crypto.stream_keys(key, context, stream[:24])
    require(commitment == stream[24:], "key_commitment", "container.stream")
    plain, count, last = b"", 0, False
    while not last:
        size = int.from_bytes(source.take(2), "big")
        require(crypto.TAG <= size <= FULL, "chunk", "container.length")
        last = size < FULL
        sealed = source.take(size)
        plain += crypto.aead_open(fields["aead"], chunk_key, crypto.chunk_nonce(count, last),
                                  sealed, "chunk", "container.chunk")
        stream, count = stream + sealed, count + 1
    return stream, plain


def read(raw: bytes, own: keys.Key, private: bytes, sender, now: int) -> tuple:
    """(the header's fields, the file); sender: a verified record or None."""
    source = _Input(raw)
    require(source.take(len(MAGIC)) == MAGIC, "unknown_ams_tag", "container.magic")
    header = source.section(HEADER_MAX, "container.header")
    fields = HEADER(header, "seal")
    check_sender(fields, sender, now)
    stanzas = message.STANZAS(source.section(STANZAS_MAX, "container.stanzas"), "stanzas")
    require([one["fp"] for one in stanzas] == fields["to"], "deliver_to", "container.to")
    h0 = crypto.sha256(encoding.encode(header))
    key = message.unwrap(h0, fields, message.own_stanza(stanzas, own), own, private)
    stream, plain = read_stream(source, fields, key, b"AMS1-SEAL" + h0)
    trailer = TRAILER(source.section(TRAILER_MAX, "container.trailer"), "trailer")
    require(trailer["len"] == len(stream), "blob_hash", "trailer.len")
    require(trailer["hash"] == crypto.sha256(stream), "blob_hash", "trailer.hash")
    digest = signed_hash(header, trailer["hash"], trailer["len"])
    if sender is not None:
        sender.check("seal/1", digest, trailer["asig"], "trailer.asig")
    require(source.at == len(raw), "schema", "container.end")
    return fields, plain
