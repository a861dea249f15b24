"""Checkpoints, their witnesses, two faces of one log (spec CKP-7 to CKP-12)."""
from ams_py.encoding import b64

from .book import File
from .logbook import Signer, signature_line
from .logs import flip, root
from .signednotes import (FORGER, LOG, NAME, OTHER, TEXT, W1, W2, W3, base, blob_of, bytes_of,
                          line_of, signed)


def text_of(origin: str = NAME, size="7", its_root=None, *extensions: str) -> str:
    shown = base(root(7) if its_root is None else its_root)
    return "".join(line + "\n" for line in (origin, str(size), shown, *extensions))


def opened(note, witnesses=(), quorum: int = None, log=LOG) -> dict:
    said = {"note_b64": bytes_of(note), "log": log.key.text()}
    if quorum is not None:
        said.update(witnesses=[one.key.text() for one in witnesses], quorum=quorum)
    return said


def _checkpoints() -> File:
    file = File("verifiable/checkpoints.json", "checkpoint.open", "cop")
    good = file.group("valid")
    twin = good.valid("of the log, signed by it", opened(signed(TEXT, LOG)), (), ["CKP-7", "CKP-9"])
    good.valid("of an empty log", opened(signed(text_of(size=0, its_root=root(0)), LOG)), (),
               ["CKP-7"])
    good.valid("of 2^63 - 1 entries", opened(signed(text_of(size=2**63 - 1), LOG)), ["log_wide"],
               ["CKP-7"])
    for comment, extensions in (("one extension", ["x"]), ("two", ["a b", "c"]),
                                ("a space", [" "]), ("what looks like a signature", ["- a AAAA"])):
        good.valid(f"extension lines: {comment}", opened(signed(text_of(NAME, 7, None, *extensions),
                                                                LOG)), (), ["CKP-7"])
    rest = 300 - len(TEXT) - 1
    full = good.valid("a text of 300 bytes", opened(signed(text_of(NAME, 7, None, "x" * rest),
                                                           LOG)),
                      ["checkpoint_large"], ["CKP-8"])
    long = Signer("~" * 100, 1, "long")
    good.valid("an origin of 100 characters", opened(signed(text_of(long.key.name), long),
                                                     log=long),
               (), ["CKP-8"])
    bad = file.group("form")

    def refuse(comment, text, code="proof_form", flag="checkpoint_form", valid=twin):
        bad.invalid(comment, opened(signed(text, LOG)), code, valid, [flag])
    refuse("a text of 301 bytes", text_of(NAME, 7, None, "x" * (rest + 1)), "object_too_large",
           "checkpoint_large", full)
    refuse("a text of 3,000 bytes", text_of(NAME, 7, None, *["x" * 99] * 30), "object_too_large",
           "checkpoint_large", full)
    refuse("301 bytes that are no checkpoint", "x" * 300 + "\n", "object_too_large",
           "checkpoint_large", full)
    lines = TEXT.split("\n")[:-1]
    for comment, text in (("an empty line alone", "\n"), ("an origin alone", f"{NAME}\n"),
                          ("no root", "\n".join(lines[:2]) + "\n"),
                          ("no size", f"{NAME}\n{lines[2]}\n"),
                          ("no origin", "\n".join(lines[1:]) + "\n"),
                          ("an empty origin", text_of("")), ("a space in the origin",
                                                             text_of("a b")),
                          ("a plus in the origin", text_of("a+b")),
                          ("an origin of 101 characters", text_of("n" * 101)),
                          ("size and root exchanged", f"{NAME}\n{lines[2]}\n7\n")):
        refuse(comment, text)
    for size in ("", "07", "00", "-7", "+7", "7.0", "7e0", " 7", "7 ", "0x7", "seven", 2**63, 2**64,
                 10**19, 10**40, "\u0667"):
        if size != "\u0667":
            refuse(f"the size {str(size)[:24]!r}", text_of(size=size))
    for comment, raw in (("31 bytes", root(7)[:31]), ("33 bytes", root(7) + b"\0"), ("none", b"")):
        refuse(f"a root of {comment}", text_of(NAME, 7, raw))
    shown = base(root(7))
    for comment, line in (
            ("in base64url without padding", b64(root(7))), ("in hexadecimal", root(7).hex()),
            ("without padding", shown.rstrip("=")),
            ("with unused bits set", base(root(7) + b"\xff")[:43] + "="),
            ("with a space after it", shown + " ")):
        refuse(f"a root {comment}", f"{NAME}\n7\n{line}\n")
    for comment, extensions in (("an empty one", [""]), ("an empty one between", ["a", "", "b"]),
                                ("an empty one last", ["a", ""])):
        refuse(f"extension lines: {comment}", text_of(NAME, 7, None, *extensions))
    _judged(file, twin)
    _witnessed(file)
    return file


def _judged(file, twin) -> None:
    bad = file.group("of-the-log")

    def refuse(comment, note, code, flag):
        bad.invalid(comment, opened(note), code, twin, [flag], importance="critical")
    for origin in ("other.example/ams-directory", "dir.example", NAME.upper(), NAME + "/",
                   "ams-bind/dir.example"):
        refuse(f"the origin {origin!r}", signed(text_of(origin), LOG), "proof", "checkpoint_other")
    refuse("the other log's, signed by both", signed(text_of(OTHER.key.name), OTHER, LOG), "proof",
           "checkpoint_other")
    for comment, note in (("by another key under the log's name", signed(TEXT, FORGER)),
                          ("by another log", signed(TEXT, OTHER)),
                          ("by a witness alone", signed(TEXT, W1)),
                          ("by the log's key as a witness",
                           signed(TEXT, Signer(NAME, 4, "directory of dir.example")))):
        refuse(f"signed {comment}", note, "signature", "note_unsigned")
    for comment, changed in (("size", text_of(size=8)), ("root", text_of(its_root=root(8))),
                             ("extension", text_of(NAME, 7, None, "x"))):
        refuse(f"another {comment} under the signature", line_of(
            changed + "\n", LOG.key, blob_of(LOG, TEXT)), "signature", "note_signature")
    for comment, note, code in (
            ("another origin, not signed", signed(text_of("d.example"), OTHER), "proof"),
            ("no checkpoint, not signed", signed("x\n", OTHER), "proof_form"),
            ("another origin, and no size", signed("d.example\n\nx\n", LOG), "proof_form")):
        refuse(comment, note, code, "note_order")


def _witnessed(file) -> None:
    good, bad, every = file.group("valid-witnesses"), file.group("witnesses"), (W1, W2, W3)

    def args(note, quorum, witnesses=every):
        return opened(note, witnesses, quorum)
    full = signed(TEXT, LOG, W1, W2, W3)
    twin = good.valid("three of three", args(full, 3), (), ["CKP-5", "CKP-9"])
    good.valid("two of three", args(signed(TEXT, LOG, W1, W3), 2), (), ["CKP-9"])
    good.valid("more than demanded", args(full, 1), (), ["CKP-9"])
    good.valid("none demanded, none there", args(signed(TEXT, LOG), 0), (), ["CKP-9"])
    good.valid("no witness known", args(full, 0, ()), (), ["CKP-9"])
    good.valid("the witnesses before the log", args(signed(TEXT, W1, W2, LOG), 2), (), ["CKP-9"])
    good.valid("each at another time", args(signed(TEXT, LOG) + W1.line(TEXT, 1) + W2.line(
        TEXT, 2**63 - 1), 2), (), ["CKP-5", "CKP-9"])
    good.valid("a witness unknown to the reader with a bad cosignature", args(line_of(
        signed(TEXT, LOG, W1, W2), W3.key, bytes(72)), 2, (W1, W2)), ["note_unknown"], ["CKP-9"])
    renamed = Signer("w9.example/ams-directory", 4, "witness 1")
    good.valid("one key under two names is one of one", args(signed(TEXT, LOG, W1, renamed), 1,
                                                             (W1, renamed)), ["witness_twice"])
    own = Signer(NAME, 4, "directory of dir.example")
    good.valid("the log's own key as a witness, where the reader takes it for one", args(
        signed(TEXT, LOG, own), 1, (own,)), (), ["CKP-9"])

    def refuse(comment, note, quorum, flag="witness_count", code="witnesses", witnesses=every):
        bad.invalid(comment, args(note, quorum, witnesses), code, twin, [flag],
                    importance="critical")
    refuse("two of three demanded three", signed(TEXT, LOG, W1, W2), 3)
    refuse("none of one", signed(TEXT, LOG), 1)
    refuse("no witness is known", full, 1, witnesses=())
    refuse("all cosigned, but only two are known", full, 3, witnesses=(W1, W2))
    refuse("a demand of 2^32", full, 2**32)
    refuse("a plain signature of a witness's key", signed(TEXT, LOG, W1, Signer(
        W2.key.name, 1, "witness 2")), 2)
    refuse("a known name with an unknown key", signed(TEXT, LOG, W1, Signer(
        W2.key.name, 4, "witness of nobody")), 2)
    refuse("a known key under an unknown name", signed(TEXT, LOG, W1, Signer(
        "w8.example/ams-directory", 4, "witness 2")), 2)
    refuse("one cosignature twice", signed(TEXT, LOG, W1, W1), 2, "witness_twice")
    refuse("one witness at two times", signed(TEXT, LOG, W1) + W1.line(TEXT, 5), 2, "witness_twice")
    refuse("one key under two names", signed(TEXT, LOG, W1, renamed), 2, "witness_twice",
           witnesses=(W1, renamed))
    refuse("one key under two names, another witness missing", signed(TEXT, LOG, W1, renamed, W2),
           3,
           "witness_twice", witnesses=(W1, renamed, W2))
    for quorum in (0, 1, 2):
        refuse(f"a known witness's cosignature is bad, {quorum} demanded", line_of(
            signed(TEXT, LOG, W1, W2), W3.key, bytes(72)), quorum, "cosignature", "signature")
    refuse("a good and a bad cosignature of one witness", line_of(
        signed(TEXT, LOG, W1), W1.key, flip(blob_of(W1, TEXT), 575)), 1, "cosignature", "signature")
    refuse("the second name's cosignature is bad", line_of(
        signed(TEXT, LOG, W1), renamed.key, bytes(72)), 1, "cosignature", "signature",
        (W1, renamed))
    refuse("a cosignature from another note", line_of(signed(TEXT, LOG), W1.key, blob_of(
        W1, text_of(size=8))), 1, "cosignature", "signature")
    refuse("a time above 2^63 - 1", signed(TEXT, LOG) + W1.line(TEXT, 2**63), 1, "cosignature_time",
           "signature")
    refuse("too few, and one of them is bad", line_of(signed(TEXT, LOG), W1.key, bytes(72)), 3,
           "note_order", "signature")
    refuse("too few, and the log did not sign", signed(TEXT, W1), 3, "note_order", "signature")


# --- two faces ---

FACES = [f"{NAME}\n7\n{base(bytes([number]) * 32)}\n" for number in (1, 2)]


def faces(first: str, second: str) -> str:
    return first + "\n" + second


def _faces_made() -> File:
    file = File("verifiable/two_faces_made.json", "equivocation.make", "eqm")
    one, two = (signed(text, LOG) for text in FACES)

    def args(a: str, b: str) -> dict:
        return {"a_b64": bytes_of(a), "b_b64": bytes_of(b), "log": LOG.key.text()}
    good = file.group("valid")
    twin = good.valid("two notes", args(one, two), ["faces"])
    good.valid("the greater root first", args(two, one), ["faces"])
    good.valid("cosigned notes: the log's signature alone is kept", args(
        signed(FACES[0], LOG, W1, W2), signed(FACES[1], W3, LOG)), ["faces"])
    good.valid("signed twice: one signature is kept", args(signed(FACES[0], LOG, LOG), two),
               ["faces"])
    good.valid("with extension lines", args(signed(text_of(NAME, 7, bytes(32), "x"), LOG), two),
               ["faces"])
    bad = file.group("none")
    for comment, a, b in (("one note twice", one, one),
                          ("two sizes", one, signed(FACES[1].replace("\n7\n", "\n8\n"), LOG)),
                          ("one root, another extension", one, signed(FACES[0] + "x\n", LOG)),
                          ("one root, other witnesses", signed(FACES[0], LOG, W1), one)):
        bad.invalid(comment, args(a, b), "proof", twin, ["faces_none"], importance="critical")
    return file


def _faces() -> File:
    file = File("verifiable/two_faces.json", "equivocation.verify", "eqv")
    good = file.group("valid")

    def args(evidence: str, log=LOG) -> dict:
        return {"evidence_b64": bytes_of(evidence), "log": log.key.text()}
    one, two = (signed(text, LOG) for text in FACES)
    twin = good.valid("two roots at one size", args(faces(one, two)), ["faces"])
    for size in (0, 2**63 - 1):
        good.valid(f"at size {size:,}", args(faces(*(signed(text.replace("\n7\n", f"\n{size}\n"),
                                                            LOG)
                                                     for text in FACES))), ["faces"])
    good.valid("roots that differ in the last bit", args(faces(
        signed(text_of(NAME, 7, bytes(32)), LOG), signed(text_of(NAME, 7, flip(bytes(32), 255)),
                                                         LOG))), ["faces"])
    good.valid("roots above and below 0x80", args(faces(
        signed(text_of(NAME, 7, b"\x7f" + bytes(31)), LOG),
        signed(text_of(NAME, 7, b"\x80" + bytes(31)), LOG))), ["faces"])
    long = Signer("n" * 100, 1, "long")
    texts = [text_of(long.key.name, 2**63 - 1, bytes([n]) * 32) for n in (1, 2)]
    texts = [text + "x" * (299 - len(text)) + "\n" for text in texts]
    full = good.valid("999 bytes", args(faces(*(signed(text, long) for text in texts)), long),
                      ["faces_large"])
    _faces_forms(file, args, one, two, twin, full)
    _faces_judged(file, args, one, two, twin)
    return file


def _faces_forms(file, args, one, two, twin, full) -> None:
    bad = file.group("form")

    def refuse(comment, evidence, code="proof_form", flag="faces_form", valid=twin):
        bad.invalid(comment, args(evidence), code, valid, [flag])
    whole = faces(one, two)
    for size in (1000, 1001, 5000):
        refuse(f"{size} bytes", whole + "x" * (size - len(whole.encode())), "object_too_large",
               "faces_large", full)
    refuse("two notes that are cosigned by three each", faces(
        signed(FACES[0], LOG, W1, W2, W3), signed(FACES[1], LOG, W1, W2, W3)), "object_too_large",
        "faces_large", full)
    for comment, evidence in (
            ("nothing", ""), ("one note", one), ("a note and a newline", one + "\n"),
            ("no newline between", one + two), ("two newlines between", one + "\n\n" + two),
            ("a newline more", whole + "\n"), ("cut by a byte", whole[:-1]),
            ("the greater root first", faces(two, one)), ("a note more", faces(whole, one)),
            ("the first cosigned", faces(signed(FACES[0], LOG, W1), two)),
            ("the second cosigned", faces(one, signed(FACES[1], LOG, W1))),
            ("the first signed twice", faces(signed(FACES[0], LOG, LOG), two)),
            ("no signature under the first", faces(FACES[0] + "\n", two)),
            ("no checkpoint first", faces(signed("x\n", LOG), two)),
            ("an empty line in the first text", faces(signed(text_of(NAME, 7, b"\1" * 32, "", "x"),
                                                              LOG), two)),
            ("a size with a zero first", faces(signed(FACES[0].replace("\n7\n", "\n07\n"), LOG),
                                               two))):
        refuse(comment, evidence)
    refuse("a text of 301 bytes", faces(signed(FACES[0] + "x" * (300 - len(FACES[0])) + "\n", LOG),
                                        two), "object_too_large", "faces_large", full)
    tiny = signature_line("a", b"\1\2\3\4", b"x")
    refuse("33 signatures", faces(FACES[0] + "\n" + tiny * 33, two), "object_too_large",
           "faces_large", full)
    for comment, evidence, code in (
            ("the greater root first, not signed by the log", faces(
                *(signed(text, FORGER) for text in FACES[::-1])), "proof_form"),
            ("cosigned, of another log", faces(*(signed(text.replace("dir", "other"), OTHER, W1)
                                                 for text in FACES)), "proof_form"),
            ("a forged first, and a second that is no checkpoint",
             faces(signed(FACES[0], FORGER), signed("x\n", LOG)), "proof_form"),
            ("a forged first, and a second of another origin",
             faces(signed(FACES[0], FORGER), signed(text_of("d.example", 7, b"\2" * 32), LOG)),
             "signature"),
            ("a first of another origin, and a forged second",
             faces(signed(text_of("d.example", 7, b"\1" * 32), LOG), signed(FACES[1], FORGER)),
             "proof"),
            ("two sizes, not signed by the log", faces(
                one, signed(FACES[1].replace("\n7\n", "\n8\n"), FORGER)), "signature")):
        bad.invalid(comment, args(evidence), code, twin, ["note_order"])


def _faces_judged(file, args, one, two, twin) -> None:
    bad = file.group("judged")

    def refuse(comment, evidence, code, flag, log=LOG):
        bad.invalid(comment, args(evidence, log), code, twin, [flag], importance="critical")
    eight = [signed(text.replace("\n7\n", "\n8\n"), LOG) for text in FACES]
    for comment, evidence in (("one note twice", faces(one, one)), ("a later one", faces(one,
                                                                                         eight[1])),
                              ("an earlier one", faces(eight[0], two)),
                              ("one root, another extension", faces(
                                  one, signed(FACES[0] + "x\n", LOG)))):
        refuse(comment, evidence, "proof", "faces_none")
    others = [signed(text.replace("dir.example", "other.example"), LOG) for text in FACES]
    refuse("of another origin", faces(*others), "proof", "faces_none")
    refuse("the first of another origin", faces(others[0], two), "proof", "faces_none")
    refuse("the second of another origin", faces(one, others[1]), "proof", "faces_none")
    refuse("another log's, judged by this one's key", faces(
        *(signed(text.replace("dir.example", "other.example"), OTHER) for text in FACES)), "proof",
        "faces_none")
    forged = [signed(text, FORGER) for text in FACES]
    refuse("forged", faces(*forged), "signature", "faces_forged")
    refuse("the first forged", faces(forged[0], two), "signature", "faces_forged")
    refuse("the second forged", faces(one, forged[1]), "signature", "faces_forged")
    refuse("judged by the forger's key", faces(one, two), "signature", "faces_forged", FORGER)
    refuse("signed by witnesses, not by the log", faces(
        *(signed(text, W1) for text in FACES)), "signature", "faces_forged")
    for at, text in enumerate(FACES):
        blob = flip(blob_of(LOG, text), 511)
        shown = [one, two]
        shown[at] = line_of(text + "\n", LOG.key, blob)
        refuse(f"a bit of signature {at} changed", faces(*shown), "signature", "faces_forged")
    refuse("the second text changed after signing", faces(one, line_of(
        FACES[1].replace("AgIC", "AwIC") + "\n", LOG.key, blob_of(LOG, FACES[1]))), "signature",
        "faces_forged")


def files() -> list:
    return [_checkpoints(), _faces_made(), _faces()]
