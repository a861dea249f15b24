#!/usr/bin/python3
"""A codec adapter from the spec alone, on python3-cryptography: AMS-CJ, frames, streams.
Try it: ams-conform vectors --sut conformance/adapter/samples/python/adapter.py"""
import base64
import hmac
import json
import re
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

AEAD = {"a256gcm": AESGCM, "c20p1305": ChaCha20Poly1305}
SPACE, NUMBER = r"[ \t\n\r]*", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
STRING = r'"(?:[^"\\\0-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*'  # to its end or a bad escape
TOKEN = re.compile(rf"{SPACE}([][{{}},:]|{STRING}|true|false|null|{NUMBER})")


class Refused(Exception):
    """phase/code, both of errors.json"""


def need(condition, code="schema/schema"):
    if not condition:
        raise Refused(code)


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text):  # ENC-9; None: it is none
    raw = base64.urlsafe_b64decode(text + "==") if re.fullmatch("[A-Za-z0-9_-]*", text) else b""
    return raw if b64(raw) == text else None


def canonical(value):  # of names and values that AMS-CJ allows, json writes RFC 8785 like this
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


class Scan:  # ENC-4 to ENC-8: from left to right, the first violation decides
    def __init__(self, text):
        self.text, self.at = text, 0

    def take(self, allowed=""):
        found = TOKEN.match(self.text, self.at)
        need(found and (not allowed or found[1][0] in allowed), "encoding/json_syntax")
        self.at = found.end()
        return found[1]

    def string(self, token):
        value = json.loads(token + '"')
        need(not re.search("[\ud800-\udfff]", value), "encoding/surrogate")
        need(self.text[self.at:self.at + 1] == '"', "encoding/json_syntax")
        self.at += 1
        return value

    def item(self, depth=1):
        token = self.take('"tfn-0123456789[{')
        if token[0] == '"':
            return self.string(token)
        if token in "[{":
            need(depth <= 16, "encoding/depth")
            return self.items(depth + 1, "]" if token == "[" else "}")
        need(token != "null", "encoding/null_value")
        need(token in ("true", "false") or re.fullmatch("-?[0-9]{1,16}", token) and
             abs(int(token)) < 2**53, "encoding/number")
        return json.loads(token)

    def items(self, depth, end):
        out, rest = [] if end == "]" else {}, TOKEN.match(self.text, self.at)
        more = not (rest and rest[1] == end and self.take())
        while more:
            if end == "]":
                out.append(self.item(depth))
            else:
                name = self.string(self.take('"'))
                need(re.fullmatch("[a-z][a-z0-9_]{0,31}", name), "encoding/member_name")
                need(name not in out, "encoding/duplicate_name")
                self.take(":")
                out[name] = self.item(depth)
            more = self.take("," + end) == ","
        return out


def decode(raw):  # ENC-3
    need(not raw.startswith(b"\xef\xbb\xbf"), "encoding/bom")
    try:
        scan = Scan(raw.decode())
    except UnicodeDecodeError:
        raise Refused("encoding/utf8") from None
    value = scan.item()
    need(re.fullmatch(SPACE, scan.text[scan.at:]), "encoding/json_syntax")
    need(canonical(value) == raw, "encoding/not_canonical")
    return value


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


OPS = {"codec.decode": lambda raw_b64: {"canonical_b64": b64(canonical(decode(raw_b64)))},
       "frame.parse": frame_parse, "stream.open": stream_open}
HELLO = {"impl": "sample-python", "roles": ["codec"], "spec_versions": ["0.1"], "ops": [*OPS]}


def answer(line, number=None):
    try:
        request = json.loads(line)
        number, op = request["id"], request.get("op")
        need(op in (None, "hello", *OPS), "schema/unsupported")
        args = {name: unb64(value) if name.endswith("_b64") else value
                for name, value in request["args"].items()}
        return {"id": number, "ok": HELLO if op == "hello" else OPS[op](**args)}
    except Refused as error:
        return {"id": number, "error": dict(zip(("phase", "code"), str(error).split("/")))}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return {"id": number, "fault": repr(error)}


for text in sys.stdin:
    print(json.dumps(answer(text)), flush=True)
