"""Histories that a log rewrote between two sizes (spec CKP-13, CKP-14)."""
from ams_py import proofs
from ams_py.errors import AmsError
from ams_py.trees import log_consistency, log_root

from .book import File
from .checkpoints import text_of
from .logbook import Signer
from .logs import flip
from .signednotes import FORGER, LOG, NAME, OTHER, W1, base, blob_of, bytes_of, line_of, signed

SIZE_MAX = 2**63 - 1


def leaves(face: bytes, size: int, parted: int = 0) -> list:
    """A log that is one for all faces up to the entry `parted`."""
    return [proofs.log_leaf(b"%d" % at + (face if at >= parted else b"")) for at in range(size)]


def subproof(hashes: list, first: int) -> list:
    raw = log_consistency(hashes, first, known=False)
    return [raw[at:at + 32] for at in range(0, len(raw), 32)]


def note_of(size: int, root: bytes, signer: Signer = LOG, *more: str) -> str:
    return signed(text_of(signer.key.name, size, root, *more), signer)


def whole(one: str, two: str, hashes: list) -> str:
    return one + "\n" + two + "\n" + "".join(base(one) + "\n" for one in hashes)


def faces(first: int, second: int, parted: int = 0, signer: Signer = LOG) -> tuple:
    """(the note of one face at `first`, that of the other at `second`, the hashes)"""
    other = leaves(b"b", second, parted)
    return (note_of(first, log_root(leaves(b"a", first, parted)), signer),
            note_of(second, log_root(other), signer), subproof(other, first))


def args(evidence: str, log: Signer = LOG) -> dict:
    return {"evidence_b64": bytes_of(evidence), "log": log.key.text()}


def _valid(file) -> tuple:
    good = file.group("valid")
    twin = good.valid("sizes 7 and 20", args(whole(*faces(7, 20))), ["rewrite"])
    for first, second in ((1, 2), (1, 3), (2, 3), (2, 9), (3, 4), (4, 5), (4, 9), (5, 6), (6, 8),
                          (8, 16), (8, 9), (9, 16), (16, 33), (31, 32), (32, 64), (63, 64)):
        good.valid(f"sizes {first} and {second}", args(whole(*faces(first, second))), ["rewrite"])
    for parted in (1, 4, 6):
        good.valid(f"one log up to entry {parted}", args(whole(*faces(7, 20, parted))), ["rewrite"])
    one, two, hashes = faces(7, 20)
    same = leaves(b"b", 20)
    near = flip(log_root(same[:7]), 255)
    good.valid("roots at the lesser size that differ in the last bit",
               args(whole(note_of(7, near), two, hashes)), ["rewrite"])
    long = Signer("n" * 100, 1, "long rewriter")
    path = [bytes([number]) * 32 for number in range(64)]
    while True:  # as many as the sizes want, of whatever hashes
        try:
            root = proofs._subproof_roots(SIZE_MAX - 2, SIZE_MAX, path, "")[1]
            break
        except AmsError:
            path.pop()
    filler = "x" * (299 - len(text_of(long.key.name, SIZE_MAX, root)))
    full = good.valid("the largest sizes, texts of 300 bytes",
                      args(whole(note_of(SIZE_MAX - 2, bytes(32), long, filler),
                                 note_of(SIZE_MAX, root, long, filler), path), long), ["rewrite"])
    return twin, full


def _forms(file, twin: str, full: str) -> None:
    bad = file.group("form")
    one, two, hashes = faces(7, 20)

    def refuse(comment, evidence, code="proof_form", flag="rewrite_form", valid=twin):
        bad.invalid(comment, args(evidence), code, valid, [flag])
    good = whole(one, two, hashes)
    for size in (4000, 4001, 9000):
        refuse(f"{size} bytes", good + "x" * (size - len(good.encode())), "object_too_large",
               "rewrite_large", full)
    cosigned = signed(text_of(NAME, 7, log_root(leaves(b"a", 7))), LOG, W1)
    lines = [base(each) for each in hashes]
    for comment, evidence in (
            ("nothing", ""), ("one note", one), ("two notes", one + "\n" + two),
            ("two notes and no line", one + "\n" + two + "\n"),
            ("the hashes first", "".join(line + "\n" for line in lines) + one + "\n" + two),
            ("no newline between the notes", one + two + "\n" + "\n".join(lines) + "\n"),
            ("no newline before the hashes", one + "\n" + two + "\n".join(lines) + "\n"),
            ("an empty line before the hashes", whole(one, two + "\n", hashes)),
            ("an empty line behind them", good + "\n"), ("no newline at the end", good[:-1]),
            ("two hashes in a line", one + "\n" + two + "\n" + "".join(lines) + "\n"),
            ("a hash of 31 bytes", whole(one, two, [*hashes[:-1], hashes[-1][:31]])),
            ("a hash of 33 bytes", whole(one, two, [*hashes[:-1], hashes[-1] + b"\0"])),
            ("a hash in hexadecimal", good.replace(lines[0], hashes[0].hex())),
            ("base64 without padding", good.replace(lines[0], lines[0][:-1])),
            ("a space behind a hash", good.replace(lines[0], lines[0] + " ")),
            ("CR LF behind a hash", good.replace(lines[0], lines[0] + "\r")),
            ("base64 with its last bits set", good.replace(lines[0], lines[0][:-2] + chr(
                ord(lines[0][-2]) + 1) + "=")),
            ("the first cosigned", whole(cosigned, two, hashes)),
            ("no checkpoint second", whole(one, signed("x\n", LOG), hashes)),
            ("a size with a zero first", whole(signed(text_of(NAME, "07", bytes(32)), LOG), two,
                                               hashes))):
        refuse(comment, evidence)


def folded(first: int, second: int, path: list) -> bytes:
    """Where hashes lead at the greater size, however many there are."""
    at, last = first - 1, second - 1
    while at % 2:
        at, last = at // 2, last // 2
    out = path[0]
    for sibling in path[1:]:
        left = at % 2 or at == last
        out = proofs.log_node(*((sibling, out) if left else (out, sibling)))
        while left and at and at % 2 == 0:
            at, last = at // 2, last // 2
        at, last = at // 2, last // 2
    return out


def _judged(file, twin: str) -> None:
    bad = file.group("judged")
    one, two, hashes = faces(7, 20)

    def refuse(comment, evidence, code="proof", flag="rewrite_none", log=LOG):
        bad.invalid(comment, args(evidence, log), code, twin, [flag], importance="critical")
    honest = leaves(b"b", 64)
    for first, second in ((7, 20), (1, 2), (4, 9), (8, 16), (31, 32)):
        refuse(f"one history, sizes {first} and {second}", whole(
            note_of(first, log_root(honest[:first])), note_of(second, log_root(honest[:second])),
            subproof(honest[:second], first)))
    root = log_root(honest[:20])
    refuse("the greater size first", whole(two, one, hashes))
    even = log_root(honest[:16])
    refuse("two roots at one size", whole(note_of(16, bytes(32)), note_of(16, even), [even]))
    refuse("another root at size 0", whole(note_of(0, bytes(32)), two, [root]))
    for comment, changed in (
            ("a hash less", hashes[:-1]), ("a hash more", [*hashes, bytes(32)]),
            ("the hashes turned", hashes[::-1]), ("a bit of the first changed",
                                                  [flip(hashes[0], 0), *hashes[1:]]),
            ("a bit of the last changed", [*hashes[:-1], flip(hashes[-1], 7)]),
            ("from another size", subproof(honest[:20], 6)),
            ("of the first face's log", subproof(leaves(b"a", 20), 7))):
        refuse(comment, whole(one, two, changed), flag="rewrite_hashes")
    shown = folded(7, 20, hashes[:-1])
    refuse("a hash less, and the root that the others lead to", whole(
        one, note_of(20, shown), hashes[:-1]), flag="rewrite_hashes")
    further = proofs.log_node(bytes(32), folded(7, 20, hashes))
    refuse("a hash more, and the root that all of them lead to", whole(
        one, note_of(20, further), [*hashes, bytes(32)]), flag="rewrite_hashes")
    refuse("the proof of a power of two as the log gives it, without the root", whole(
        *faces(8, 20)[:2], subproof(honest[:20], 8)[1:]), flag="rewrite_hashes")
    refuse("a third face's later checkpoint", whole(one, note_of(20, log_root(leaves(b"c", 20))),
                                                    hashes), flag="rewrite_hashes")
    others = faces(7, 20, signer=OTHER)
    refuse("another log's, judged by this one's key", whole(*others))
    refuse("the first of another origin", whole(
        signed(text_of("d.example", 7, bytes(32)), LOG), two, hashes))
    refuse("the second of another origin", whole(
        one, signed(text_of("d.example", 20, root), LOG), hashes))
    forged = faces(7, 20, signer=FORGER)
    refuse("forged", whole(*forged), "signature", "rewrite_forged")
    refuse("the first forged", whole(forged[0], two, hashes), "signature", "rewrite_forged")
    refuse("the second forged", whole(one, forged[1], hashes), "signature", "rewrite_forged")
    refuse("judged by the forger's key", whole(one, two, hashes), "signature", "rewrite_forged",
           FORGER)
    text = text_of(NAME, 7, bytes(32))
    refuse("a bit of a signature changed", whole(
        line_of(text + "\n", LOG.key, flip(blob_of(LOG, text), 511)), two, hashes), "signature",
        "rewrite_forged")
    for comment, evidence, code in (
            ("a forged first, and a line that is no hash", whole(forged[0], two, hashes) + "x\n",
             "proof_form"),
            ("a first of another origin, and a forged second", whole(
                signed(text_of("d.example", 7, bytes(32)), LOG), forged[1], hashes), "proof"),
            ("one history, and the second forged", whole(note_of(7, log_root(honest[:7])), note_of(
                20, root, FORGER), hashes), "signature")):
        bad.invalid(comment, args(evidence), code, twin, ["note_order"])


def files() -> list:
    file = File("verifiable/rewrites.json", "rewrite.verify", "rwv")
    twin, full = _valid(file)
    _forms(file, twin, full)
    _judged(file, twin)
    return [file]
