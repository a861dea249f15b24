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
NOTE_MAX, SIGNATURES_MAX, TEXT_MAX, FORK_MAX = 128 * 1024, 32, 300, 1000
NAME = re.compile(r"[!-*,-~]{1,100}\Z")
NUMBER = re.compile(r"(0|[1-9][0-9]{0,18})\Z")
NUMBER_MAX = 2**63 - 1
LINE = re.compile("\u2014 ([^ ]+) (.+)\\Z")
VKEY = re.compile(r"([!-*,-~]{1,100})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})\Z")
TWO_NOTES = re.compile(r"(.*?\n\n.*?\n)\n(.*)\Z", re.DOTALL)
NOTES_AND_LINES = re.compile(r"(.*?\n\n.*?\n)\n(.*?\n\n.*?\n)\n(.*)\Z", re.DOTALL)
REWRITE_MAX = 4000


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
            at, last = _up(at, last)
        else:
            folded = log_node(folded, sibling)
        at, last = at // 2, last // 2
    require(last == 0, "proof", where + ".short")
    require(folded == root, "proof", where + ".root")


def _up(at: int, last: int) -> tuple:
    """A node that is alone at its level moves up as it is."""
    while at and at % 2 == 0:
        at, last = at // 2, last // 2
    return at, last


def consistent(first: int, first_root: bytes, second: int, second_root: bytes, raw: bytes,
               where: str) -> None:
    """LOG-6, LOG-7, RFC 9162 section 2.1.4.2."""
    path = _hashes(raw, where + ".form")
    require(first <= second, "proof", where + ".shrunk")
    if first in (0, second):
        require(not path, "proof", where + ".needless")
        require(first != 0 or first_root == sha(), "proof", where + ".empty_root")
        require(first != second or first_root == second_root, "proof", where + ".equal_roots")
        return
    if first & (first - 1) == 0:
        path = [first_root, *path]
    require(bool(path), "proof", where + ".short")
    old, new = _subproof_roots(first, second, path, where)
    require(old == first_root, "proof", where + ".old_root")
    require(new == second_root, "proof", where + ".new_root")


def _subproof_roots(first: int, second: int, path: list, where: str) -> tuple:
    """(root at first, root at second): where SUBPROOF(first, D[second], false) leads."""
    at, last = first - 1, second - 1
    while at > 0 and at % 2:
        at, last = at // 2, last // 2
    old = new = path[0]
    for sibling in path[1:]:
        require(last != 0, "proof", where + ".long")
        if at % 2 or at == last:
            old, new = log_node(sibling, old), log_node(sibling, new)
            at, last = _up(at, last)
        else:
            new = log_node(new, sibling)
        at, last = at // 2, last // 2
    require(last == 0, "proof", where + ".short")
    return old, new


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

    def text(self) -> str:
        """As it is written."""
        key = base64.b64encode(bytes([self.kind]) + self.raw).decode()
        return f"{self.name}+{self.id.hex()}+{key}"

    def judge(self, text: str, blob: bytes, where: str) -> int:
        """CKP-4, CKP-5: the time of a cosignature, otherwise 0."""
        time, signed = 0, text
        if self.kind == 4:
            time, blob = int.from_bytes(blob[:8], "big"), blob[8:]
            require(time <= NUMBER_MAX, "signature", where + ".time")
            signed = f"cosignature/v1\ntime {time}\n{text}"
        require(crypto.signature_is_valid("ed25519", self.raw, blob, signed.encode()),
                "signature", where)
        return time


def note_key(text: str) -> NoteKey:
    """CKP-3: a verifier key as it is written."""
    found = VKEY.match(text)
    require(found is not None, "proof_form", "notekey.form")
    raw = _plain_base64(found[3])
    require(raw is not None and len(raw) == 33, "proof_form", "notekey.base64")
    require(raw[0] in (1, 4), "proof_form", "notekey.type")
    key = NoteKey(found[1], raw[0], raw[1:])
    require(key.id.hex() == found[2], "proof_form", "notekey.id")
    require(crypto.key_is_valid("ed25519", key.raw), "key_material", "notekey.key")
    return key


def _plain_base64(text: str):
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if base64.b64encode(raw).decode() == text else None


class Note:
    """CKP-1, CKP-2."""

    def __init__(self, whole: str):
        require(len(whole.encode("utf-8", "surrogateescape")) <= NOTE_MAX, "object_too_large",
                "note.size")
        text, gap, lines = whole.rpartition("\n\n")
        good = gap != "" and lines.endswith("\n")
        require(good, "proof_form", "note.parts")
        require(lines.count("\n") <= SIGNATURES_MAX, "object_too_large", "note.signatures")
        self.text, self.signatures = text + "\n", []
        require(all(" " <= char <= "~" or char == "\n" for char in self.text), "proof_form",
                "note.text")
        for line in lines.split("\n")[:-1]:
            found = LINE.match(line)
            require(found is not None, "proof_form", "note.line")
            require(NAME.match(found[1]) is not None, "proof_form", "note.name")
            raw = _plain_base64(found[2])
            require(raw is not None, "proof_form", "note.base64")
            require(len(raw) > 4, "proof_form", "note.blob")
            self.signatures.append((found[1], raw[:4], raw[4:]))

    def by(self, key: NoteKey) -> list:
        return [blob for name, key_id, blob in self.signatures
                if (name, key_id) == (key.name, key.id)]

    def verify(self, key: NoteKey, where: str) -> int:
        """CKP-6: the latest time of a cosignature, otherwise 0."""
        blobs = self.by(key)
        require(bool(blobs), "signature", where + ".none")
        return max([key.judge(self.text, blob, where) for blob in blobs], default=0)


class Checkpoint:
    """CKP-7 and CKP-8 on the text of a note."""

    def __init__(self, text: str):
        require(len(text) <= TEXT_MAX, "object_too_large", "checkpoint.size")
        lines = text.split("\n")[:-1]
        require(len(lines) >= 3, "proof_form", "checkpoint.lines")
        self.origin, number, root = lines[:3]
        require(NAME.match(self.origin) is not None, "proof_form", "checkpoint.origin")
        good = NUMBER.match(number) is not None and int(number) <= NUMBER_MAX
        require(good, "proof_form", "checkpoint.number")
        self.size, self.root = int(number), _plain_base64(root)
        require(self.root is not None and len(self.root) == 32, "proof_form", "checkpoint.root")
        require(all(lines[3:]), "proof_form", "checkpoint.extension")

    def of(self, note: Note, log: NoteKey):
        """CKP-9: itself, of this log and signed by its key."""
        require(self.origin == log.name, "proof", "checkpoint.of_another")
        note.verify(log, "checkpoint.sig")
        return self


def open_checkpoint(whole: str, log: NoteKey, witnesses=(), quorum: int = 0) -> tuple:
    """(the checkpoint, [(witness that cosigned, time)…]), CKP-9."""
    note = Note(whole)
    said = Checkpoint(note.text).of(note, log)
    cosigned = [(witness, note.verify(witness, "checkpoint.cosig"))
                for witness in witnesses if note.by(witness)]
    keys = {witness.raw for witness, _ in cosigned}
    require(len(keys) >= quorum, "witnesses", "checkpoint.quorum")
    return said, cosigned


def fork(evidence: str, log: NoteKey) -> Checkpoint:
    """CKP-11, CKP-12: the first of the two."""
    require(len(evidence.encode("utf-8", "surrogateescape")) < FORK_MAX, "object_too_large",
            "fork.size")
    parts = TWO_NOTES.match(evidence)
    require(parts is not None, "proof_form", "fork.parts")
    notes = [Note(part) for part in parts.groups()]
    require(all(len(note.signatures) == 1 for note in notes), "proof_form", "fork.signatures")
    first, second = (Checkpoint(note.text) for note in notes)
    require(first.root <= second.root, "proof_form", "fork.order")
    for said, note in zip((first, second), notes):
        said.of(note, log)
    require(first.size == second.size, "proof", "fork.sizes")
    require(first.root != second.root, "proof", "fork.roots")
    return first


def rewrite(evidence: str, log: NoteKey) -> tuple:
    """CKP-13, CKP-14: the two checkpoints, the earlier first."""
    require(len(evidence.encode("utf-8", "surrogateescape")) < REWRITE_MAX, "object_too_large",
            "rewrite.size")
    parts = NOTES_AND_LINES.match(evidence)
    require(parts is not None, "proof_form", "rewrite.parts")
    notes = [Note(part) for part in parts.groups()[:2]]
    require(all(len(note.signatures) == 1 for note in notes), "proof_form", "rewrite.signatures")
    *lines, rest = parts[3].split("\n")
    require(rest == "", "proof_form", "rewrite.last_line")
    require(bool(lines), "proof_form", "rewrite.no_line")
    hashes = [_plain_base64(one) for one in lines]
    require(all(one is not None and len(one) == 32 for one in hashes), "proof_form",
            "rewrite.hashes")
    first, second = (Checkpoint(note.text) for note in notes)
    for said, note in zip((first, second), notes):
        said.of(note, log)
    require(1 <= first.size < second.size, "proof", "rewrite.sizes")
    old, new = _subproof_roots(first.size, second.size, hashes, "rewrite")
    require(new == second.root, "proof", "rewrite.second")
    require(old != first.root, "proof", "rewrite.nothing")
    return first, second


def make_fork(one: str, other: str, log: NoteKey) -> str:
    """CKP-11 of two notes that contradict each other."""
    faces = []
    for whole in (one, other):
        note = Note(whole)
        said = Checkpoint(note.text).of(note, log)
        faces.append((said.root, f"{note.text}\n{line(log, note.by(log)[0])}", said.size))
    require(faces[0][2] == faces[1][2], "proof", "fork.sizes")
    require(faces[0][0] != faces[1][0], "proof", "fork.roots")
    return "\n".join(text for _, text, _ in sorted(faces))


def line(key: NoteKey, blob: bytes) -> str:
    """A signature's line in a note, CKP-1."""
    return f"\u2014 {key.name} {base64.b64encode(key.id + blob).decode()}\n"
