"""Roots and proofs as the keepers of a map and of a log make them (spec MAP, LOG)."""
from . import proofs
from .errors import require

MAP_DEPTHS = 128


# --- map: leaves are (kid, value) ---

def _split(depth: int, leaves: list):
    return ([one for one in leaves if not proofs.bit(one[0], depth)],
            [one for one in leaves if proofs.bit(one[0], depth)])


def _depth(leaves: list) -> int:
    first, last = (int.from_bytes(one[0], "big") for one in (min(leaves), max(leaves)))
    return MAP_DEPTHS - (first ^ last).bit_length()


def map_root(leaves: list) -> bytes:
    """MAP-3."""
    if not leaves:
        return bytes(32)
    if len(leaves) == 1:
        return proofs.map_leaf(*leaves[0])
    depth = _depth(leaves)
    left, right = _split(depth, leaves)
    return proofs.map_branch(depth, map_root(left), map_root(right))


def map_proof(leaves: list, kid: bytes) -> bytes:
    """MAP-5, along the way of MAP-4."""
    if not leaves:
        return b"\2\0"
    mask, siblings = bytearray(16), []
    while len(leaves) > 1:
        depth = _depth(leaves)
        left, right = _split(depth, leaves)
        leaves, other = (right, left) if proofs.bit(kid, depth) else (left, right)
        mask[depth // 8] |= 0x80 >> depth % 8
        siblings.append(map_root(other))
    depths = bytes(mask).rstrip(b"\0")
    kind, tail = (0, b"") if leaves[0][0] == kid else (1, leaves[0][0] + leaves[0][1])
    return bytes([kind, len(depths)]) + depths + b"".join(siblings) + tail


def map_digest(leaves: list, prefix: bytes, bits: int) -> bytes:
    """MAP-8."""
    def begins(kid: bytes) -> bool:
        return all(proofs.bit(kid, at) == proofs.bit(prefix, at) for at in range(bits))
    return map_root([one for one in leaves if begins(one[0])])


# --- log: of leaf hashes ---

def _half(count: int) -> int:
    """RFC 9162: the largest power of two below count."""
    return 1 << (count - 1).bit_length() - 1


def log_root(hashes: list) -> bytes:
    """LOG-1."""
    if len(hashes) < 2:
        return hashes[0] if hashes else proofs.sha()
    half = _half(len(hashes))
    return proofs.log_node(log_root(hashes[:half]), log_root(hashes[half:]))


def log_inclusion(hashes: list, index: int) -> bytes:
    """LOG-3, RFC 9162 section 2.1.3.1."""
    if len(hashes) == 1:
        return b""
    half = _half(len(hashes))
    if index < half:
        return log_inclusion(hashes[:half], index) + log_root(hashes[half:])
    return log_inclusion(hashes[half:], index - half) + log_root(hashes[:half])


def log_consistency(hashes: list, first: int, known: bool = True) -> bytes:
    """LOG-3, RFC 9162 section 2.1.4.1."""
    if first in (0, len(hashes)):
        return b"" if known else log_root(hashes)
    half = _half(len(hashes))
    if first <= half:
        return log_consistency(hashes[:half], first, known) + log_root(hashes[half:])
    return log_consistency(hashes[half:], first - half, False) + log_root(hashes[:half])


class Writer:
    """LOG-4: what a log's writer keeps."""

    def __init__(self, state: bytes = bytes(8)):
        require(len(state) >= 8, "proof_form", "state.size")
        self.size, rest = int.from_bytes(state[:8], "big"), state[8:]
        require(len(rest) == 32 * bin(self.size).count("1"), "proof_form", "state.hashes")
        self.hashes = [rest[at:at + 32] for at in range(0, len(rest), 32)]

    def append(self, leaf: bytes) -> None:
        # What is complete at both sides of the new leaf's place joins, as a carry does.
        place = self.size
        while place % 2:
            leaf = proofs.log_node(self.hashes.pop(), leaf)
            place //= 2
        self.hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.hashes:
            return proofs.sha()
        *wider, folded = self.hashes
        for one in reversed(wider):
            folded = proofs.log_node(one, folded)
        return folded

    def state(self) -> bytes:
        return self.size.to_bytes(8, "big") + b"".join(self.hashes)
