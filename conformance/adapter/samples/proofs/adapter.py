#!/usr/bin/python3
"""A codec adapter from chapter 8 of the spec alone: proofs of a directory's map and log.
Try it: ams-conform vectors --sut conformance/adapter/samples/proofs/adapter.py"""
import base64
import hashlib
import json
import sys

FORM = "encoding/proof_form"


class Refused(Exception):
    """phase/code, both of errors.json"""


def need(condition, code="crypto/proof"):
    if not condition:
        raise Refused(code)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def bit(raw, at):
    return raw[at // 8] >> 7 - at % 8 & 1


def folded(label, value, proof, kinds):  # MAP-5: the root that it leads to; value None: MAP-7
    need(len(proof) >= 2 and proof[0] <= 2 and proof[1] <= 16, FORM)
    kind, mask, rest = proof[0], proof[2:2 + proof[1]], proof[2 + proof[1]:]
    need(len(mask) == proof[1] and mask[-1:] != b"\0", FORM)
    depths = [at for at in range(8 * len(mask)) if bit(mask, at)]
    need(len(rest) == 32 * len(depths) + 48 * (kind == 1) and (kind != 2 or not depths), FORM)
    need(kind in kinds)
    other = rest[32 * len(depths):]  # the leaf at the kid's place
    need(not other or other[:16] != label)
    need(not other or all(bit(other, depth) == bit(label, depth) for depth in depths))
    node = bytes(32) if kind == 2 else sha(b"\2", other if value is None else label + value)
    for at, depth in reversed([*enumerate(depths)]):
        side = rest[32 * at:32 * at + 32]
        pair = (side, node) if bit(label, depth) else (node, side)
        node = sha(b"\3", bytes([depth]), *pair)
    return node


def map_present(root_b64, kid_b64, value_b64, proof_b64):  # MAP-6
    need(folded(kid_b64, value_b64, proof_b64, (0,)) == root_b64)
    return {"verified": True}


def map_absent(root_b64, kid_b64, proof_b64):  # MAP-7
    need(folded(kid_b64, None, proof_b64, (1, 2)) == root_b64)
    return {"verified": True}


def climb(at, last, path, left, right):  # RFC 9162: left gets what stands left of it alone
    for sibling in path:
        need(last > 0)
        if at % 2 or at == last:
            left, right = sha(b"\1", sibling, left), sha(b"\1", sibling, right)
            while at and at % 2 == 0:
                at, last = at >> 1, last >> 1
        else:
            right = sha(b"\1", right, sibling)
        at, last = at >> 1, last >> 1
    need(last == 0)
    return left, right


def hashes(proof):  # LOG-3
    need(len(proof) % 32 == 0 and len(proof) <= 4096, FORM)
    return [proof[at:at + 32] for at in range(0, len(proof), 32)]


def inclusion_verify(root_b64, size, index, entry_b64, proof_b64):  # LOG-5
    path, leaf = hashes(proof_b64), sha(b"\0", entry_b64)
    need(index < size)
    need(climb(index, size - 1, path, leaf, leaf)[1] == root_b64)
    return {"verified": True}


def consistency_verify(first, first_root_b64, second, second_root_b64, proof_b64):  # LOG-6, LOG-7
    path, old, new = hashes(proof_b64), first_root_b64, second_root_b64
    need(first <= second)
    if first in (0, second):
        need(not path and (first or old == sha()) and (first != second or old == new))
        return {"verified": True}
    path = path if first & first - 1 else [old, *path]
    need(path)
    at, last = first - 1, second - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    need(climb(at, last, path[1:], path[0], path[0]) == (old, new))
    return {"verified": True}


def epoch_read(epoch_b64):  # LOG-2
    need(len(epoch_b64) == 60 and epoch_b64.startswith(b"AMS-EPOCH/1\0"), FORM)
    keys, time = (int.from_bytes(epoch_b64[at:at + 8], "big") for at in (44, 52))
    return {"root_b64": b64(epoch_b64[12:44]), "keys": str(keys), "time": str(time)}


OPS = {"map.present": map_present, "map.absent": map_absent, "epoch.read": epoch_read,
       "inclusion.verify": inclusion_verify, "consistency.verify": consistency_verify}
HELLO = {"impl": "sample-proofs", "roles": ["codec"], "spec_versions": ["0.1"], "ops": [*OPS]}


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
