#!/usr/bin/python3
"""A codec adapter from the spec alone, on python3-cryptography. amscj.py has AMS-CJ, keys.py has
key.verify; each file by itself is small enough to be read first.
Try it: ams-conform vectors --sut conformance/adapter/samples/python/adapter.py"""
import hmac
import json
import sys

from amscj import Refused, b64, canonical, decode, need, unb64
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from keys import key_verify

AEAD = {"a256gcm": AESGCM, "c20p1305": ChaCha20Poly1305}


def codec_decode(raw_b64):
    return {"canonical_b64": b64(canonical(decode(raw_b64)))}


def frame_parse(raw_b64):  # WIR-3 to WIR-7
    if len(raw_b64) < 5:
        return {"more": True}
    size, kind = int.from_bytes(raw_b64[:4], "big"), raw_b64[4]
    need(kind in (1, 2), "encoding/frame_kind")
    need(size > 0, "encoding/frame_empty")
    need(size <= (1_048_576 if kind == 1 else 65_552), "limit/frame_too_large")
    need(kind == 1 or size >= 16, "encoding/frame_short")
    if len(raw_b64) < 5 + size:
        return {"more": True}
    return {"kind": kind, "payload_b64": b64(raw_b64[5:5 + size]), "consumed": 5 + size}


def stream_open(aead, key_b64, context_b64, sealed_b64):  # STR-1 to STR-6
    need(aead in AEAD, "crypto/unknown_algorithm")
    rest = sealed_b64[56:]
    need(len(rest) % 16_400 >= 16, "encoding/stream_truncated")
    prk = hmac.digest(sealed_b64[:24], key_b64, "sha256")
    key, commitment = (hmac.digest(prk, b"AMS-STREAM-" + label + b"\0" + context_b64 + b"\1",
                                   "sha256") for label in (b"KEY", b"COMMIT"))
    need(hmac.compare_digest(commitment, sealed_b64[24:56]), "crypto/key_commitment")
    plain, last = b"", len(rest) // 16_400
    for i in range(last + 1):
        nonce = bytes([i == last, 0, 0, 0]) + i.to_bytes(8, "big")
        try:
            plain += AEAD[aead](key).decrypt(nonce, rest[16_400 * i:16_400 * (i + 1)], None)
        except InvalidTag:
            raise Refused("crypto/chunk") from None
    return {"plain_b64": b64(plain)}


def hello():
    return {"impl": "sample-python", "roles": ["codec"], "spec_versions": ["0.1"],
            "ops": [op for op in OPS if op != "hello"]}


OPS = {"hello": hello, "codec.decode": codec_decode, "frame.parse": frame_parse,
       "stream.open": stream_open, "key.verify": key_verify}


def answer(line):
    number = None
    try:
        request = json.loads(line)
        number, op = request["id"], request.get("op")
        need(op is None or op in OPS, "schema/unsupported")
        args = {name: unb64(value) if name.endswith("_b64") else value
                for name, value in request["args"].items()}
        return {"id": number, "ok": OPS[op](**args)}
    except Refused as error:
        return {"id": number, "error": dict(zip(("phase", "code"), str(error).split("/")))}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return {"id": number, "fault": repr(error)}


def main():
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)


if __name__ == "__main__":
    main()
