"""Verifier keys, signed notes, cosignatures (spec CKP-1 to CKP-6)."""
import base64

from ams_py import crypto, proofs
from ams_py.encoding import b64

from .book import NOW_MS, File
from .logbook import Signer, signature_line
from .logs import flip, root

NOW_S = NOW_MS // 1000
NAME = "dir.example/ams-directory"
LOG = Signer(NAME, 1, "directory of dir.example")
OTHER = Signer("other.example/ams-directory", 1, "directory of other.example")
FORGER = Signer(NAME, 1, "forger of dir.example")
W1, W2, W3 = (Signer(f"w{n}.example/ams-directory", 4, f"witness {n}") for n in (1, 2, 3))
DASH = "\u2014"


def line_of(text: str, key: proofs.NoteKey, blob: bytes) -> str:
    return text + signature_line(key.name, key.id, blob)


def blob_of(signer: Signer, text: str, time: int = NOW_S) -> bytes:
    return base64.b64decode(signer.line(text, time).split(" ")[2])[4:]


def base(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def bytes_of(note) -> str:
    return b64(note if isinstance(note, bytes) else note.encode())


def signed(text: str, *signers) -> str:
    return text + "\n" + "".join(one.line(text) for one in signers)


# --- verifier keys ---

def _keys() -> File:
    file = File("verifiable/note_keys.json", "notekey.read", "nkr")
    good, bad = file.group("valid"), file.group("invalid")
    # The key of sum.golang.org, which the specification of signed notes names.
    good.valid("the key of sum.golang.org",
               {"key": "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"}, (),
               ["CKP-3"])
    twin = good.valid("a log's key", {"key": LOG.key.text()}, (), ["CKP-3"])
    witness = good.valid("a witness's key", {"key": W1.key.text()}, (), ["CKP-3"])
    for name in ("a", "!", "~" * 100, "\"quoted\"", "a/b/c?d=e", "-", "A.B_c*"):
        good.valid(f"the name {name!r}", {"key": proofs.NoteKey(name, 1, LOG.public).text()}, (),
                   ["CKP-2", "CKP-3"])
    name, key_id, key = LOG.key.text().split("+", 2)

    def refuse(comment, text, flag="note_key", valid=twin):
        bad.invalid(comment, {"key": text}, "proof_form", valid, [flag])
    for comment, text in (
            ("nothing", ""), ("a name", name), ("a name and an id", f"{name}+{key_id}"),
            ("no name", f"+{key_id}+{key}"), ("no key", f"{name}+{key_id}+"),
            ("an id of 7 digits", f"{name}+{key_id[:7]}+{key}"),
            ("an id of 9 digits", f"{name}+{key_id}0+{key}"),
            ("an id in capitals", f"{name}+{key_id.upper()}+{key}"),
            ("an id that is no number", f"{name}+xyzxyzxy+{key}"),
            ("an id with 0x", f"{name}+0x{key_id[:6]}+{key}"),
            ("a space first", " " + LOG.key.text()), ("a newline last", LOG.key.text() + "\n"),
            ("a space in the name", f"dir example+{key_id}+{key}"),
            ("a letter beyond ASCII in the name", f"d\u00edr.example+{key_id}+{key}"),
            ("base64url", f"{name}+{key_id}+{b64(base64.b64decode(key))}_"),
            ("base64 without its last digit", f"{name}+{key_id}+{key[:-1]}"),
            ("base64 with a newline", f"{name}+{key_id}+{key[:20]}\n{key[20:]}"),
            ("a bar for a plus", f"{name}|{key_id}|{key}")):
        refuse(comment, text)

    def told(kind: int, raw: bytes, its: str = NAME) -> str:
        """With the id that follows from it."""
        return f"{its}+{proofs.NoteKey(its, kind, raw).id.hex()}+{base(bytes([kind]) + raw)}"
    refuse("a name of 101 characters", told(1, LOG.public, "n" * 101))
    for comment, raw in (("31 bytes", LOG.public[:31]), ("33 bytes", LOG.public + b"\0"),
                         ("none", b"")):
        refuse(f"a key of {comment}", told(1, raw))
    for kind in (0, 2, 3, 5, 6, 255):
        refuse(f"a key of type {kind}", told(kind, LOG.public))
    for comment, text in (
            ("another name", f"{OTHER.key.name}+{key_id}+{key}"),
            ("another key", f"{name}+{key_id}+{OTHER.key.text().split('+', 2)[2]}"),
            ("another type", f"{name}+{key_id}+{base(bytes([4]) + LOG.public)}"),
            ("zeros", f"{name}+00000000+{key}"),
            ("the id without the newline",
             f"{name}+{proofs.sha(NAME.encode(), bytes([1]), LOG.public)[:4].hex()}+{key}"),
            ("the id without the type",
             f"{name}+{proofs.sha(NAME.encode(), b'<', LOG.public)[:4].hex()}+{key}")):
        refuse(f"{comment} under the id", text, "note_key_id")
    name4, _, key4 = W1.key.text().split("+", 2)
    refuse("a witness's key under the id of type 1",
           f"{name4}+{proofs.NoteKey(name4, 1, W1.public).id.hex()}+{key4}", "note_key_id", witness)
    for y in [*sorted(crypto.SMALL_ORDER_Y), 2**255 - 19 + 3]:
        bad.invalid(f"the y {y:#x}", {"key": told(1, y.to_bytes(32, "little"))}, "key_material",
                    twin, ["note_weak_key"], importance="critical")
    return file


# --- signatures ---

TEXT = f"{NAME}\n7\n{base(root(7))}\n"


def _made() -> File:
    file = File("verifiable/notes_made.json", "note.sign", "nsg")
    good = file.group("made")
    for comment, text in (("a checkpoint", TEXT), ("a line", "x\n"), ("an empty line", "\n"),
                          ("lines with an empty one between", "a\n\nb\n"),
                          ("120 lines", "line\n" * 120)):
        args = {"text_b64": b64(text.encode()), "private_b64": b64(LOG.seed)}
        good.valid(f"signed: {comment}", {**args, "name": NAME}, (), ["CKP-1", "CKP-3", "CKP-4"])
        for time in (NOW_S, 0, 2**63 - 1):
            good.valid(f"cosigned at {time:,}: {comment}",
                       {**args, "name": W1.key.name, "time": str(time)}, (),
                       ["CKP-1", "CKP-3", "CKP-5"])
    for name in ("a", "~" * 100):
        good.valid(f"the name {name[:3]}", {"text_b64": b64(b"x\n"), "private_b64": b64(W2.seed),
                                            "name": name}, (), ["CKP-3"])
    return file


def _notes() -> File:
    file = File("verifiable/notes.json", "note.verify", "nvf")
    good, twins = file.group("valid"), {}

    def args(note, key=LOG.key) -> dict:
        return {"note_b64": bytes_of(note), "key": key.text()}
    whole = signed(TEXT, LOG)
    twin = good.valid("signed by the log", args(whole), (), ["CKP-1", "CKP-2", "CKP-4", "CKP-6"])
    for comment, text in (("one empty line", "\n"), ("empty lines", "a\n\n\nb\n\n"),
                          ("no checkpoint", "hello\n"), ("all characters that a line may have",
                                                         "".join(map(chr, range(32, 127))) + "\n"),
                          ("a text that looks like a signature", "- x AAAA\n")):
        twins[comment] = good.valid(comment, args(signed(text, LOG)), (), ["CKP-1", "CKP-2"])
    both = signed(TEXT, LOG, W1)
    twins["cosigned"] = good.valid("cosigned", args(both, W1.key), (), ["CKP-5", "CKP-6"])
    for time in (0, 1, 2**32, 2**63 - 1):
        good.valid(f"cosigned at {time:,}", args(TEXT + "\n" + W1.line(TEXT, time), W1.key), (),
                   ["CKP-5"])
    good.valid("cosigned twice, the later time first", args(
        whole + W1.line(TEXT, NOW_S) + W1.line(TEXT, 5), W1.key), (), ["CKP-6"])
    good.valid("signed twice", args(signed(TEXT, LOG, LOG)), (), ["CKP-6"])
    good.valid("32 signatures", args(signed(TEXT, LOG, *[W1] * 31)), ["note_large"], ["CKP-1"])
    text = "x" * (128 * 1024 - len(signed("\n", LOG).encode())) + "\n"
    twins["large"] = good.valid("128 KiB", args(signed(text, LOG)), ["note_large"], ["CKP-1"])
    strange = signature_line("some.example", b"\1\2\3\4", b"\0")
    for comment, more in (
            ("an unknown name", strange), ("a blob of 1 byte", strange),
            ("the log's id under another name", signature_line("some.example", LOG.key.id,
                                                               b"x" * 64)),
            ("the log's name with another id", signature_line(NAME, b"\1\2\3\4", b"x" * 64)),
            ("the log's key as a witness", signature_line(NAME, proofs.NoteKey(
                NAME, 4, LOG.public).id, b"x" * 72)),
            ("a blob of 4,000 bytes", signature_line("pq.example", b"\6\2\3\4", bytes(4000)))):
        good.valid(f"passed over: {comment}", args(whole + more), ["note_unknown"])
        good.valid(f"passed over before the log's: {comment}", args(
            TEXT + "\n" + more + LOG.line(TEXT)), ["note_unknown"])
    _layouts(file, args, twin, twins)
    _lines(file, args, twin)
    _signatures(file, args, twin, twins)
    return file


def _layouts(file, args, twin, twins) -> None:
    bad, sizes = file.group("layout"), file.group("sizes")
    whole, mine = signed(TEXT, LOG), LOG.line(TEXT)

    def refuse(comment, note, flag="note_layout", valid=twin):
        bad.invalid(comment, args(note), "proof_form", valid, [flag])
    for comment, note in (
            ("nothing", ""), ("a newline", "\n"), ("two newlines", "\n\n"), ("the text alone",
                                                                             TEXT),
            ("the text and the empty line", TEXT + "\n"), ("a signature alone", mine),
            ("no empty line", TEXT + mine),
            ("the last newline is missing", whole[:-1]), ("a newline more", whole + "\n"),
            ("a line more", whole + "x\n"), ("a space more", whole + " "),
            ("a zero byte more", whole + "\0"), ("an empty line among the signatures",
                                                  whole + "\n" + mine + "\n"),
            ("lines end in CR LF", whole.replace("\n", "\r\n")),
            ("the empty line has a space", TEXT + " \n" + mine),
            ("a byte order mark", "\ufeff" + whole)):
        refuse(comment, note)
    for comment, text in (("a tab", "a\tb\n"), ("a zero", "a\0b\n"), ("CR", "a\r\n"),
                          ("a delete", "a\x7f\n"), ("a letter beyond ASCII", "\u00e9\n"),
                          ("an em dash", f"{DASH} a\n"), ("a line separator", "a\u2028b\n")):
        refuse(f"in the text: {comment}", signed(text, LOG))
    refuse("in the text: a byte that is no UTF-8", b"\xff\n\n" + LOG.line("x\n").encode())
    large = "x" * (128 * 1024 - len(signed("\n", LOG).encode()) + 1) + "\n"
    for comment, note, valid in (("a byte above 128 KiB", signed(large, LOG), twins["large"]),
                                 ("33 signatures", signed(TEXT, LOG, *[W1] * 32), twin),
                                 ("33 unknown signatures", TEXT + "\n" + mine + signature_line(
                                     "s.example", b"\1\2\3\4", b"x") * 32, twin)):
        sizes.invalid(comment, args(note), "object_too_large", valid, ["note_large"])
    for comment, note, code in (
            ("33 lines that are no signatures", TEXT + "\n" + "x\n" * 33, "object_too_large"),
            ("33 signatures under a text with a tab", signed("\t\n", *[LOG] * 33),
             "object_too_large"),
            ("a text with a tab over a line that is no signature", "\t\n\nx\n", "proof_form")):
        sizes.invalid(comment, args(note), code, twin, ["note_order"])


def _lines(file, args, twin) -> None:
    bad = file.group("lines")
    raw = LOG.key.id + blob_of(LOG, TEXT)
    for comment, line in (
            ("an en dash", f"\u2013 {NAME} {base(raw)}"), ("a hyphen", f"- {NAME} {base(raw)}"),
            ("two hyphens", f"-- {NAME} {base(raw)}"), ("no dash", f"{NAME} {base(raw)}"),
            ("no space after the dash", f"{DASH}{NAME} {base(raw)}"),
            ("two spaces after the dash", f"{DASH}  {NAME} {base(raw)}"),
            ("a tab after the name", f"{DASH} {NAME}\t{base(raw)}"),
            ("two spaces after the name", f"{DASH} {NAME}  {base(raw)}"),
            ("no signature", f"{DASH} {NAME}"), ("an empty signature", f"{DASH} {NAME} "),
            ("no name", f"{DASH} {base(raw)}"), ("a plus in the name", f"{DASH} a+b {base(raw)}"),
            ("a space in the name", f"{DASH} dir example {base(raw)}"),
            ("a name of 101 characters", f"{DASH} {'n' * 101} {base(raw)}"),
            ("a letter beyond ASCII in the name", f"{DASH} d\u00edr {base(raw)}"),
            ("a control character in the name", f"{DASH} a\x01b {base(raw)}"),
            ("a space at the end", f"{DASH} {NAME} {base(raw)} "),
            ("base64 without its padding", f"{DASH} {NAME} {base(raw).rstrip('=')}"),
            ("base64 with padding too much", f"{DASH} {NAME} {base(raw)}="),
            ("base64url", f"{DASH} {NAME} {base(b'???' + raw).replace('/', '_')}"),
            ("unused bits of base64 set", f"{DASH} {NAME} {base(raw + b'x')[:-3]}h=="),
            ("padding within", f"{DASH} {NAME} AAAA=AAA"),
            ("4 bytes: a key id alone", f"{DASH} {NAME} {base(LOG.key.id)}"),
            ("3 bytes", f"{DASH} {NAME} {base(LOG.key.id[:3])}")):
        bad.invalid(f"alone: {comment}", args(f"{TEXT}\n{line}\n"), "proof_form", twin,
                    ["note_layout"])
        bad.invalid(f"beside the log's signature: {comment}", args(
            f"{TEXT}\n{LOG.line(TEXT)}{line}\n"), "proof_form", twin, ["note_layout"])


def _signatures(file, args, twin, twins) -> None:
    bad, mine, cosigned = file.group("signatures"), blob_of(LOG, TEXT), blob_of(W1, TEXT)

    def refuse(comment, flag, note, key=LOG.key):
        bad.invalid(comment, args(note, key), "signature",
                    twins["cosigned"] if key.kind == 4 else twin, [flag], importance="critical")
    for at in (0, 31, 32, 63):
        refuse(f"byte {at} changed", "note_signature", line_of(TEXT + "\n", LOG.key,
                                                               flip(mine, 8 * at)))
    for comment, blob in (("63 bytes", mine[:63]), ("65 bytes", mine + b"\0"), ("1 byte", b"\0"),
                          ("64 zeros", bytes(64)), ("a cosignature for a signature", cosigned)):
        refuse(comment, "note_signature", line_of(TEXT + "\n", LOG.key, blob))
    refuse("by another key under this name and id", "note_signature", line_of(
        TEXT + "\n", LOG.key, blob_of(FORGER, TEXT)))
    refuse("over the text without its newline", "note_signature", line_of(
        TEXT + "\n", LOG.key, blob_of(LOG, TEXT[:-1])))
    refuse("over the text and the empty line", "note_signature", line_of(
        TEXT + "\n", LOG.key, blob_of(LOG, TEXT + "\n")))
    refuse("two empty lines between, of which the first is the text's", "note_signature",
           TEXT + "\n\n" + LOG.line(TEXT))
    refuse("another text under the signature", "note_signature", line_of(
        TEXT.replace("\n7\n", "\n8\n") + "\n", LOG.key, mine))
    refuse("a good one, then a bad one", "note_signature", line_of(
        signed(TEXT, LOG), LOG.key, bytes(64)))
    refuse("a bad one, then a good one", "note_signature", line_of(
        TEXT + "\n", LOG.key, bytes(64)) + LOG.line(TEXT))
    for comment, note in (("unknown signers alone", signed(TEXT, OTHER, W1)),
                          ("the forger's key under the log's name", signed(TEXT, FORGER)),
                          ("the log's signature under another name", TEXT + "\n" + signature_line(
                              "d.example", LOG.key.id, mine)),
                          ("the log's signature under another id", TEXT + "\n" + signature_line(
                              NAME, FORGER.key.id, mine)),
                          ("the log's name in capitals", TEXT + "\n" + signature_line(
                              NAME.upper(), LOG.key.id, mine))):
        refuse(f"none by the log: {comment}", "note_unsigned", note)
    refuse("no cosignature", "note_unsigned", signed(TEXT, LOG), W1.key)
    refuse("a plain signature of the witness's key", "note_unsigned", signed(
        TEXT, Signer(W1.key.name, 1, "witness 1")), W1.key)
    _cosignatures(refuse)


def _cosignatures(refuse) -> None:
    blob = blob_of(W1, TEXT)

    def cosigned(comment, changed, flag="cosignature"):
        refuse(comment, flag, line_of(signed(TEXT, LOG), W1.key, changed), W1.key)
    for at in (0, 7, 8, 71):
        cosigned(f"byte {at} of a cosignature changed", flip(blob, 8 * at + 7))
    for comment, changed in (
            ("71 bytes", blob[:71]), ("73 bytes", blob + b"\0"), ("8 bytes", blob[:8]),
            ("7 bytes", blob[:7]), ("64 bytes, without its time", blob[8:]), ("72 zeros",
                                                                              bytes(72)),
            ("the time after the signature", blob[8:] + blob[:8]),
            ("the time little-endian", blob[:8][::-1] + blob[8:]),
            ("of another text", blob_of(W1, TEXT.replace("\n7\n", "\n8\n"))),
            ("of another witness", blob_of(W2, TEXT))):
        cosigned(f"a cosignature of {comment}" if comment[0].isdigit() else
                 f"a cosignature, {comment}", changed)
    for comment, prefix in (("without its prefix", f"time {NOW_S}\n"), ("without its time",
                                                                        "cosignature/v1\n"),
                            ("of the text alone", ""), ("of version 2", f"cosignature/v2\ntime "
                                                        f"{NOW_S}\n"),
                            ("with its time in hexadecimal", f"cosignature/v1\ntime {NOW_S:x}\n"),
                            ("with an empty line after its time",
                             f"cosignature/v1\ntime {NOW_S}\n\n")):
        signature = crypto.sign_ed25519(W1.seed, (prefix + TEXT).encode())
        cosigned(f"a cosignature {comment}", NOW_S.to_bytes(8, "big") + signature)
    for time in (2**63, 2**64 - 1):
        cosigned(f"a time of {time:,}", blob_of(W1, TEXT, time), "cosignature_time")
    refuse("a good cosignature, then a bad one", "cosignature", line_of(
        signed(TEXT, LOG, W1), W1.key, bytes(72)), W1.key)


def files() -> list:
    return [_keys(), _made(), _notes()]
