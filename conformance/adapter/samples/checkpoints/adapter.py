#!/usr/bin/python3
"""A codec adapter from chapter 8 of the spec alone, on python3-cryptography: notes, checkpoints.
Try it: ams-conform vectors --sut conformance/adapter/samples/checkpoints/adapter.py"""
import base64
import hashlib
import json
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NAME, LAST = "[!-*,-~]{1,100}", 2**63 - 1
LINE = re.compile(rf"\u2014 ({NAME}) ([^ \n]+)")
TEXT = re.compile(rf"({NAME})\n(0|[1-9][0-9]{{0,18}})\n(.*)\n((?:.+\n)*)")
P = 2**255 - 19  # and y of two points of order 8, P - y of the other two
Y8 = 0x5fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826
WEAK = (0, 1, P - 1, Y8, P - Y8)  # KEY-5
FORM, LARGE, SIGNATURE = "encoding/proof_form", "limit/object_too_large", "crypto/signature"


class Refused(Exception):
    """phase/code, both of errors.json"""


def need(condition, code="crypto/proof"):
    if not condition:
        raise Refused(code)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def plain64(text):  # RFC 4648 section 4, padded and canonical
    need(re.fullmatch("[A-Za-z0-9+/]*={0,2}", text) and len(text) % 4 == 0, FORM)
    raw = base64.b64decode(text)
    need(base64.b64encode(raw).decode() == text, FORM)
    return raw


def note_key(text):  # CKP-3: (name, id, type, key)
    found = re.fullmatch(rf"({NAME})\+([0-9a-f]{{8}})\+(.+)", text)
    need(found, FORM)
    raw = plain64(found[3])
    need(len(raw) == 33 and raw[0] in (1, 4), FORM)
    need(sha(found[1].encode(), b"\n", raw)[:4].hex() == found[2], FORM)
    y = int.from_bytes(raw[1:], "little") % 2**255
    need(y < P and y not in WEAK, "crypto/key_material")
    return found[1], bytes.fromhex(found[2]), raw[0], raw[1:]


def parsed(raw):  # CKP-1, CKP-2: (text, [(name, key id, blob)])
    need(len(raw) <= 128 * 1024, LARGE)
    text, gap, lines = raw.decode("utf-8", "surrogateescape").rpartition("\n\n")
    need(gap and lines.endswith("\n"), FORM)
    need(lines.count("\n") <= 32, LARGE)
    need(re.fullmatch("[ -~\n]*", text), FORM)
    signatures = []
    for line in lines.split("\n")[:-1]:
        found = LINE.fullmatch(line)
        need(found, FORM)
        blob = plain64(found[2])
        need(len(blob) > 4, FORM)
        signatures.append((found[1], blob[:4], blob[4:]))
    return text + "\n", signatures


def signed_at(note, key):  # CKP-4 to CKP-6: the times of the key's signatures
    name, key_id, kind, public = key
    times = []
    for blob in (blob for its, of, blob in note[1] if (its, of) == (name, key_id)):
        time, text = 0, note[0]
        if kind == 4:
            time, blob = int.from_bytes(blob[:8], "big"), blob[8:]
            text = f"cosignature/v1\ntime {time}\n{text}"
        try:
            need(time <= LAST, SIGNATURE)
            Ed25519PublicKey.from_public_bytes(public).verify(blob, text.encode())
        except InvalidSignature:
            raise Refused(SIGNATURE) from None
        times.append(time)
    return times


def notekey_read(key):
    name, key_id, kind, public = note_key(key)
    return {"name": name, "id": key_id.hex(), "type": kind, "public_b64": b64(public)}


def note_verify(note_b64, key):
    key, note = note_key(key), parsed(note_b64)
    times = signed_at(note, key)
    need(times, SIGNATURE)
    return {"time": str(max(times)), "text_b64": b64(note[0].encode()), "signatures": len(note[1])}


def checkpoint_open(note_b64, log, witnesses=(), quorum=0):  # CKP-9
    known, log, note = [*map(note_key, witnesses)], note_key(log), parsed(note_b64)
    need(len(note[0]) <= 300, LARGE)
    found = TEXT.fullmatch(note[0])
    need(found and int(found[2]) <= LAST, FORM)
    root = plain64(found[3])
    need(len(root) == 32, FORM)
    need(found[1] == log[0])
    need(signed_at(note, log), SIGNATURE)
    counted = {witness[3] for witness in known if signed_at(note, witness)}
    need(len(counted) >= quorum, "crypto/witnesses")
    return {"origin": found[1], "size": found[2], "root_b64": b64(root), "witnesses": len(counted)}


OPS = {"notekey.read": notekey_read, "note.verify": note_verify,
       "checkpoint.open": checkpoint_open}
HELLO = {"impl": "sample-checkpoints", "roles": ["codec"], "spec_versions": ["0.1"],
         "ops": [*OPS]}


def answer(line, number=None):
    try:
        request = json.loads(line)
        number, op = request["id"], request.get("op")
        need(op in (None, "hello", *OPS), "schema/unsupported")
        args = {name: base64.urlsafe_b64decode(value + "==") if name.endswith("_b64") else value
                for name, value in request["args"].items()}
        return {"id": number, "ok": HELLO if op == "hello" else OPS[op](**args)}
    except Refused as error:
        return {"id": number, "error": dict(zip(("phase", "code"), str(error).split("/")))}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return {"id": number, "fault": repr(error)}


for text in sys.stdin:
    print(json.dumps(answer(text)), flush=True)
