"""Objects judged member by member, in the order of ENC-16.

A kind is a function (value, where) -> the value in the form that callers use (bytes for binary).
"""
import base64
import re

from .encoding import INTEGER_MAX, unb64
from .errors import fail, require

STRING_MAX = 1024  # bytes, ENC-17
LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}\Z")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
KID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


def good_domain(text: str) -> bool:
    labels = text.split(".")
    return (len(text) <= 253 and len(labels) >= 2 and
            all(LABEL.match(label) is not None for label in labels))


def good_address(text: str) -> bool:
    local, at, name = text.rpartition("@")
    return (at == "@" and LOCAL.match(local) is not None and local[0] != "." and
            local[-1] != "." and ".." not in local and good_domain(name))


def parse_address(value: str) -> tuple:
    """(local, domain), ENC-14."""
    require(good_address(value), "address_syntax", "address")
    return value.rpartition("@")[::2]


def text(limit: int = STRING_MAX):
    def judge(value, where):
        if not isinstance(value, str):
            fail("schema", where)
            return ""
        require(len(value.encode("utf-8", "surrogateescape")) <= limit, "object_too_large", where)
        return value
    return judge


def binary(low: int, high: int = None):
    """Bytes of a length from low to high; high None: exactly low."""
    def judge(value, where):
        if not isinstance(value, str):
            fail("schema", where)
            return b""
        raw = unb64(value)
        if raw is None or not low <= len(raw) <= (low if high is None else high):
            fail("base64url", where)
            loose = re.sub(r"[^A-Za-z0-9_-]", "", value.replace("+", "-").replace("/", "_"))
            raw = base64.urlsafe_b64decode(loose[:len(loose) // 4 * 4 + len(loose) % 4] + "==")
        return raw
    return judge


def integer(low: int = 0, high: int = INTEGER_MAX):
    def judge(value, where):
        if isinstance(value, bool) or not isinstance(value, int):
            fail("schema", where)
            return low
        require(low <= value <= high, "schema", where)
        return value
    return judge


def one_of(*names):
    def judge(value, where):
        value = text()(value, where)
        require(value in names, "schema", where)
        return value
    return judge


def any_object(value, where):
    require(isinstance(value, dict), "schema", where)
    return value


def kid(value, where):
    if not isinstance(value, str):
        fail("schema", where)
        return value
    require(len(value) <= STRING_MAX, "object_too_large", where)
    require(KID.match(value) is not None, "schema", where)
    return value


def domain(value, where):
    value = text()(value, where)
    require(good_domain(value), "address_syntax", where)
    return value


def address(value, where):
    value = text()(value, where)
    require(good_address(value), "address_syntax", where)
    return value


def array(item, low: int = 0, high: int = None, ascending: bool = False, code="object_too_large"):
    """low to high elements; ascending: in strictly ascending order."""
    def judge(value, where):
        if not isinstance(value, list):
            fail("schema", where)
            return []
        require(high is None or len(value) <= high, code, where)
        require(len(value) >= low, "schema", where)
        out = [item(element, where + "[]") for element in value]
        if ascending:
            require(all(a < b for a, b in zip(out, out[1:])), "schema", where)
        return out
    return judge


def given(kind):
    """Of a kind (value, where, members read before it)."""
    kind.given = True
    return kind


def members(tag, listed: list, extra: str = None):
    """A kind for an object: its ams tag (None: it has none) and [(name or name?, kind)…]; extra:
    how the names of members begin that are ignored."""
    def judge(value, where):
        if not isinstance(value, dict):
            fail("schema", where)
            return {}
        if tag is not None:
            require(isinstance(value.get("ams"), str), "schema", where + ".ams")
            require(value.get("ams") == tag, "unknown_ams_tag", where)
        out, known = {}, {"ams"} if tag is not None else set()
        for name, kind in listed:
            optional, name = name.endswith("?"), name.rstrip("?")
            known.add(name)
            if name in value:
                before = (out,) if hasattr(kind, "given") else ()
                out[name] = kind(value[name], f"{where}.{name}", *before)
            elif not optional:
                fail("schema", f"{where}.{name}")
        for name in sorted(value):
            ignored = extra is not None and name.startswith(extra)
            require(name in known or ignored, "unknown_member", where)
        return out
    return judge
