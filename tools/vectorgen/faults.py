"""Faults that every signed object can have, each alone: the object is signed again after it."""
from ams_py.encoding import b64, encode, unb64

WRONG_TYPE = {str: 1, int: "1", list: {}, dict: []}


def faults(group, make, args, twin, listed: dict, tag_of_another: str = "key/1", code=None):
    """make(**changed) -> the signed object; args(value) -> the op's args. listed: name -> kind, of
    "binary", "kid", "domain", "address", "text", "integer", "array". code: that of every
    fault, where there is one."""
    def refuse(comment, flag, its_code, **changed):
        group.invalid(comment, args(make(**changed)), code or its_code, twin, [flag])
    for name, kind in listed.items():
        refuse(f"no {name}", "missing_member", "schema", **{name: None})
        value = make()[name]
        refuse(f"{name} has another type", "wrong_type", "schema",
               **{name: WRONG_TYPE[type(value)]})
        SPECIAL[kind](refuse, name, value)
    refuse("an unknown member", "unknown_member", "unknown_member", zz=1)
    refuse("an unknown member that would be ignored in args", "unknown_member", "unknown_member",
           x_a=1)
    value = make()
    form = code or "schema"
    for tag in (tag_of_another, value["ams"].split("/")[0] + "/2", value["ams"].upper(), ""):
        refuse(f"the tag {tag!r}", "wrong_tag", "unknown_ams_tag", ams=tag)
    refuse("no tag", "wrong_tag", form, ams=None)
    refuse("the tag is a number", "wrong_tag", form, ams=1)


def signature_faults(group, value: dict, args, twin, code: str = "signature", other=None) -> None:
    """Faults of sig itself. other: the sig of another key over the same object."""
    sig = bytearray(_sig(value))
    for bit, where in ((0, "first"), (8 * len(sig) - 1, "last")):
        flipped = bytearray(sig)
        flipped[bit // 8] ^= 1 << (bit % 8)
        group.invalid(f"the {where} byte of sig changed",
                      args({**value, "sig": b64(bytes(flipped))}), code,
                      twin, ["signature_flip"], importance="critical")
    group.invalid("a signature of zeros", args({**value, "sig": b64(bytes(len(sig)))}), code, twin,
                  ["signature_flip"], importance="critical")
    if other is not None:
        group.invalid("signed by another key", args({**value, "sig": other}), code, twin,
                      ["signature_other_key"], importance="critical")
    group.invalid("no sig", args({n: v for n, v in value.items() if n != "sig"}), "schema", twin,
                  ["missing_member"])
    group.invalid("an empty sig", args({**value, "sig": ""}), "base64url", twin, ["base64url"])


def _sig(value: dict) -> bytes:
    return unb64(value["sig"])


def _binary(refuse, name, value):
    refuse(f"{name} is padded", "base64url", "base64url", **{name: value + "="})
    refuse(f"{name} is one character short", "base64url", "base64url", **{name: value[:-1]})


def _kid(refuse, name, value):
    refuse(f"{name} in capitals", "kid_form", "schema", **{name: value.upper()})
    refuse(f"{name} without hyphens", "kid_form", "schema", **{name: value.replace("-", "")})
    refuse(f"{name} in braces", "kid_form", "schema", **{name: "{" + value + "}"})


def _domain(refuse, name, value):
    for bad in ("Home.example", "localhost", "home.example.", "-home.example", "home..example",
                "h\u00f6me.example", "home_1.example", "a" * 64 + ".example", ""):
        refuse(f"{name} {bad!r}", "domain_syntax", "address_syntax", **{name: bad})


def _address(refuse, name, value):
    domain = value.rpartition("@")[2]
    for local in ("Alice", "", ".alice", "alice.", "al..ice", "al ice", "al\"ice", "al,ice", "a@b",
                  "\u0430lice", "alice\n", "(c)alice", "a" * 65):
        refuse(f"the local part {local!r}", "address_syntax", "address_syntax",
               **{name: f"{local}@{domain}"})
    for bad in ("alice", f"alice@{domain}.", f"alice@{domain.upper()}", "alice@localhost",
                f"<alice@{domain}>", f"alice@{domain} ", "alice@[127.0.0.1]", "alice@a..example"):
        refuse(f"the address {bad!r}", "address_syntax", "address_syntax", **{name: bad})
    refuse(f"{name} of 1,025 bytes", "object_too_large", "object_too_large", **{name: "a" * 1025})


def _text(refuse, name, value):
    refuse(f"{name} of 1,025 bytes", "object_too_large", "object_too_large", **{name: "a" * 1025})


def _integer(refuse, name, value):
    refuse(f"{name} is negative", "out_of_range", "schema", **{name: -1})
    refuse(f"{name} is true", "wrong_type", "schema", **{name: True})


SPECIAL = {"binary": _binary, "kid": _kid, "domain": _domain, "address": _address, "text": _text,
           "integer": _integer, "array": lambda *_: None}


def raw(value) -> dict:
    return {"raw_b64": b64(encode(value))}
