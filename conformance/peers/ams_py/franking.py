"""Opening one leaf of a letter's commitment (spec MSG-33, MSG-34)."""
from . import crypto, message, schema
from .encoding import b64, unb64
from .errors import fail, require

OPENING = schema.members(None, [
    ("i", schema.integer(0, message.LEAVES_MAX - 1)), ("key", schema.binary(32)),
    ("leaf", schema.binary(1, 1 << 27)), ("path", schema.array(message.HASH, 0, 11))])


def audit_path(data: list, index: int) -> list:
    """RFC 9162 section 2.1.3.1."""
    if len(data) == 1:
        return []
    split = 1 << ((len(data) - 1).bit_length() - 1)
    if index < split:
        return audit_path(data[:split], index) + [crypto.merkle_root(data[split:])]
    return audit_path(data[split:], index - split) + [crypto.merkle_root(data[:split])]


def root_of(node: bytes, index: int, leaves: int, path: list):
    """The root that a leaf's hash and its path give (RFC 9162 section 2.1.3.2); None when the
    path is not as long as the leaf's place demands."""
    last = leaves - 1
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = crypto.sha256(b"\1" + sibling + node)
            while index & 1 == 0 and index != 0:
                index, last = index >> 1, last >> 1
        else:
            node = crypto.sha256(b"\1" + node + sibling)
        index, last = index >> 1, last >> 1
    return node if last == 0 else None


def make(letter: dict, index: int) -> dict:
    """MSG-33. letter: a letter's value."""
    leaves, fk = message.leaves_of(letter), unb64(letter["fk"])
    data = message.leaf_data(leaves, fk)
    return {"i": index, "key": b64(message.leaf_key(fk, index)), "leaf": b64(leaves[index]),
            "path": [b64(node) for node in audit_path(data, index)]}


def verify(value, leaves: int, fc: bytes) -> dict:
    """MSG-34. leaves and fc: of a header whose asig was verified."""
    fields = OPENING(value, "opening")
    require(fields["i"] < leaves, "leaf_count", "opening.i")
    data = message.committed(fields["key"], fields["i"], fields["leaf"])
    root = root_of(crypto.sha256(b"\0" + data), fields["i"], leaves, fields["path"])
    if root is None:
        fail("franking", "opening.path")
    require(root is None or root == fc, "franking", "opening.root")
    return fields
