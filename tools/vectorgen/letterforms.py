"""Letters by themselves (spec MSG-24, ENC-9 to ENC-19): letter.judge."""
from ams_py.encoding import b64, encode
from ams_py.seal import Draws

from .book import File
from .faults import SPECIAL, WRONG_TYPE
from .letters import add, attachment, drop, letter
from .world import ALICE, BOB, HOME

KINDS = {"mid": "binary", "from": "array", "deliver_to": "array", "to": "array", "cc": "array",
         "date": "integer", "subject": "none", "in_reply_to": "binary", "thread": "binary",
         "reply_to_addr": "address", "parts": "array", "att": "array", "fk": "binary"}
OPTIONAL = ("in_reply_to", "thread", "reply_to_addr")


def whole() -> dict:
    """A letter with every member."""
    return letter(in_reply_to=b64(Draws("irt").take(16)), thread=b64(Draws("thread").take(16)),
                  reply_to_addr=ALICE.addr, att=[attachment(0), attachment(1)],
                  parts=[{"type": "text/plain", "text": "One"},
                         {"type": "text/html", "text": "<p>Two"}])


def args(value) -> dict:
    return {"raw_b64": b64(encode(value))}


def _valid(group) -> str:
    twin = group.valid("every member", args(whole()), clauses=["MSG-24", "MSG-25"])
    for name in OPTIONAL:
        group.valid(f"without {name}", args(drop(name)(whole())), clauses=["MSG-24"])
    for name, values in (("to", ([], [BOB.addr] * 2, [BOB.addr] * 1024)),
                         ("cc", ([], [BOB.addr] * 1024)), ("deliver_to", ([BOB.addr] * 1024,)),
                         ("subject", ("", "s" * 4096, "\u00e9" * 2048, "line\nfeed", "\u0000")),
                         ("date", (0, 2**53 - 1)), ("att", ([],)),
                         ("parts", ([], [{"type": "", "text": ""}] * 512,
                                    [{"type": "t" * 255, "text": "x" * 70_000}]))):
        for value in values:
            what = f"{len(value)} of it" if isinstance(value, (list, str)) else value
            group.valid(f"{name}: {what}", args({**whole(), name: value}), clauses=["MSG-24"])
    for member, values in (("name", ("", "n" * 1024, "../x", "a\u202etxt")),
                           ("type", ("", "t" * 255)), ("size", (0, 2**53 - 1))):
        for value in values:
            what = value if isinstance(value, int) else f"{value[:8]!r} of {len(value)}"
            group.valid(f"an attachment's {member}: {what}",
                        args({**whole(), "att": [{**attachment(0), member: value}]}),
                        clauses=["MSG-24"])
    group.valid("512 attachments",
                args(letter(att=[attachment(i) for i in range(512)])), clauses=["MSG-24"])
    return twin


def _members(group, twin: str):
    def refuse(comment, flag, code, **changed):
        value = {n: v for n, v in {**whole(), **changed}.items() if v is not None}
        group.invalid(comment, args(value), code, twin, [flag])
    for name, kind in KINDS.items():
        if name not in OPTIONAL:
            refuse(f"no {name}", "missing_member", "schema", **{name: None})
        value = whole()[name]
        for other in {str: (1, True, [], {}), int: ("1", False, [], {}), list: ({}, "x", 1),
                      dict: ([], "x", 1)}[type(value)]:
            refuse(f"{name} is {other!r}", "wrong_type", "schema", **{name: other})
        SPECIAL.get(kind, lambda *_: None)(
            lambda comment, flag, code, **changed: refuse(comment, flag, code, **changed),
            name, value)
    for name, length in (("mid", 15), ("mid", 17), ("in_reply_to", 15), ("in_reply_to", 17),
                         ("thread", 15), ("thread", 17), ("fk", 31), ("fk", 33)):
        refuse(f"{name} of {length} bytes", "base64url", "base64url", **{name: b64(bytes(length))})
    for tag, code in (("letter/2", "unknown_ams_tag"), ("", "unknown_ams_tag"), (1, "schema"),
                      ("env/1", "unknown_ams_tag"), (None, "schema")):
        refuse(f"the tag {tag!r}", "wrong_tag", code, ams=tag)
    refuse("a member more", "unknown_member", "unknown_member", zz=1)
    refuse("a member that would be ignored in args", "unknown_member", "unknown_member", x_a=1)
    refuse("a Bcc member", "unknown_member", "unknown_member", bcc=[BOB.addr])
    refuse("deliver_to is empty", "out_of_range", "schema", deliver_to=[])
    refuse("a subject of 4,097 bytes", "object_too_large", "object_too_large", subject="s" * 4097)
    refuse("a subject of 2,049 characters in 4,098 bytes", "object_too_large", "object_too_large",
           subject="\u00e9" * 2049)
    for name in ("deliver_to", "to", "cc"):
        refuse(f"1,025 addresses in {name}", "object_too_large", "object_too_large",
               **{name: [BOB.addr] * 1025})
        for bad in ("bob", "Bob@away.example", "bob@away", "", "<bob@away.example>"):
            refuse(f"{bad!r} in {name}", "address_syntax", "address_syntax",
                   **{name: [BOB.addr, bad]})
        for bad in (1, True, [BOB.addr], {}):
            refuse(f"{bad!r} in {name}", "wrong_type", "schema", **{name: [bad]})
        refuse(f"an address of 1,025 bytes in {name}", "object_too_large", "object_too_large",
               **{name: ["a" * 1025]})


def _inner(group, twin: str):
    def refuse(comment, flag, code, **changed):
        group.invalid(comment, args({**whole(), **changed}), code, twin, [flag])
    sender = whole()["from"]
    for name in sender:
        refuse(f"from without {name}", "missing_member", "schema", **{"from": drop(name)(sender)})
        other = WRONG_TYPE[type(sender[name])]
        refuse(f"from.{name} is {other!r}", "wrong_type", "schema",
               **{"from": {**sender, name: other}})
    for name, value, code, flag in (
            ("addr", "alice", "address_syntax", "address_syntax"),
            ("addr", f"ALICE@{HOME.name}", "address_syntax", "address_syntax"),
            ("kid", ALICE.kid.upper(), "schema", "kid_form"),
            ("kid", ALICE.kid[:-1], "schema", "kid_form"),
            ("fp", b64(bytes(31)), "base64url", "base64url"),
            ("fp", b64(bytes(33)), "base64url", "base64url"),
            ("zz", 1, "unknown_member", "unknown_member")):
        refuse(f"from.{name} is {str(value)[:20]}", flag, code,
               **{"from": {**sender, name: value}})
    part = {"type": "text/plain", "text": "x"}
    for name in part:
        refuse(f"a part without {name}", "missing_member", "schema", parts=[drop(name)(part)])
        for other in (1, [], True):
            refuse(f"a part's {name} is {other!r}", "wrong_type", "schema",
                   parts=[part, {**part, name: other}])
    refuse("a part's member more", "unknown_member", "unknown_member", parts=[{**part, "zz": 1}])
    refuse("a part's type of 256 bytes", "object_too_large", "object_too_large",
           parts=[{**part, "type": "t" * 256}])
    refuse("a part that is an array", "wrong_type", "schema", parts=[[]])
    refuse("513 parts", "object_too_large", "object_too_large", parts=[part] * 513)
    files, one = [attachment(0), attachment(1)], attachment(1)
    for name, value in one.items():
        refuse(f"an attachment without {name}", "missing_member", "schema",
               att=[files[0], drop(name)(one)])
        refuse(f"an attachment's {name} of another type", "wrong_type", "schema",
               att=[files[0], {**one, name: WRONG_TYPE[type(value)]}])
    for name, value, code, flag in (
            ("id", 0, "schema", "out_of_range"), ("id", 2, "schema", "out_of_range"),
            ("id", -1, "schema", "out_of_range"),
            ("name", "n" * 1025, "object_too_large", "object_too_large"),
            ("type", "t" * 256, "object_too_large", "object_too_large"),
            ("size", -1, "schema", "out_of_range"),
            ("blob", b64(bytes(31)), "base64url", "base64url"),
            ("blob", b64(bytes(33)), "base64url", "base64url"),
            ("key", b64(bytes(31)), "base64url", "base64url"),
            ("key", one["key"] + "=", "base64url", "base64url"),
            ("zz", 1, "unknown_member", "unknown_member")):
        refuse(f"an attachment's {name} is {str(value)[:20]}", flag, code,
               att=[files[0], {**one, name: value}])
    refuse("513 attachments", "object_too_large", "object_too_large",
           att=[attachment(i) for i in range(513)])


def files() -> list:
    file = File("message/letters.json", "letter.judge", "ltr")
    twin = _valid(file.group("valid"))
    _members(file.group("members"), twin)
    _inner(file.group("inner"), twin)
    bad = file.group("text")
    text = encode(letter())
    for what, raw, code, flag in (
            ("nothing", b"", "json_syntax", "grammar"),
            ("an array", b"[" + text + b"]", "schema", "wrong_type"),
            ("a string", b'"letter/1"', "schema", "wrong_type"),
            ("two letters", text + text, "json_syntax", "trailing_data"),
            ("a line feed at the end", text + b"\n", "not_canonical", "white_space"),
            ("a member twice", text.replace(b'"cc":[]', b'"cc":[],"cc":[]'), "duplicate_name",
             "duplicate_member"),
            ("bad UTF-8", text.replace(b"Hello", b"Hell\xff"), "utf8", "utf8_invalid"),
            ("half a surrogate pair", text.replace(b"Hello", b"\\ud83d"), "surrogate",
             "surrogate_escape")):
        bad.invalid(what, {"raw_b64": b64(raw)}, code, twin, [flag])
    return [file]
