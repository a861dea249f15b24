"""Sealed streams by themselves (spec STR): stream.open and stream.seal."""
from ams_py import crypto
from ams_py.encoding import b64
from ams_py.seal import Draws

from . import message
from .book import File
from .letters import flip

FULL, CHUNK = crypto.CHUNK + crypto.TAG, crypto.CHUNK
KEY, SALT = Draws("stream").take(32), Draws("salt").take(24)
CONTEXT = b"AMS1-BODY" + bytes(32)


def plain_of(length: int) -> bytes:
    return Draws(f"plain {length}").take(length)


def args(sealed: bytes, aead: str, **changed) -> dict:
    return {"aead": aead, "key_b64": b64(KEY), "context_b64": b64(CONTEXT),
            "sealed_b64": b64(sealed), **changed}


def seal(plain: bytes, aead: str, key=KEY, context=CONTEXT, salt=SALT, **choices) -> bytes:
    """A stream by someone who deviates: chunk, the size of chunks; nonce(i, last); commitment
    and chunk_key, what stands for them; aad."""
    chunk_key, commitment = crypto.stream_keys(key, context, salt)
    size, nonce = choices.get("chunk", CHUNK), choices.get("nonce", crypto.chunk_nonce)
    count = choices.get("count", len(plain) // size + 1)
    used = choices.get("chunk_key", chunk_key)
    cipher = crypto.AESGCM(used) if aead == "a256gcm" else crypto.ChaCha20Poly1305(used)
    chunks = [cipher.encrypt(nonce(i, i == count - 1), plain[i * size:(i + 1) * size],
                             choices.get("aad")) for i in range(count)]
    return salt + choices.get("commitment", commitment) + b"".join(chunks)


def _valid(group, aead: str) -> dict:
    ids = {}
    large = (32768, 32769) if aead == "a256gcm" else ()  # the size is the same with either
    for length in (0, 1, 15, 16, 17, 31, 32, 255, 256, 1000, 4095, 4096, 16383, 16384, 16385,
                   16400, *large):
        ids[length] = group.valid(f"{length} bytes with {aead}",
                                  args(seal(plain_of(length), aead), aead),
                                  clauses=["STR-1", "STR-2", "ALG-1"])
    for length in (0, 1, 9, 41, 64, 1000):
        context = Draws("context").take(length)
        group.valid(f"a context of {length} bytes with {aead}",
                    args(seal(plain_of(20), aead, context=context), aead,
                         context_b64=b64(context)), clauses=["STR-1"])
    for byte in (0, 255):
        group.valid(f"key and salt of bytes {byte} with {aead}",
                    args(seal(plain_of(20), aead, bytes([byte]) * 32, salt=bytes([byte]) * 24),
                         aead, key_b64=b64(bytes([byte]) * 32)), clauses=["STR-1"])
    return ids


def _cut(group, aead: str, ids: dict):
    def refuse(comment, sealed, twin, code="stream_truncated"):
        group.invalid(f"{aead}: {comment}", args(sealed, aead), code, twin, ["truncation"],
                      importance="critical")
    small, two = seal(plain_of(16), aead), seal(plain_of(16385), aead)
    for length in range(72):
        refuse(f"cut to {length} bytes", small[:length], ids[16])
    for length in range(72, 88):
        refuse(f"cut to {length} bytes, within the chunk", small[:length], ids[16], "chunk")
    for more in (0, 1, 2, 8, 14, 15):
        refuse(f"{more} bytes after the first whole chunk", two[:56 + FULL + more], ids[16385])
    refuse("16 bytes after the first whole chunk", two[:56 + FULL + 16], ids[16385], "chunk")
    for length in sorted({16384, 32768} & {*ids}):
        whole = seal(plain_of(length), aead)
        refuse(f"an empty last chunk is gone after {length}", whole[:-16], ids[length])
        refuse(f"half the last tag is gone after {length}", whole[:-8], ids[length])
    for length in (56 + 16, 56 + 1000, 56 + FULL - 1):
        refuse(f"the first chunk cut, {length} bytes in all", two[:length], ids[16385], "chunk")


def _chunks(group, aead: str, ids: dict):
    def refuse(comment, sealed, twin, flag="chunk_order", code="chunk"):
        group.invalid(f"{aead}: {comment}", args(sealed, aead), code, twin, [flag],
                      importance="critical")
    three = seal(plain_of(32769), aead)
    head, parts = three[:56], [three[56:56 + FULL], three[56 + FULL:56 + 2 * FULL],
                               three[56 + 2 * FULL:]]
    orders = ((1, 0, 2), (0, 0, 2), (1, 2), (0, 2), (0, 1, 1, 2), (0, 1, 0, 2), (2,))
    for order in orders if 32769 in ids else ():
        refuse(f"the chunks {order} of three", head + b"".join(parts[i] for i in order),
               ids[32769])
    other = seal(plain_of(32769)[::-1], aead, salt=SALT[::-1])
    if 32769 in ids:
        refuse("a chunk of another stream under the same key", head + other[56:56 + FULL] +
               b"".join(parts[1:]), ids[32769])
    small = seal(plain_of(1000), aead)
    for at in (0, 1, 499, 500, 999, 1000, 1008, 1015):
        refuse(f"a bit of the chunk's byte {at} changed", flip(small, 56 + at), ids[1000],
               "chunk_tampered")
    for what, sealed in (("a byte more", small + b"\0"), ("a tag more", small + bytes(16)),
                         ("a byte of the middle gone", small[:500] + small[501:]),
                         ("the tag before the text", small[:56] + small[-16:] + small[56:-16]),
                         ("no tag", small[:-16])):
        refuse(what, sealed, ids[1000], "chunk_tampered")
    nonces = {"not marked as the last": lambda i, last: crypto.chunk_nonce(i, False),
              "counted from 1": lambda i, last: crypto.chunk_nonce(i + 1, last),
              "counted little-endian from 1": lambda i, last: bytes([last, 0, 0, 0]) + (
                  i + 1).to_bytes(8, "little"),
              "marked with 2": lambda i, last: bytes([2, 0, 0, 0]) + i.to_bytes(8, "big"),
              "marked with 255": lambda i, last: bytes([255, 0, 0, 0]) + i.to_bytes(8, "big"),
              "marked in the fourth byte": lambda i, last: bytes([0, 0, 0, 1]) + i.to_bytes(8,
                                                                                          "big"),
              "marked at the end": lambda i, last: bytes(11) + b"\1"}
    for what, nonce in nonces.items():
        refuse(what, seal(plain_of(1000), aead, nonce=nonce), ids[1000])
    refuse("little-endian counters", seal(plain_of(16385), aead, nonce=lambda i, last: bytes(
        [last, 0, 0, 0]) + i.to_bytes(8, "little")), ids[16385])
    refuse("every chunk marked as the last", seal(
        plain_of(16385), aead, nonce=lambda i, last: crypto.chunk_nonce(i, True)), ids[16385])
    refuse("16,384 bytes in a last chunk", seal(plain_of(16384), aead, count=1), ids[16384],
           "truncation", "stream_truncated")
    for size in (1000, 16383, 16385):
        refuse(f"chunks of {size} bytes", seal(plain_of(16385), aead, chunk=size), ids[16385])
    refuse("an aad", seal(plain_of(1000), aead, aad=b"AMS"), ids[1000])
    for what, key in (("the key itself", KEY), ("the commitment",
                                                crypto.stream_keys(KEY, CONTEXT, SALT)[1])):
        refuse(f"chunks under {what}", seal(plain_of(1000), aead, chunk_key=key), ids[1000])


def _commitments(group, aead: str, ids: dict):
    small = seal(plain_of(16), aead)

    def refuse(comment, sealed=small, **changed):
        group.invalid(f"{aead}: {comment}", args(sealed, aead, **changed), "key_commitment",
                      ids[16], ["commitment"], importance="critical")
    for at in (0, 1, 11, 12, 23):
        refuse(f"a bit of the salt's byte {at} changed", flip(small, at))
    for at in (24, 25, 39, 40, 54, 55):
        refuse(f"a bit of the commitment's byte {at - 24} changed", flip(small, at))
    for at in (0, 15, 31):
        refuse(f"a bit of the key's byte {at} changed", key_b64=b64(flip(KEY, at)))
    refuse("a key of zeros", key_b64=b64(bytes(32)))
    for context in (b"", CONTEXT[:-1], CONTEXT + b"\0", flip(CONTEXT, 0), flip(CONTEXT, 40),
                    b"AMS1-HEAD" + bytes(32), b"AMS1-ATT" + bytes(20), b"AMS1-SEAL" + bytes(32)):
        refuse(f"another context of {len(context)} bytes: {context[:9]!r}",
               context_b64=b64(context))
    prk = crypto.hkdf_extract(SALT, KEY)
    for what, commitment in (
            ("zeros", bytes(32)), ("the chunk key", crypto.stream_keys(KEY, CONTEXT, SALT)[0]),
            ("that of no context", crypto.hkdf_expand(prk, b"AMS-STREAM-COMMIT\0", 32)),
            ("that of a label without its zero",
             crypto.hkdf_expand(prk, b"AMS-STREAM-COMMIT" + CONTEXT, 32)),
            ("the key's hash", crypto.sha256(KEY)),
            ("that of key and salt exchanged", crypto.hkdf_expand(
                crypto.hkdf_extract(KEY, SALT), b"AMS-STREAM-COMMIT\0" + CONTEXT, 32))):
        refuse(f"the commitment is {what}", seal(plain_of(16), aead, commitment=commitment))


def _seal_file() -> File:
    file = File("crypto/streams_sealed.json", "stream.seal", "sts")
    good = file.group("valid")

    def its(plain, aead, **changed):
        return {"aead": aead, "key_b64": b64(KEY), "context_b64": b64(CONTEXT),
                "salt_b64": b64(SALT), "plain_b64": b64(plain), **changed}
    for aead in crypto.AEADS:
        for length in (0, 1, 15, 16, 17, 1000, 16383, 16384, 16385):
            twin = good.valid(f"{length} bytes with {aead}", its(plain_of(length), aead),
                              clauses=["STR-1", "STR-2"])
        for number in range(6):
            good.valid(f"key and salt {number} with {aead}", its(
                plain_of(10), aead, key_b64=b64(Draws(f"key {number}").take(32)),
                salt_b64=b64(Draws(f"salt {number}").take(24))), clauses=["STR-1"])
        for length in (0, 9, 41, 200):
            good.valid(f"a context of {length} bytes with {aead}", its(
                plain_of(10), aead, context_b64=b64(Draws("context").take(length))),
                clauses=["STR-1"])
    bad = file.group("names")
    for aead in ("", "none", "A256GCM", "a128gcm", "x25519"):
        bad.invalid(f"the AEAD {aead!r}", its(plain_of(10), aead), "unknown_algorithm", twin,
                    ["unknown_algorithm"])
    return file


def files() -> list:
    file = message.stream_file()
    for aead in crypto.AEADS:
        ids = _valid(file.group(f"valid-{aead}"), aead)
        _cut(file.group(f"truncated-{aead}"), aead, ids)
        _chunks(file.group(f"chunks-{aead}"), aead, ids)
        _commitments(file.group(f"commitment-{aead}"), aead, ids)
    return [file, _seal_file()]
