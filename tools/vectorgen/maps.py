"""The map (spec MAP): roots, digests of ranges, proofs made and judged."""
from ams_py import proofs
from ams_py.encoding import b64
from ams_py.seal import Draws
from ams_py.trees import map_proof, map_root

from .book import File

ZERO = bytes(32)


def kid(text: str) -> bytes:
    """From hexadecimal digits, filled with zeros."""
    return bytes.fromhex(text.ljust(32, "0"))


def flip(raw: bytes, at: int) -> bytes:
    """With bit `at` turned, the first the most significant."""
    changed = bytearray(raw)
    changed[at // 8] ^= 0x80 >> at % 8
    return bytes(changed)


def leaves(label: str, *kids: bytes) -> list:
    draws = Draws("map values " + label)
    return [(one, draws.take(32)) for one in kids]


def drawn(count: int) -> list:
    draws = Draws(f"map of {count}")
    return [(draws.take(16), draws.take(32)) for _ in range(count)]


BASE = Draws("map base").take(16)
SETS = {  # comment: (leaves, flag)
    "no leaf": ([], "map_shape"),
    "one leaf": (leaves("one", BASE), "map_shape"),
    "one leaf of zeros": ([(bytes(16), ZERO)], "map_shape"),
    "one leaf of ones": ([(b"\xff" * 16, b"\xff" * 32)], "map_shape"),
    "two leaves that part at the first bit": (leaves("two", kid("00"), kid("80")), "map_shape"),
    "two leaves that part at bit 7": (leaves("7", kid("fe"), kid("ff")), "map_shape"),
    "two leaves that part at bit 8": (leaves("8", kid("0080"), kid("0000")), "map_shape"),
    "two leaves that part at the last bit": (leaves("127", BASE, flip(BASE, 127)), "map_deep"),
    "three leaves, two of them alike in 127 bits":
        (leaves("three", BASE, flip(BASE, 127), flip(BASE, 0)), "map_deep"),
    "four leaves of one value": ([(kid(name), b"v" * 32) for name in ("00", "40", "80", "c0")],
                                 "map_shape"),
    "a stair: each leaf parts one bit later":
        (leaves("stair", *(kid(name) for name in ("80", "40", "20", "10", "08", "04", "02", "01"))),
         "map_deep"),
    "alike in the first 64 bits":
        (leaves("64", *(BASE[:8] + bytes([n]) * 8 for n in range(9))), "map_deep"),
    "two clusters at depth 120":
        (leaves("cluster", *(BASE[:15] + bytes([n]) for n in range(8)),
                *(flip(BASE, 3)[:15] + bytes([n]) for n in range(8))), "map_deep"),
    "a branch at every depth":
        (leaves("all", BASE, *(flip(BASE, at) for at in range(128))), "map_deep"),
    **{f"{count} leaves": (drawn(count), "map_shape") for count in (2, 3, 5, 8, 16, 17, 33, 100)},
}


def _leaves(these: list) -> dict:
    return {"leaves_b64": [b64(label + value) for label, value in these]}


def _roots() -> File:
    file = File("verifiable/map_roots.json", "map.root", "mrt")
    good = file.group("sets")
    for comment, (these, flag) in SETS.items():
        good.valid(comment, _leaves(these), [flag])
    orders = file.group("orders")
    for comment in ("8 leaves", "a stair: each leaf parts one bit later",
                    "two clusters at depth 120"):
        these, flag = SETS[comment]
        for order, turned in (("backwards", these[::-1]), ("sorted", sorted(these)),
                              ("sorted backwards", sorted(these)[::-1])):
            orders.valid(f"{comment}, {order}", _leaves(turned), [flag])
    return file


def _digests() -> File:
    file = File("verifiable/map_digests.json", "map.digest", "mdg")
    good = file.group("ranges")

    def digest(comment, these, prefix, bits, flag="map_range"):
        good.valid(comment, {**_leaves(these), "prefix_b64": b64(prefix), "bits": bits}, [flag])
    these = drawn(33)
    first = these[0][0]
    for bits in (0, 1, 2, 3, 4, 5, 8, 64, 127, 128):
        digest(f"the range of a leaf's first {bits} bits", these, first, bits)
    for bits in (1, 4, 8, 127, 128):
        digest(f"{bits} bits, the last turned", these, flip(first, bits - 1), bits)
    digest("bits beyond the range do not count", these, first[:1] + b"\xff" * 15, 4)
    cluster = SETS["two clusters at depth 120"][0]
    for bits in (0, 3, 4, 60, 119, 120, 125, 126, 128):
        digest(f"a cluster, {bits} bits", cluster, BASE, bits, "map_deep")
    digest("beside a cluster, inside its common prefix", cluster, flip(BASE, 60), 61)
    digest("beside a cluster, the whole prefix but its last bit", cluster, flip(BASE, 119), 120)
    digest("an empty map", [], BASE, 0)
    digest("an empty map, a deep range", [], BASE, 128)
    one = SETS["one leaf"][0]
    digest("one leaf in the range", one, BASE, 128)
    digest("one leaf, the last bit of the range another", one, flip(BASE, 127), 128)
    return file


PROVEN = ("one leaf", "two leaves that part at the first bit", "two leaves that part at bit 7",
          "two leaves that part at the last bit", "three leaves, two of them alike in 127 bits",
          "a stair: each leaf parts one bit later", "8 leaves", "33 leaves",
          "two clusters at depth 120", "a branch at every depth")


def _absent_kids(these: list) -> list:
    held = {label for label, _ in these}
    last = these[-1][0]
    kids = [flip(last, at) for at in (0, 9, 64, 120, 126, 127)] + [bytes(16), b"\xff" * 16]
    return [one for one in kids if one not in held][:4]


def _made() -> File:
    file = File("verifiable/map_proofs_made.json", "map.prove", "mpv")
    good = file.group("present")
    for comment in PROVEN:
        these, flag = SETS[comment]
        for label in (these[0][0], these[-1][0]):
            good.valid(f"present, {comment}", {**_leaves(these), "kid_b64": b64(label)},
                       [flag], ["MAP-4", "MAP-5"])
    good = file.group("absent")
    good.valid("absent, no leaf", {**_leaves([]), "kid_b64": b64(BASE)}, ["map_shape"],
               ["MAP-4", "MAP-5"])
    for comment in PROVEN:
        these, flag = SETS[comment]
        for label in _absent_kids(these)[:2]:
            good.valid(f"absent, {comment}", {**_leaves(these), "kid_b64": b64(label)}, [flag],
                       ["MAP-4", "MAP-5"])
    return file


def _parts(proof: bytes) -> tuple:
    """(depths, siblings, tail) of an honest proof."""
    read = proofs.MapProof(proof)
    return read.depths, read.siblings, read.other


def encode(kind: int, depths: list, siblings: list, tail: bytes = b"") -> bytes:
    mask = bytearray(16)
    for depth in depths:
        mask[depth // 8] |= 0x80 >> depth % 8
    shown = bytes(mask).rstrip(b"\0")
    return bytes([kind, len(shown)]) + shown + b"".join(siblings) + tail


def _forms(group, args, proof: bytes, twin: str) -> None:
    """What is no proof, whatever it is shown for."""
    def refuse(comment, changed, flag="map_form"):
        group.invalid(comment, args(proof=changed), "proof_form", twin, [flag])
    mask_size, body = proof[1], proof[2:]
    for kind in (3, 4, 128, 255):
        refuse(f"kind {kind}", bytes([kind]) + proof[1:])
    refuse("nothing", b"", "map_length")
    refuse("its kind alone", proof[:1], "map_length")
    refuse("its kind and a number of depths' bytes that are not there", proof[:2], "map_length")
    refuse("17 bytes of depths", proof[:1] + b"\x11" + body[:mask_size].ljust(16, b"\0") + b"\1" +
           body[mask_size:] + bytes(32))
    refuse("255 bytes of depths", proof[:1] + b"\xff" + b"\1" * 255 + bytes(32 * 255))
    refuse("depths' bytes that end in zero",
           bytes([proof[0], mask_size + 1]) + body[:mask_size] + b"\0" + body[mask_size:])
    refuse("16 bytes of depths of which the last are zeros",
           bytes([proof[0], 16]) + body[:mask_size].ljust(16, b"\0") + body[mask_size:])
    refuse("no depths, in a byte of zeros", proof[:1] + b"\1\0")
    for cut in (1, 31, 32, 33):
        refuse(f"cut by {cut} bytes", proof[:-cut], "map_length")
    for more in (1, 32, 48):
        refuse(f"{more} bytes more", proof + bytes(more), "map_length")
    depths, siblings, tail = _parts(proof)
    refuse("a depth more, without a sibling", encode(proof[0], [*depths, 127], siblings, tail),
           "map_length")
    refuse("a depth fewer, with its sibling", encode(proof[0], depths[:-1], siblings, tail),
           "map_length")
    refuse("an empty map's kind with depths", encode(2, depths, siblings))
    refuse("an empty map's kind with a tail", encode(2, [], [], tail or bytes(48)), "map_length")


def _folds(group, args, proof: bytes, twin: str) -> None:
    """Proofs in their form that lead elsewhere."""
    def refuse(comment, flag, **changed):
        group.invalid(comment, args(**changed), "proof", twin, [flag], importance="critical")
    depths, siblings, tail = _parts(proof)
    kind = proof[0]
    for at, sibling in enumerate(siblings):
        turned = siblings[:at] + [flip(sibling, 255)] + siblings[at + 1:]
        refuse(f"a bit of sibling {at} turned", "map_fold", proof=encode(kind, depths, turned,
                                                                         tail))
    refuse("the siblings backwards", "map_fold", proof=encode(kind, depths, siblings[::-1], tail))
    refuse("without the first branch", "map_fold",
           proof=encode(kind, depths[1:], siblings[1:], tail))
    refuse("without the last branch", "map_fold",
           proof=encode(kind, depths[:-1], siblings[:-1], tail))
    refuse("a branch more at the top", "map_fold",
           proof=encode(kind, [depths[0], depths[-1] + 1, *depths[1:]], [ZERO, *siblings], tail))
    for at, depth in enumerate(depths):
        if depth + 1 not in depths:
            moved = sorted([*depths[:at], depth + 1, *depths[at + 1:]])
            refuse(f"branch {at} one bit deeper", "map_side",
                   proof=encode(kind, moved, siblings, tail))
    refuse("a bit of the root turned", "map_fold", root=flip(args.root, 0))
    refuse("the root of an empty map", "map_fold", root=ZERO)


class Shown:
    """Args of map.present, or without a value of map.absent; called with what is changed."""

    def __init__(self, root: bytes, label: bytes, value: bytes, proof: bytes):
        self.root = root
        self.said = {"root": root, "kid": label, "value": value, "proof": proof}

    def __call__(self, **changed) -> dict:
        return {f"{name}_b64": b64(raw) for name, raw in {**self.said, **changed}.items()
                if raw is not None}


def _present() -> File:
    file = File("verifiable/map_present.json", "map.present", "mpr")
    good, twins = file.group("valid"), {}
    for comment in PROVEN:
        these, flag = SETS[comment]
        for label, value in (these[0], these[-1]):
            args = Shown(map_root(these), label, value, map_proof(these, label))
            twins[comment] = good.valid(comment, args(), [flag], ["MAP-5", "MAP-6"])
    these = SETS["8 leaves"][0]
    label, value = these[0]
    args = Shown(map_root(these), label, value, map_proof(these, label))
    twin = good.valid("8 leaves", args(), ["map_shape"], ["MAP-5", "MAP-6"]) 
    _forms(file.group("form"), args, map_proof(these, label), twin)
    _folds(file.group("folds"), args, map_proof(these, label), twin)
    bad = file.group("other")

    def refuse(comment, flag, **changed):
        bad.invalid(comment, args(**changed), "proof", twin, [flag], importance="critical")
    depths, siblings, _ = _parts(map_proof(these, label))
    other, other_value = these[1]
    refuse("another value", "map_fold", value=flip(value, 0))
    refuse("another leaf's value", "map_fold", value=other_value)
    refuse("another leaf's kid", "map_side", kid=other)
    refuse("another leaf's kid and value", "map_side", kid=other, value=other_value)
    refuse("another leaf's proof", "map_fold", proof=map_proof(these, other))
    for at in (0, depths[-1], 127):
        refuse(f"bit {at} of the kid turned", "map_side", kid=flip(label, at))
    refuse("a proof of absence that ends at the very leaf", "map_kind",
           proof=encode(1, depths, siblings, label + value))
    gone = next(one for one in _absent_kids(these))
    refuse("an absent kid with the proof of its absence", "map_kind", kid=gone,
           proof=map_proof(these, gone))
    nearby = proofs.MapProof(map_proof(these, gone))
    refuse("an absent kid with the path of the leaf at its place", "map_fold", kid=gone,
           value=nearby.other[16:], proof=encode(0, nearby.depths, nearby.siblings))
    one, its = SETS["one leaf"][0][0]
    bad.invalid("the proof of an empty map, for its only leaf", Shown(
        proofs.map_leaf(one, its), one, its, b"\2\0")(proof=b"\2\0"), "proof", twins["one leaf"],
        ["map_kind"], importance="critical")
    bad.invalid("an empty map", Shown(ZERO, one, its, b"\0\0")(proof=b"\0\0"), "proof",
                twins["one leaf"], ["map_fold"], importance="critical")
    bad.invalid("an empty map, of its own kind", Shown(ZERO, one, its, b"\2\0")(proof=b"\2\0"),
                "proof", twins["one leaf"], ["map_kind"], importance="critical")
    every = SETS["a branch at every depth"][0]
    long = map_proof(every, every[0][0])
    whole = Shown(map_root(every), *every[0], long)
    for at in (2 + 16, len(long) - 1):
        bad.invalid(f"128 branches, byte {at} changed", whole(proof=flip(long, 8 * at)), "proof",
                    twins["a branch at every depth"], ["map_fold"], importance="critical")
    _leaf_as_branch(bad, twins)
    return file


def _leaf_as_branch(bad, twins) -> None:
    """A branch's two hashes have the length of a kid and a value and more: the tags tell them
    apart, and the depth is hashed."""
    these = SETS["two leaves that part at the first bit"][0]
    left, right = (proofs.map_leaf(*one) for one in these)
    label, value = these[0]
    twin = twins["two leaves that part at the first bit"]
    for depth in (1, 8, 127):
        bad.invalid(f"a root that says depth {depth}, shown at depth 0", Shown(
            proofs.map_branch(depth, left, right), label, value, b"")(
                proof=encode(0, [0], [right])), "proof", twin, ["map_side"], importance="critical")
    for what, root in (("of a log", proofs.log_node(left, right)),
                       ("without its depth", proofs.sha(b"\3", left, right)),
                       ("without a tag", proofs.sha(left, right)),
                       ("with the sides exchanged", proofs.map_branch(0, right, left))):
        bad.invalid(f"a branch hashed {what}", Shown(root, label, value, b"")(
            proof=encode(0, [0], [right])), "proof", twin, ["map_fold"], importance="critical")
    one, its = SETS["one leaf"][0][0]
    for what, root in (("without a tag", proofs.sha(one, its)), ("of a log",
                                                                 proofs.log_leaf(one + its)),
                       ("with value and kid exchanged", proofs.sha(b"\2", its, one)),
                       ("of the value alone", proofs.sha(b"\2", its))):
        bad.invalid(f"a leaf hashed {what}", Shown(root, one, its, b"")(proof=b"\0\0"), "proof",
                    twins["one leaf"], ["map_fold"], importance="critical")


def _absent() -> File:
    file = File("verifiable/map_absent.json", "map.absent", "mab")
    good, twins = file.group("valid"), {}
    twins["empty"] = good.valid("an empty map", Shown(ZERO, BASE, None, b"\2\0")(),
                                ["map_shape"], ["MAP-5", "MAP-7"])
    for comment in PROVEN:
        these, flag = SETS[comment]
        for label in _absent_kids(these)[:2]:
            args = Shown(map_root(these), label, None, map_proof(these, label))
            twins[comment] = good.valid(comment, args(), [flag], ["MAP-5", "MAP-7"])
    these = SETS["8 leaves"][0]
    label = _absent_kids(these)[0]
    proof = map_proof(these, label)
    args = Shown(map_root(these), label, None, proof)
    twin = twins["8 leaves"] = good.valid("8 leaves", args(), ["map_shape"],
                                          ["MAP-5", "MAP-7"])
    _forms(file.group("form"), args, proof, twin)
    _folds(file.group("folds"), args, proof, twin)
    bad = file.group("other")

    def refuse(comment, flag, valid=twin, **changed):
        bad.invalid(comment, args(**changed), "proof", valid, [flag], importance="critical")
    depths, siblings, tail = _parts(proof)
    refuse("another value in the leaf at its place", "map_fold",
           proof=encode(1, depths, siblings, flip(tail, 383)))
    refuse("another kid in the leaf at its place", "map_fold",
           proof=encode(1, depths, siblings, flip(tail, 127)))
    refuse("the kid itself in the leaf at its place", "map_own_leaf",
           proof=encode(1, depths, siblings, label + tail[16:]))
    present, value = these[1]
    its_depths, its_siblings, _ = _parts(map_proof(these, present))
    refuse("a kid that is there, by its own leaf", "map_own_leaf", kid=present,
           proof=encode(1, its_depths, its_siblings, present + value))
    refuse("a kid that is there, by the proof of its presence", "map_kind", kid=present,
           proof=map_proof(these, present))
    refuse("a kid that is there, by another leaf's place", "map_misplaced", kid=present)
    refuse("a kid that is there, as if the map was empty", "map_fold", kid=present, proof=b"\2\0")
    refuse("as if the map was empty", "map_fold", proof=b"\2\0")
    refuse("the path of the leaf at its place, of kind 0", "map_kind",
           proof=encode(0, depths, siblings))
    _misplaced(bad, twins)
    one, its = SETS["one leaf"][0][0]
    root = proofs.map_leaf(one, its)
    for what, kind in (("by its own leaf", encode(1, [], [], one + its)),):
        bad.invalid(f"the only leaf, {what}", Shown(root, one, None, b"")(proof=kind), "proof",
                    twins["one leaf"], ["map_own_leaf"], importance="critical")
    bad.invalid("the only leaf, as if the map was empty", Shown(root, one, None, b"")(
        proof=b"\2\0"), "proof", twins["one leaf"], ["map_fold"], importance="critical")
    bad.invalid("a leaf in an empty map", Shown(ZERO, flip(one, 5), None, b"")(
        proof=encode(1, [], [], one + its)), "proof", twins["empty"], ["map_fold"],
        importance="critical")
    every = SETS["a branch at every depth"][0]
    far = flip(flip(BASE, 3), 90)
    long = map_proof(every, far)
    whole = Shown(map_root(every), far, None, long)
    deep = good.valid("a branch at every depth, a kid beside it", whole(), ["map_deep"],
                      ["MAP-7"])
    bad.invalid("a branch at every depth, the leaf's value changed", whole(
        proof=flip(long, 8 * len(long) - 1)), "proof", deep, ["map_fold"], importance="critical")
    return file


def _misplaced(bad, twins) -> None:
    """Trees in which a leaf does not stand where its bits lead. Each denies a kid that stands
    elsewhere under the same root."""
    hidden, value = kid("40"), b"h" * 32
    strange, its = kid("80"), b"s" * 32
    rest = proofs.map_leaf(hidden, value)
    root = proofs.map_branch(0, proofs.map_leaf(strange, its), rest)
    twin = twins["two leaves that part at the first bit"]
    bad.invalid("a leaf of the right stands at the left", Shown(root, hidden, None, b"")(
        proof=encode(1, [0], [rest], strange + its)), "proof", twin, ["map_misplaced"],
        importance="critical")
    inner = proofs.map_branch(1, rest, proofs.map_leaf(strange, its))
    root = proofs.map_branch(0, inner, proofs.map_leaf(kid("c0"), its))
    bad.invalid("a leaf stands right at depth 1, and wrong at depth 0", Shown(root, kid("60"), None,
                                                                              b"")(
        proof=encode(1, [0, 1], [proofs.map_leaf(kid("c0"), its), rest], strange + its)), "proof",
        twin, ["map_misplaced"], importance="critical")
    deep = flip(BASE, 127)
    away = flip(flip(BASE, 127), 126)
    side = proofs.map_leaf(BASE, value)
    pair = (proofs.map_leaf(away, its), side)
    if proofs.bit(deep, 126):
        pair = pair[::-1]
    root = proofs.map_branch(126, *pair)
    bad.invalid("a leaf that is wrong in bit 126 alone", Shown(root, deep, None, b"")(
        proof=encode(1, [126], [side], away + its)), "proof",
        twins["two leaves that part at the last bit"], ["map_misplaced"], importance="critical")


def files() -> list:
    return [_roots(), _digests(), _made(), _present(), _absent()]
