"""AMS-CJ (spec ENC): a decoder that refuses in the prescribed order, and the canonical writer."""
import base64
import re

from .errors import fail, require

DEPTH_MAX = 16
INTEGER_MAX = 2**53 - 1
MEMBER_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
LOW_HALF = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
SHORT_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r",
                 "t": "\t"}
PLAIN = re.compile(r'[^"\\\x00-\x1f]*')  # what stands in a string as it is
ESCAPED = re.compile(r'["\\\x00-\x1f\ud800-\udfff]')
WRITTEN = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r",
           "\t": "\\t"}


class Pairs(list):
    """An object as it was read: [name, value], so that a repeated name is still seen."""


class Number(str):
    """A number kept as text: only where the check of ENC-8 is disabled."""


class _Scanner:
    def __init__(self, text: str):
        self.text, self.at = text, 0

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\n\r":
            self.at += 1

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def expect(self, token: str) -> None:
        require(self.text.startswith(token, self.at), "json_syntax", "text")
        self.at += len(token)

    def value(self, depth: int):
        self.space()
        first = self.peek()
        if first == "{":
            return self.object(depth + 1)
        if first == "[":
            return self.array(depth + 1)
        if first == '"':
            return self.string()
        if first in ("t", "f", "n"):
            return self.word(first)
        return self.number()

    def word(self, first: str):
        token, value = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}[first]
        self.expect(token)
        if value is None:
            fail("null_value", "text")
        return value

    def number(self):
        found = NUMBER.match(self.text, self.at)
        require(found is not None, "json_syntax", "text")
        self.at = found.end()
        if found[1] or found[2] or len(found[0]) > 17 or abs(int(found[0])) > INTEGER_MAX:
            fail("number", "text")
            return Number(found[0])
        return int(found[0])

    def hex4(self) -> int:
        digits = self.text[self.at:self.at + 4]
        require(re.fullmatch(r"[0-9a-fA-F]{4}", digits) is not None, "json_syntax", "text")
        self.at += 4
        return int(digits, 16)

    def escape(self) -> str:
        kind = self.peek()
        self.at += 1
        if kind != "u":
            require(kind in SHORT_ESCAPES and kind != "", "json_syntax", "text")
            return SHORT_ESCAPES[kind]
        unit = self.hex4()
        if 0xD800 <= unit < 0xDC00:
            low = LOW_HALF.match(self.text, self.at)
            if low:
                self.at = low.end()
                return chr(0x10000 + ((unit - 0xD800) << 10) + (int(low[1], 16) - 0xDC00))
        if 0xD800 <= unit < 0xE000:
            fail("surrogate", "text")
        return chr(unit)

    def string(self) -> str:
        self.expect('"')
        out = []
        while True:
            plain = PLAIN.match(self.text, self.at)
            out.append(plain[0])
            self.at = plain.end()
            char = self.peek()
            require(char != "" and char >= " ", "json_syntax", "text")
            self.at += 1
            if char == '"':
                return "".join(out)
            out.append(self.escape() if char == "\\" else char)

    def array(self, depth: int) -> list:
        require(depth <= DEPTH_MAX, "depth", "text")
        self.expect("[")
        items = []
        self.space()
        if self.peek() == "]":
            self.at += 1
            return items
        while True:
            items.append(self.value(depth))
            self.space()
            if self.peek() == "]":
                self.at += 1
                return items
            self.expect(",")

    def object(self, depth: int) -> Pairs:
        require(depth <= DEPTH_MAX, "depth", "text")
        self.expect("{")
        pairs = Pairs()
        self.space()
        if self.peek() == "}":
            self.at += 1
            return pairs
        while True:
            self.space()
            name = self.string()
            require(MEMBER_NAME.match(name) is not None, "member_name", "text")
            require(all(name != other for other, _ in pairs), "duplicate_name", "text")
            self.space()
            self.expect(":")
            pairs.append((name, self.value(depth)))
            self.space()
            if self.peek() == "}":
                self.at += 1
                return pairs
            self.expect(",")


def _write_string(text: str) -> str:
    if ESCAPED.search(text) is None:
        return f'"{text}"'
    out = []
    for char in text:
        if char in WRITTEN:
            out.append(WRITTEN[char])
        elif char < " " or 0xD800 <= ord(char) < 0xDC80 or 0xDD00 <= ord(char) < 0xE000:
            out.append(f"\\u{ord(char):04x}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def _utf16(pair) -> bytes:
    return pair[0].encode("utf-16-be", "surrogatepass")


def _write(value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return _write_string(value)
    if isinstance(value, (Pairs, dict)):
        pairs = value.items() if isinstance(value, dict) else value
        return "{" + ",".join(f"{_write_string(name)}:{_write(item)}"
                              for name, item in sorted(pairs, key=_utf16)) + "}"
    return "[" + ",".join(_write(item) for item in value) + "]"


def encode(value) -> bytes:
    """AMS-CJ of a value of dict, list, str, int and bool."""
    return _write(value).encode("utf-8", "surrogateescape")


def _plain(value):
    if isinstance(value, Pairs):
        return {name: _plain(item) for name, item in value}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _scan(raw: bytes):
    """(value, the text without a mark that a disabled check let pass); ENC-3 to ENC-8."""
    marked = raw.startswith(b"\xef\xbb\xbf")
    if marked:
        fail("bom", "text")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        fail("utf8", "text")
        text = raw.decode("utf-8", "surrogateescape")
    scanner = _Scanner(text.lstrip("\ufeff") if marked else text)
    value = scanner.value(0)
    scanner.space()
    require(scanner.at == len(scanner.text), "json_syntax", "text")
    return value, raw[3:] if marked else raw


def decode(raw: bytes):
    """The value of an AMS-CJ text, or AmsError with the code that ENC-3 prescribes."""
    value, compared = _scan(raw)
    require(encode(value) == compared, "not_canonical", "text")
    return _plain(value)


def canonicalise(raw: bytes) -> bytes:
    """ENC-20: the canonical form of a text that passes ENC-3 to ENC-8."""
    return encode(_scan(raw)[0])


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def unb64(text: str):
    """The bytes, or None when the text is not canonical unpadded base64url."""
    if re.fullmatch(r"[A-Za-z0-9_-]*", text) is None or len(text) % 4 == 1:
        return None
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return raw if b64(raw) == text else None
