"""One leaf opened (spec MSG-33, MSG-34): franking.make and franking.open."""
from ams_py import crypto, franking, message
from ams_py.encoding import b64, encode, unb64
from ams_py.seal import Draws

from .book import File
from .letters import attachment, drop, flip, letter
from .world import ALICE

COUNTS = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17)  # leaves: around the powers of two, where paths change


def letter_of(leaves: int, files: int = 0) -> dict:
    """A letter of so many leaves, the last ones attachments."""
    parts = [{"type": "text/plain", "text": f"part {i}"} for i in range(leaves - 1 - files)]
    return letter(parts=parts, att=[attachment(i) for i in range(files)])


def commitment(value: dict) -> bytes:
    return message.franking(message.leaves_of(value), unb64(value["fk"]))


def args(opening, leaves: int, fc: bytes) -> dict:
    return {"raw_b64": b64(encode(opening)), "leaves": leaves, "fc_b64": b64(fc)}


def _made(file: File):
    good = file.group("valid")
    for count in COUNTS:
        value = letter_of(count)
        for index in sorted({0, 1, 2, count // 2, count - 2, count - 1} & {*range(count)}):
            good.valid(f"leaf {index} of {count}",
                       {"letter_b64": b64(encode(value)), "index": index}, clauses=["MSG-33"])
    for index in range(4):
        good.valid(f"leaf {index} of a letter with two attachments",
                   {"letter_b64": b64(encode(letter_of(4, 2))), "index": index},
                   clauses=["MSG-24", "MSG-33"])


def _faults(group, twin: str, count: int, index: int, value: dict):
    fc, opening = commitment(value), franking.make(value, index)
    leaves, fk = message.leaves_of(value), unb64(value["fk"])
    place, path = f"leaf {index} of {count}", opening["path"]

    def refuse(comment, changed, flag, code="franking", number=count, root=fc):
        group.invalid(f"{place}: {comment}", args({**opening, **changed}, number, root), code,
                      twin, [flag], importance="critical")
    leaf = leaves[index]
    for what, other in (("its first bit changed", flip(leaf, 0)),
                        ("its last bit changed", flip(leaf, len(leaf) - 1)),
                        ("cut by a byte", leaf[:-1]), ("a zero more", leaf + b"\0"),
                        ("one byte of it", leaf[:1])):
        refuse(f"the leaf, {what}", {"leaf": b64(other)}, "leaf_forged")
    refuse("its key's first bit changed", {"key": b64(flip(unb64(opening["key"]), 0))},
           "leaf_forged")
    refuse("fk for its key", {"key": b64(fk)}, "leaf_key")
    refuse("the key of the next leaf", {"key": b64(message.leaf_key(fk, index + 1))}, "leaf_key")
    refuse("a key of zeros", {"key": b64(bytes(32))}, "leaf_key")
    for at in sorted({0, len(path) // 2, len(path) - 1} & {*range(len(path))}):
        changed = list(path)
        changed[at] = b64(flip(unb64(path[at]), 31))
        refuse(f"a bit of the path's hash {at} changed", {"path": changed}, "leaf_path")
    if path:
        refuse("the path without its last hash", {"path": path[:-1]}, "leaf_path")
        refuse("no path", {"path": []}, "leaf_path")
    if len(path) > 1:
        refuse("the path backwards", {"path": path[::-1]}, "leaf_path")
    refuse("a hash more in the path", {"path": path + [b64(bytes(32))]}, "leaf_path")
    refuse("the commitment at the path's end", {"path": path + [b64(fc)]}, "leaf_path")
    refuse("another commitment", {}, "leaf_forged", root=flip(fc, 0))
    refuse("the header of a letter with the same parts and another fk", {}, "leaf_forged",
           root=commitment({**value, "fk": b64(Draws("other fk").take(32))}))
    if index + 1 < count:
        refuse("said to be the next leaf", {"i": index + 1}, "leaf_index")
    if index:
        refuse("said to be leaf 0", {"i": 0}, "leaf_index")
        refuse("its index is the number of leaves", {}, "leaf_index", "leaf_count", index)
        refuse("no leaves but one", {}, "leaf_index", "leaf_count", 1)
    refuse("its index is just above the tree", {"i": count}, "leaf_index", "leaf_count")
    if count > 1:
        refuse("another leaf's bytes", {"leaf": b64(leaves[index - 1])}, "leaf_forged")
        other = franking.make(value, (index + 1) % count)
        refuse("another leaf with its own key and path", {**other, "i": index}, "leaf_index")
        bare = crypto.merkle_root([crypto.mac(unb64(opening["key"]), leaf)])
        refuse("a commitment to this leaf alone", {}, "leaf_forged", root=bare)


def _form(group, twin: str):
    value = letter_of(5)
    fc, opening = commitment(value), franking.make(value, 2)

    def refuse(comment, changed, code, flag):
        group.invalid(comment, args(changed, 5, fc), code, twin, [flag])
    for name in opening:
        refuse(f"no {name}", drop(name)(opening), "schema", "missing_member")
        for other in (True, {}) if name != "path" else (True, {}, "x"):
            refuse(f"{name} is {other}", {**opening, name: other}, "schema", "wrong_type")
    for number in (-1, 1025, 2**53 - 1):
        refuse(f"i is {number}", {**opening, "i": number}, "schema", "out_of_range")
    for name, lengths in (("key", (0, 31, 33)), ("leaf", (0,))):
        for length in lengths:
            refuse(f"{name} of {length} bytes", {**opening, name: b64(bytes(length))},
                   "base64url", "base64url")
    for name in ("key", "leaf"):
        refuse(f"{name} is padded", {**opening, name: opening[name] + "="}, "base64url",
               "base64url")
    refuse("a hash of 31 bytes in the path", {**opening, "path": [b64(bytes(31))]}, "base64url",
           "base64url")
    refuse("a number in the path", {**opening, "path": [1]}, "schema", "wrong_type")
    refuse("12 hashes", {**opening, "path": [b64(bytes(32))] * 12}, "object_too_large",
           "object_too_large")
    refuse("fk beside it", {**opening, "fk": value["fk"]}, "unknown_member", "unknown_member")
    refuse("a tag", {**opening, "ams": "leaf/1"}, "unknown_member", "unknown_member")
    refuse("two openings in an array", [opening, opening], "schema", "wrong_type")


def _opened(file: File):
    good, bad = file.group("valid"), file.group("leaf")
    twin = None
    for count in COUNTS:
        value = letter_of(count)
        for index in sorted({0, 1, count // 2, count - 2, count - 1} & {*range(count)}):
            opening = franking.make(value, index)
            twin = good.valid(f"leaf {index} of {count}", args(opening, count, commitment(value)),
                              clauses=["MSG-33", "MSG-34"])
            if index in (0, count // 2, count - 1) and count in (1, 2, 3, 5, 8, 17):
                _faults(bad, twin, count, index, value)
    many = letter_of(513, 0)
    for index in (0, 256, 512):
        good.valid(f"leaf {index} of 513", args(franking.make(many, index), 513, commitment(many)),
                   clauses=["MSG-33", "MSG-34"])
    good.valid("Alice's letter to Bob, its head alone",
               args(franking.make(letter(ALICE), 0), 2, commitment(letter(ALICE))),
               clauses=["MSG-34"])
    _form(file.group("members"), twin)


def files() -> list:
    made = File("franking/openings_made.json", "franking.make", "fkm")
    opened = File("franking/openings.json", "franking.open", "fko")
    _made(made)
    _opened(opened)
    return [made, opened]
