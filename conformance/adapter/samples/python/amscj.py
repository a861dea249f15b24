"""AMS-CJ (ENC-1 to ENC-9) and refusals, for adapter.py and keys.py."""
import base64
import json
import re

STRING = r'"(?:[^"\\\0-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*("?)'  # to its end or a bad escape
NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"


class Refused(Exception):
    """phase/code, both of errors.json"""


def need(condition, code="schema/schema"):
    if not condition:
        raise Refused(code)


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text):  # ENC-9; None: it is none
    good = re.fullmatch("[A-Za-z0-9_-]*", text) and len(text) % 4 != 1
    raw = base64.urlsafe_b64decode(text + "==") if good else b""
    return raw if b64(raw) == text else None


def canonical(value):  # of names and values that AMS-CJ allows, json writes RFC 8785 like this
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


class Scan:  # ENC-4 to ENC-8: from left to right, the first violation decides
    def __init__(self, text):
        self.text, self.at = text, 0

    def take(self, pattern):
        found = re.compile(rf"[ \t\n\r]*({pattern})").match(self.text, self.at)
        need(found, "encoding/json_syntax")
        self.at = found.end()
        return found

    @staticmethod
    def judge(found):  # found[2] is a string's closing quote
        token = found[1] + '"' if found[2] == "" else found[1]
        value = json.loads(token, parse_int=lambda digits: int(digits[:20]))
        need(value is not None, "encoding/null_value")
        small = found[2] is not None or not isinstance(value, float) and abs(value) < 2**53
        need(small, "encoding/number")
        need(not re.search("[\ud800-\udfff]", str(value)), "encoding/surrogate")
        need(found[2] != "", "encoding/json_syntax")
        return value

    def item(self, depth):
        found = self.take(rf"{STRING}|{NUMBER}|true|false|null|\[|{{")
        if found[1] not in "[{":
            return self.judge(found)
        need(depth <= 16, "encoding/depth")
        out, end = ([], r"\]") if found[1] == "[" else ({}, "}")
        more = not self.take(end + "?")[1]
        while more:
            if end == "}":
                name = self.judge(self.take(STRING))
                need(re.fullmatch("[a-z][a-z0-9_]{0,31}", name), "encoding/member_name")
                need(name not in out, "encoding/duplicate_name")
                self.take(":")
                out[name] = self.item(depth + 1)
            else:
                out.append(self.item(depth + 1))
            more = self.take(",|" + end)[1] == ","
        return out


def decode(raw):  # ENC-3
    need(not raw.startswith(b"\xef\xbb\xbf"), "encoding/bom")
    text = raw.decode(errors="replace")
    need(text.encode() == raw, "encoding/utf8")
    scan = Scan(text)
    value = scan.item(1)
    scan.take(r"\Z")
    need(canonical(value) == raw, "encoding/not_canonical")
    return value
