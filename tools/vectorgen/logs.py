"""The log (spec LOG): roots, writers' states, epochs, inclusion, consistency."""
from ams_py import proofs
from ams_py.encoding import b64
from ams_py.seal import Draws
from ams_py.trees import Writer, log_consistency, log_inclusion, log_root

from .book import NOW_MS, File
from .maps import flip

RFC_6962 = [bytes.fromhex(text) for text in (  # the entries of certificate-transparency's tests
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f")]
ENTRIES = [*RFC_6962, *(bytes([number]) for number in range(8, 70))]
HASHES = [proofs.log_leaf(entry) for entry in ENTRIES]
EMPTY = proofs.sha()
WIDE_MAX = 2**53 - 1  # the largest integer of a request's args


def root(size: int) -> bytes:
    return log_root(HASHES[:size])


def _entries(*entries: bytes) -> dict:
    return {"entries_b64": [b64(entry) for entry in entries]}


# --- roots and states ---

def _roots() -> File:
    file = File("verifiable/log_roots.json", "log.root", "lrt")
    good = file.group("sizes")
    for size in [*range(35), 48, 63, 64, 65, 70]:
        good.valid(f"{size} entries", _entries(*ENTRIES[:size]), ["log_shape"], ["LOG-1", "LOG-4"])
    shaped = file.group("entries")
    shaped.valid("an entry that is two hashes, as an inner node is",
                 _entries(HASHES[0] + HASHES[1]),
                 ["log_shape"], ["LOG-1"])
    shaped.valid("an entry of a thousand bytes", _entries(bytes(1000)), ["log_shape"], ["LOG-1"])
    shaped.valid("one entry three times", _entries(b"x", b"x", b"x"), ["log_shape"], ["LOG-1"])
    shaped.valid("three empty entries", _entries(b"", b"", b""), ["log_shape"], ["LOG-1"])
    return file


def _writer(size: int) -> Writer:
    writer = Writer()
    for leaf in HASHES[:size]:
        writer.append(leaf)
    return writer


def _states() -> File:
    file = File("verifiable/log_states.json", "log.resume", "lst")
    good, twins = file.group("valid"), {}

    def args(state: bytes, *entries: bytes) -> dict:
        return {"state_b64": b64(state), **_entries(*entries)}
    for size, more in ((0, 0), (0, 1), (0, 5), (1, 0), (1, 1), (2, 1), (3, 0), (3, 1), (3, 5), (4,
                                                                                                4),
                       (7, 1), (7, 2), (8, 0), (15, 1), (16, 17), (31, 1), (63, 7)):
        twins[size] = good.valid(f"a log of {size} goes on with {more}", args(
            _writer(size).state(), *ENTRIES[size:size + more]), ["log_shape"], ["LOG-4"])
    draws = Draws("log state")
    for size in (2**32 - 1, 2**32, 2**53 - 1, 2**53 + 1, 2**63 - 1):
        state = size.to_bytes(8, "big") + draws.take(32 * bin(size).count("1"))
        good.valid(f"a log of {size:,} goes on with 2", args(state, b"x", b"y"), ["log_wide"],
                   ["LOG-4"])
    bad = file.group("form")

    def refuse(comment, state, twin):
        bad.invalid(comment, args(state), "proof_form", twin, ["log_state"])
    for length in (0, 1, 7):
        refuse(f"{length} bytes", bytes(length), twins[0])
    refuse("a size of 1, without a hash", (1).to_bytes(8, "big"), twins[1])
    refuse("a size of 0, with a hash", bytes(8 + 32), twins[0])
    for size in (1, 3, 7, 8):
        state = _writer(size).state()
        refuse(f"a state of {size} with a byte more", state + b"\0", twins[size])
        refuse(f"a state of {size} with a hash more", state + bytes(32), twins[size])
        refuse(f"a state of {size} cut by a byte", state[:-1], twins[size])
        refuse(f"a state of {size} cut by a hash", state[:-32], twins[size])
    refuse("the hashes of 7 under a size of 8", (8).to_bytes(8, "big") + _writer(7).state()[8:],
           twins[8])
    refuse("the hashes of 3 under a size of 2^32 - 1",
           (2**32 - 1).to_bytes(8, "big") + _writer(3).state()[8:], twins[3])
    refuse("the size little-endian", (3).to_bytes(8, "little") + _writer(3).state()[8:] + bytes(32),
           twins[3])
    return file


def _epochs() -> File:
    file = File("verifiable/epochs.json", "epoch.read", "epo")
    good, bad = file.group("valid"), file.group("form")

    def raw(keys: int, time: int, tag: bytes = proofs.EPOCH, map_root: bytes = HASHES[3]) -> bytes:
        return tag + map_root + keys.to_bytes(8, "big") + time.to_bytes(8, "big")

    def args(entry: bytes) -> dict:
        return {"epoch_b64": b64(entry)}
    whole = raw(1_000_000, NOW_MS // 1000)
    twin = good.valid("a million keys", args(whole), (), ["LOG-2"])
    good.valid("no key", args(raw(0, NOW_MS // 1000, map_root=bytes(32))), (), ["LOG-2"])
    good.valid("at the beginning of time", args(raw(1, 0)), (), ["LOG-2"])
    for number in (2**32, 2**53 + 1, 2**63, 2**64 - 1):
        good.valid(f"{number:,} keys, and a time of that many seconds", args(raw(number, number)),
                   ["log_wide"], ["LOG-2"])
    for comment, entry in (
            ("nothing", b""), ("59 bytes", whole[:59]), ("61 bytes", whole + b"\0"),
            ("60 zeros", bytes(60)), ("its tag alone", proofs.EPOCH),
            ("version 2", raw(1, 1, b"AMS-EPOCH/2\0")), ("another case", raw(1, 1,
                                                                             b"ams-epoch/1\0")),
            ("a space for the zero", raw(1, 1, b"AMS-EPOCH/1 ")),
            ("without the zero", raw(1, 1, b"AMS-EPOCH/1")),
            ("the tag of an entry", raw(1, 1, b"AMS-ENTRY/1\0"))):
        bad.invalid(comment, args(entry), "proof_form", twin, ["epoch_form"])
    return file


# --- inclusion ---

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 70)


def _places(size: int) -> list:
    return sorted({0, 1, size // 2, size - 2, size - 1} & set(range(size)))


def _inclusions_made() -> File:
    file = File("verifiable/inclusions_made.json", "inclusion.prove", "inm")
    good = file.group("made")
    for size in (1, 2, 3, 5, 7, 8, 13, 33, 70):
        for index in _places(size):
            good.valid(f"entry {index} of {size}", {**_entries(*ENTRIES[:size]), "index": index},
                       ["log_shape"], ["LOG-3"])
    return file


def _inclusion(size: int, index: int, /, **changed) -> dict:
    said = {"root": root(size), "size": size, "index": index, "entry": ENTRIES[index],
            "proof": log_inclusion(HASHES[:size], index), **changed}
    return {name if name in ("size", "index") else name + "_b64":
            value if name in ("size", "index") else b64(value) for name, value in said.items()}


def _folded(leaf: bytes, index: int, size: int, path: list) -> bytes:
    """The root that a path leads to, from the definition: the log splits where RFC 9162 says."""
    if size == 1:
        return leaf
    *rest, top = path
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return proofs.log_node(_folded(leaf, index, half, rest), top)
    return proofs.log_node(top, _folded(leaf, index - half, size - half, rest))


def _length(index: int, size: int) -> int:
    if size == 1:
        return 0
    half = 1 << (size - 1).bit_length() - 1
    return 1 + (_length(index, half) if index < half else _length(index - half, size - half))


def wide(index: int, size: int, shown: int = None) -> dict:
    """An entry of a log that is too large to be made: only the path is. shown: another index."""
    draws = Draws(f"log of {size}")
    path = [draws.take(32) for _ in range(_length(index, size))]
    return {"root_b64": b64(_folded(HASHES[5], index, size, path)), "size": size,
            "index": index if shown is None else shown, "entry_b64": b64(ENTRIES[5]),
            "proof_b64": b64(b"".join(path))}


def _inclusions() -> File:
    file = File("verifiable/inclusions.json", "inclusion.verify", "inc")
    good, twins = file.group("valid"), {}
    for size in SIZES:
        for index in _places(size):
            twins[size, index] = good.valid(f"entry {index} of {size}", _inclusion(size, index),
                                            ["log_shape"], ["LOG-3", "LOG-5"])
    large, wrapped = file.group("valid-wide"), file.group("wide")
    for size in (2**31 + 1, 2**32, 2**32 + 1, 2**40 + 7, WIDE_MAX):
        for index in (0, size // 2, size - 1):
            twin = large.valid(f"entry {index:,} of {size:,}", wide(index, size), ["log_wide"],
                               ["LOG-5"])
            if size > 2**32:
                turned = index ^ 2**32 if (index ^ 2**32) < size else index ^ 1
                wrapped.invalid(f"entry {turned:,} of {size:,}, shown where {index:,} is",
                                wide(index, size, turned), "proof", twin, ["log_wide"],
                                importance="critical")
    _inclusion_forms(file, twins)
    _inclusion_lengths(file, twins)
    bad = file.group("folds")

    def refuse(comment, size, index, /, flag="log_fold", **changed):
        bad.invalid(comment, _inclusion(size, index, **changed), "proof", twins[size, index],
                    [flag],
                    importance="critical")
    for size, index in ((1, 0), (2, 1), (5, 4), (7, 3), (8, 0), (70, 69)):
        proof = log_inclusion(HASHES[:size], index)
        refuse(f"another entry at {index} of {size}", size, index, entry=b"y")
        refuse(f"the leaf's hash for entry {index} of {size}", size, index, entry=HASHES[index])
        refuse(f"the root's first bit turned, {index} of {size}", size, index,
               root=flip(root(size), 0))
        refuse(f"the root's last bit turned, {index} of {size}", size, index,
               root=flip(root(size), 255))
        refuse(f"the root of another size, {index} of {size}", size, index, root=root(size + 1)
               if size < 70 else root(69))
        for at in range(0, len(proof), 32):
            refuse(f"hash {at // 32} of the path changed, {index} of {size}", size, index,
                   proof=flip(proof, 8 * at + 5))
        if len(proof) > 32:
            turned = b"".join(proof[at:at + 32] for at in range(len(proof) - 32, -1, -32))
            refuse(f"the path backwards, {index} of {size}", size, index, proof=turned)
    for size, index, shown in ((5, 4, 3), (7, 3, 2), (8, 0, 1), (8, 0, 7), (70, 69, 68), (70, 69,
                                                                                          5)):
        refuse(f"entry {index} of {size} shown at {shown}", size, index, index=shown)
    refuse("an inner node for an entry", 8, 0, flag="log_length", entry=HASHES[0] + HASHES[1],
           proof=log_inclusion(HASHES[:8], 0)[32:])
    refuse("the empty log's root", 1, 0, root=EMPTY)
    return file


def _inclusion_forms(file, twins) -> None:
    bad = file.group("form")
    for size, index in ((1, 0), (7, 3)):
        proof = log_inclusion(HASHES[:size], index)
        for more in (1, 31, 33):
            bad.invalid(f"{more} bytes more, {index} of {size}", _inclusion(
                size, index, proof=proof + bytes(more)), "proof_form", twins[size, index],
                ["log_form"])
    bad.invalid("cut by a byte", _inclusion(7, 3, proof=proof[:-1]), "proof_form", twins[7, 3],
                ["log_form"])
    bad.invalid("129 hashes", _inclusion(7, 3, proof=bytes(32 * 129)), "proof_form", twins[7, 3],
                ["log_form"])
    bad.invalid("4,097 bytes", _inclusion(7, 3, proof=bytes(4097)), "proof_form", twins[7, 3],
                ["log_form"])
    bad.invalid("128 hashes", _inclusion(7, 3, proof=bytes(32 * 128)), "proof", twins[7, 3],
                ["log_length"])
    bad.invalid("a byte more, and an index beyond", _inclusion(7, 3, proof=proof + b"\0", index=7),
                "proof_form", twins[7, 3], ["log_form"])


def _inclusion_lengths(file, twins) -> None:
    bad = file.group("lengths")

    def refuse(comment, twin, flag, args):
        bad.invalid(comment, args, "proof", twins[twin], [flag], importance="critical")
    for size, index in ((1, 0), (2, 1), (5, 4), (7, 3), (8, 7), (70, 69)):
        proof = log_inclusion(HASHES[:size], index)
        refuse(f"a hash more, {index} of {size}", (size, index), "log_length",
               _inclusion(size, index, proof=proof + HASHES[0]))
        refuse(f"a hash more before, {index} of {size}", (size, index), "log_length",
               _inclusion(size, index, proof=HASHES[0] + proof))
        if proof:
            refuse(f"a hash fewer, {index} of {size}", (size, index), "log_length",
                   _inclusion(size, index, proof=proof[:-32]))
            refuse(f"no path, {index} of {size}", (size, index), "log_length",
                   _inclusion(size, index, proof=b""))
        refuse(f"index {size} of {size}", (size, index), "log_index",
               _inclusion(size, index, index=size))
    refuse("index 0 of 0", (1, 0), "log_index", _inclusion(1, 0, size=0))
    refuse("index 0 of 0, under the empty root", (1, 0), "log_index",
           _inclusion(1, 0, size=0, root=EMPTY))
    refuse("index 1 of 1, whose leaf is the root", (1, 0), "log_index", _inclusion(1, 0, index=1))
    refuse("index 2^53 - 1 of 8", (8, 7), "log_index", _inclusion(8, 7, index=WIDE_MAX))
    # What folds to the root, for a log of another size.
    refuse("a path to the root of a larger log", (4, 0), "log_length", _inclusion(
        4, 0, root=root(8), proof=log_inclusion(HASHES[:8], 0)))
    refuse("a path to the root of a smaller log", (8, 0), "log_length", _inclusion(
        8, 0, root=root(4), proof=log_inclusion(HASHES[:4], 0)))
    for size, index in ((1, 0), (4, 3), (7, 6)):
        refuse(f"a hash more and the root that it leads to, {index} of {size}", (8, 7),
               "log_length",
               _inclusion(size, index, root=proofs.log_node(HASHES[9], root(size)),
                          proof=log_inclusion(HASHES[:size], index) + HASHES[9]))
    refuse("a leaf that is the root, of a log of 2", (2, 0), "log_length", _inclusion(
        2, 0, root=root(1), proof=b""))


# --- consistency ---

def _consistency(first: int, second: int, /, **changed) -> dict:
    said = {"first": first, "first_root": root(first), "second": second,
            "second_root": root(second),
            "proof": log_consistency(HASHES[:second], first) if first <= second else b"", **changed}
    return {name if name in ("first", "second") else name + "_b64":
            value if name in ("first", "second") else b64(value) for name, value in said.items()}


PAIRS = ((0, 0), (0, 1), (0, 5), (1, 1), (1, 2), (1, 3), (1, 8), (2, 2), (2, 3), (2, 8), (3, 4),
         (3, 7),
         (3, 8), (4, 5), (4, 8), (5, 5), (5, 6), (5, 8), (6, 7), (6, 8), (7, 8), (7, 15), (8, 9),
         (8, 16), (8, 70), (9, 33), (13, 70), (16, 17), (31, 32), (32, 33), (33, 65), (63, 64),
         (64, 65), (64, 70), (65, 70), (69, 70), (70, 70))


def _consistencies_made() -> File:
    file = File("verifiable/consistencies_made.json", "consistency.prove", "com")
    good = file.group("made")
    for first, second in PAIRS[:30:2] + PAIRS[30:]:
        good.valid(f"from {first} to {second}", {**_entries(*ENTRIES[:second]), "first": first},
                   ["log_shape"], ["LOG-3"])
    return file


def _consistencies() -> File:
    file = File("verifiable/consistencies.json", "consistency.verify", "cns")
    good, twins = file.group("valid"), {}
    for first, second in PAIRS:
        twins[first, second] = good.valid(
            f"from {first} to {second}", _consistency(first, second), ["log_shape"],
            ["LOG-7"] if first in (0, second) else ["LOG-3", "LOG-6"])
    bad, forms = file.group("content"), file.group("form")

    def refuse(comment, pair, flag, **changed):
        bad.invalid(f"{comment}, from {pair[0]} to {pair[1]}", _consistency(*pair, **changed),
                    "proof", twins[pair], [flag], importance="critical")
    for pair in ((1, 2), (3, 7), (4, 8), (6, 8), (7, 8), (8, 9), (33, 65), (69, 70)):
        proof = log_consistency(HASHES[:pair[1]], pair[0])
        refuse("another second root", pair, "log_fold", second_root=flip(root(pair[1]), 255))
        refuse("another first root", pair, "log_rewrite", first_root=flip(root(pair[0]), 0))
        refuse("the roots exchanged", pair, "log_rewrite", first_root=root(pair[1]),
               second_root=root(pair[0]))
        refuse("a hash more", pair, "log_length", proof=proof + HASHES[0])
        refuse("a hash fewer", pair, "log_length", proof=proof[:-32])
        refuse("no proof", pair, "log_length", proof=b"")
        for at in {0, len(proof) - 32}:
            refuse(f"hash {at // 32} changed", pair, "log_fold", proof=flip(proof, 8 * at))
    for pair in ((3, 7), (6, 8), (33, 65)):
        proof = log_consistency(HASHES[:pair[1]], pair[0])
        forms.invalid(f"a byte more, from {pair[0]} to {pair[1]}", _consistency(
            *pair, proof=proof + b"\0"), "proof_form", twins[pair], ["log_form"])
        forms.invalid(f"cut by a byte, from {pair[0]} to {pair[1]}", _consistency(
            *pair, proof=proof[:-1]), "proof_form", twins[pair], ["log_form"])
    forms.invalid("129 hashes", _consistency(3, 7, proof=bytes(32 * 129)), "proof_form", twins[3,
                                                                                               7],
                  ["log_form"])
    forms.invalid("a byte more, and a log that shrank", _consistency(7, 3, proof=b"\0"),
                  "proof_form",
                  twins[3, 7], ["log_form"])
    forms.invalid("a byte where nothing is due", _consistency(5, 5, proof=b"\0"), "proof_form",
                  twins[5, 5], ["log_form"])
    for pair in ((3, 4), (7, 8), (13, 70)):
        refuse("a hash more and the roots that it leads to", pair, "log_length",
               first_root=proofs.log_node(HASHES[9], root(pair[0])),
               second_root=proofs.log_node(HASHES[9], root(pair[1])),
               proof=log_consistency(HASHES[:pair[1]], pair[0]) + HASHES[9])
    refuse("the proof for a log of one more", (3, 7), "log_length",
           proof=log_consistency(HASHES[:8], 3))
    refuse("the proof from one fewer", (7, 8), "log_fold", proof=log_consistency(HASHES[:8], 6))
    _rewritten(file, twins)
    _shrunk(file, twins)
    _equal(file, twins)
    return file


def _rewritten(file, twins) -> None:
    """A second log whose proof is honest, but which is no continuation of the first."""
    bad = file.group("rewritten")
    for first, second, at in ((3, 7, 0), (3, 7, 2), (6, 8, 5), (33, 65, 32), (5, 6, 4)):
        other = [*HASHES[:at], proofs.log_leaf(b"another"), *HASHES[at + 1:second]]
        bad.invalid(f"entry {at} rewritten, from {first} to {second}", _consistency(
            first, second, second_root=log_root(other), proof=log_consistency(other, first)),
            "proof", twins[first, second], ["log_rewrite"], importance="critical")
    # The new root is right; the old one is what the proof says it is.
    bad.invalid("the right log, after another one", _consistency(3, 7, first_root=log_root(
        [HASHES[1], HASHES[0], HASHES[2]])), "proof", twins[3, 7], ["log_rewrite"],
        importance="critical")


def _shrunk(file, twins) -> None:
    bad = file.group("shrunk")

    def refuse(comment, twin, **args):
        bad.invalid(comment, args, "proof", twins[twin], ["log_shrunk"], importance="critical")
    for first, second in ((1, 0), (2, 1), (7, 3), (8, 4), (70, 69)):
        twin = (second, first) if (second, first) in twins else (1, 2)
        refuse(f"from {first} to {second}, without a proof", twin, **_consistency(first, second))
        refuse(f"from {first} to {second}, with the proof of the other way", twin, **_consistency(
            first, second, proof=log_consistency(HASHES[:first], second)))
    refuse("from 2 to 1 with one root", (1, 2), **_consistency(2, 1, second_root=root(2)))
    refuse("from 2^53 - 1 to 4 with one root", (4, 8), **_consistency(
        4, 8, first=WIDE_MAX, second=4, second_root=root(4), proof=b""))


def _equal(file, twins) -> None:
    bad = file.group("equal")

    def refuse(comment, pair, **changed):
        bad.invalid(f"{comment}, from {pair[0]} to {pair[1]}", _consistency(*pair, **changed),
                    "proof", twins[pair], ["log_equal"], importance="critical")
    for pair in ((0, 0), (0, 1), (0, 5), (1, 1), (5, 5), (70, 70)):
        refuse("a hash where none is due", pair, proof=HASHES[0])
        refuse("the root as a proof", pair, proof=root(pair[1]))
    for pair in ((1, 1), (5, 5), (70, 70)):
        refuse("two roots", pair, second_root=flip(root(pair[1]), 7))
        refuse("two roots, one the empty log's", pair, first_root=EMPTY)
    for pair in ((0, 1), (0, 5)):
        refuse("another root than the empty log's", pair, first_root=root(pair[1]))
        refuse("zeros for the empty log's root", pair, first_root=bytes(32))
    refuse("no root is the empty log's", (0, 0), first_root=bytes(32), second_root=bytes(32))
    refuse("the second is not the empty log's", (0, 0), second_root=root(1))
    refuse("the first is not the empty log's", (0, 0), first_root=root(1))


def files() -> list:
    return [_roots(), _states(), _epochs(), _inclusions_made(), _inclusions(),
            _consistencies_made(),
            _consistencies()]
