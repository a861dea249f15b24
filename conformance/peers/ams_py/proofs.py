"""Merkle map, log, notes and checkpoints as their readers judge them (spec MAP, LOG, CKP)."""
import base64
import hashlib
import re

from . import crypto
from .errors import require

MAP_BITS = 128
PATH_MAX = 2 + 16 + 32 * MAP_BITS + 48
EPOCH = b"AMS-EPOCH/1\0"
EPOCH_SIZE = len(EPOCH) + 48
TEXT_MAX, FORK_MAX = 300, 1000
NAME = re.compile(r"[!-*,-~]{1,100}\Z")
NUMBER = re.compile(r"(0|[1-9][0-9]{0,18})\Z")
NUMBER_MAX = 2**63 - 1
LINE = re.compile("\u2014 ([!-*,-~]{1,100}) ([A-Za-z0-9+/]+={0,2})\\Z")


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


# --- map ---

def map_leaf(label: bytes, value: bytes) -> bytes:
    return sha(b"\x02", label, value)


def map_branch(depth: int, left: bytes, right: bytes) -> bytes:
    return sha(b"\x03", bytes([depth]), left, right)


def bit(label: bytes, at: int) -> int:
    return label[at // 8] >> (7 - at % 8) & 1


class MapProof:
    """MAP-5."""

    def __init__(self, raw: bytes):
        require(len(raw) >= 2 and raw[0] <= 2 and raw[1] <= 16, "proof_form", "path.head")
        self.kind, size = raw[0], raw[1]
        mask, rest = raw[2:2 + size], raw[2 + size:]
        require(len(mask) == size and (not mask or mask[-1] != 0), "proof_form", "path.depths")
        self.depths = [at for at in range(8 * len(mask)) if bit(mask, at)]
        tail = 48 if self.kind == 1 else 0
        require(len(rest) == 32 * len(self.depths) + tail, "proof_form", "path.size")
        require(self.kind != 2 or not self.depths, "proof_form", "path.empty")
        self.siblings = [rest[32 * i:32 * i + 32] for i in range(len(self.depths))]
        self.other = rest[32 * len(self.depths):][:tail]

    def root(self, label: bytes, folded: bytes) -> bytes:
        for depth, sibling in zip(reversed(self.depths), reversed(self.siblings)):
            pair = (sibling, folded) if bit(label, depth) else (folded, sibling)
            folded = map_branch(depth, *pair)
        return folded


def present(root: bytes, label: bytes, value: bytes, raw: bytes, where: str) -> None:
    """MAP-6."""
    proof = MapProof(raw)
    require(proof.kind == 0, "proof", where + ".kind")
    require(proof.root(label, map_leaf(label, value)) == root, "proof", where + ".root")


def absent(root: bytes, label: bytes, raw: bytes, where: str) -> None:
    """MAP-7."""
    proof = MapProof(raw)
    require(proof.kind != 0, "proof", where + ".kind")
    if proof.kind == 2:
        require(root == bytes(32), "proof", where + ".root")
        return
    other, value = proof.other[:16], proof.other[16:]
    require(other != label, "proof", where + ".own_leaf")
    require(all(bit(other, depth) == bit(label, depth) for depth in proof.depths), "proof",
            where + ".misplaced")
    require(proof.root(label, map_leaf(other, value)) == root, "proof", where + ".root")


# --- log ---

def log_leaf(entry: bytes) -> bytes:
    return sha(b"\0", entry)


def log_node(left: bytes, right: bytes) -> bytes:
    return sha(b"\1", left, right)


def _hashes(raw: bytes, where: str) -> list:
    require(len(raw) % 32 == 0 and len(raw) <= 4096, "proof_form", where)
    return [raw[at:at + 32] for at in range(0, len(raw), 32)]


def included(root: bytes, size: int, index: int, leaf: bytes, raw: bytes, where: str) -> None:
    """LOG-5, RFC 9162 section 2.1.3.2."""
    path = _hashes(raw, where + ".form")
    require(0 <= index < size, "proof", where + ".index")
    at, last, folded = index, size - 1, leaf
    for sibling in path:
        require(last != 0, "proof", where + ".long")
        if at % 2 or at == last:
            folded = log_node(sibling, folded)
            while at and at % 2 == 0:
                at, last = at // 2, last // 2
        else:
            folded = log_node(folded, sibling)
        at, last = at // 2, last // 2
    require(last == 0 and folded == root, "proof", where + ".root")


def consistent(first: int, first_root: bytes, second: int, second_root: bytes, raw: bytes,
               where: str) -> None:
    """LOG-6, LOG-7, RFC 9162 section 2.1.4.2."""
    path = _hashes(raw, where + ".form")
    require(_extends(first, first_root, second, second_root, path), "proof", where)


def _extends(first, first_root, second, second_root, path) -> bool:
    if first > second:
        return False
    if first in (0, second):
        return not path and first_root == (second_root if first else sha())
    if first & (first - 1) == 0:
        path = [first_root, *path]
    if not path:
        return False
    at, last = first - 1, second - 1
    while at % 2:
        at, last = at // 2, last // 2
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            old, new = log_node(sibling, old), log_node(sibling, new)
            while at and at % 2 == 0:
                at, last = at // 2, last // 2
        else:
            new = log_node(new, sibling)
        at, last = at // 2, last // 2
    return last == 0 and old == first_root and new == second_root


def epoch(raw: bytes) -> tuple:
    """(map root, map size, time in seconds), LOG-2."""
    require(len(raw) == EPOCH_SIZE and raw.startswith(EPOCH), "proof_form", "epoch")
    body = raw[len(EPOCH):]
    return body[:32], int.from_bytes(body[32:40], "big"), int.from_bytes(body[40:48], "big")


# --- notes ---

class NoteKey:
    """CKP-3. kind: 1 a log's, 4 a witness's."""

    def __init__(self, name: str, kind: int, raw: bytes):
        self.name, self.kind, self.raw = name, kind, raw
        self.id = sha(name.encode(), b"\n", bytes([kind]), raw)[:4]

    def judge(self, text: str, blob: bytes) -> bool:
        """CKP-4, CKP-5."""
        if self.kind == 1:
            return crypto.signature_is_valid("ed25519", self.raw, blob, text.encode())
        time = int.from_bytes(blob[:8], "big")
        signed = f"cosignature/v1\ntime {time}\n{text}".encode()
        return time <= NUMBER_MAX and crypto.signature_is_valid("ed25519", self.raw, blob[8:],
                                                                signed)


def _plain_base64(text: str):
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if base64.b64encode(raw).decode() == text else None


class Note:
    """CKP-1, CKP-2."""

    def __init__(self, whole: str):
        require(len(whole.encode("utf-8", "surrogateescape")) <= 128 * 1024, "object_too_large",
                "note.size")
        text, gap, lines = whole.rpartition("\n\n")
        good = gap != "" and lines.endswith("\n")
        require(good, "proof_form", "note.parts")
        require(lines.count("\n") <= 32, "object_too_large", "note.signatures")
        self.text, self.signatures = text + "\n", []
        require(all(" " <= char <= "~" or char == "\n" for char in self.text), "proof_form",
                "note.text")
        for line in lines.split("\n")[:-1]:
            found = LINE.match(line)
            require(found is not None, "proof_form", "note.line")
            raw = _plain_base64(found[2])
            require(raw is not None and len(raw) > 4, "proof_form", "note.base64")
            self.signatures.append((found[1], raw[:4], raw[4:]))

    def by(self, key: NoteKey) -> list:
        return [blob for name, key_id, blob in self.signatures
                if (name, key_id) == (key.name, key.id)]

    def verify(self, key: NoteKey, where: str) -> None:
        """CKP-6."""
        blobs = self.by(key)
        require(bool(blobs) and all(key.judge(self.text, blob) for blob in blobs), "signature",
                where)


def checkpoint(text: str) -> tuple:
    """(origin, size, root), CKP-7 and CKP-8."""
    require(len(text) <= TEXT_MAX, "object_too_large", "checkpoint.size")
    lines = text.split("\n")[:-1]
    require(len(lines) >= 3, "proof_form", "checkpoint.lines")
    require(NAME.match(lines[0]) is not None, "proof_form", "checkpoint.origin")
    good = NUMBER.match(lines[1]) is not None and int(lines[1]) <= NUMBER_MAX
    require(good, "proof_form", "checkpoint.number")
    root = _plain_base64(lines[2])
    require(root is not None and len(root) == 32, "proof_form", "checkpoint.root")
    require(all(lines[3:]), "proof_form", "checkpoint.extension")
    return lines[0], int(lines[1]), root


def open_checkpoint(whole: str, log: NoteKey, witnesses=(), quorum: int = 0) -> tuple:
    """(size, root), CKP-9."""
    note = Note(whole)
    origin, size, root = checkpoint(note.text)
    require(origin == log.name, "proof", "checkpoint.of_another")
    note.verify(log, "checkpoint.sig")
    counted = set()
    for witness in witnesses:
        if note.by(witness):
            note.verify(witness, "checkpoint.cosig")
            counted.add(witness.raw)
    require(len(counted) >= quorum, "witnesses", "checkpoint.quorum")
    return size, root


def fork(evidence: str, log: NoteKey) -> None:
    """CKP-11, CKP-12."""
    require(len(evidence.encode()) <= FORK_MAX, "object_too_large", "fork.size")
    ends = [at.end() for at in re.finditer("\u2014 [^\n]*\n", evidence)]
    require(len(ends) == 2 and ends[1] == len(evidence) and
            evidence[ends[0]:ends[0] + 1] == "\n", "proof_form", "fork.parts")
    faces = []
    for whole in (evidence[:ends[0]], evidence[ends[0] + 1:]):
        faces.append((*open_checkpoint(whole, log), whole))
    (first_size, first_root, _), (second_size, second_root, _) = faces
    require(first_size == second_size, "proof", "fork.sizes")
    require(first_root != second_root, "proof", "fork.roots")
    require(first_root < second_root, "proof_form", "fork.order")
