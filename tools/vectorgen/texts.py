"""Canonical JSON, every case of a kind (spec ENC-2 to ENC-8), and codec.canonicalise (ENC-20).
Hand-picked cases: encoding.py."""
from . import encoding
from .book import File
from .encoding import INVALID, VALID, _raw

SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 0x22: '\\"', 0x5C: "\\\\"}
MAX = 2**53 - 1


def _utf8() -> list:
    """(comment, bytes) of ill-formed sequences: every first byte with a wrong second one, and every
    edge of RFC 3629's table."""
    out = [(f"the byte {byte:02X} alone", bytes([byte])) for byte in range(0x80, 0x100, 5)]
    for lead, tails in ((0xC2, (0x7F, 0xC0)), (0xDF, (0x7F, 0xC0)), (0xE0, (0x80, 0x9F, 0xC0)),
                        (0xE1, (0x7F, 0xC0)), (0xEC, (0x7F, 0xC0)), (0xED, (0xA0, 0xBF)),
                        (0xEE, (0x7F, 0xC0)), (0xEF, (0x7F, 0xC0)), (0xF0, (0x80, 0x8F)),
                        (0xF1, (0x7F, 0xC0)), (0xF3, (0x7F, 0xC0)), (0xF4, (0x90, 0xBF)),
                        (0xC0, (0x80, 0xBF)), (0xC1, (0x80, 0xBF)), (0xF5, (0x80,)),
                        (0xF8, (0x88,)), (0xFC, (0x84,))):
        rest = b"\x80" * (1 if lead >= 0xE0 else 0) + b"\x80" * (1 if lead >= 0xF0 else 0)
        out += [(f"{lead:02X} {tail:02X}", bytes([lead, tail]) + rest) for tail in tails]
    for lead, good in ((0xE1, 1), (0xF1, 1), (0xF1, 2)):
        out.append((f"{lead:02X} with {good} of its bytes", bytes([lead]) + b"\x80" * good))
    for at, lead in ((2, b"\xe1\x80"), (2, b"\xf1\x80"), (3, b"\xf1\x80\x80")):
        out.append((f"{lead.hex(' ')} and a letter as byte {at + 1}", lead + b"a"))
    return out


def _edges() -> list:
    """Code points at the edges of UTF-8's lengths, which must stand as they are."""
    points = (0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xD7FF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF,
              0x10000, 0x1F4E7, 0xFFFFF, 0x100000, 0x10FFFF, 0xA0, 0xAD, 0x200B, 0x2028, 0xFEFF)
    return [(f"U+{point:04X}", f'"{chr(point)}"') for point in points]


def _more_valid(group):
    def valid(comment, text):
        return group.valid(comment, _raw(text), clauses=["ENC-1"])
    for comment, text in _edges():
        valid(comment, text)
    for code in range(0x20):
        valid(f"the control character {code:#04x}",
              f'"{SHORT.get(code, f"{chr(92)}u{code:04x}")}"')
    for bits in (0, 1, 2, 7, 8, 15, 16, 24, 31, 32, 33, 52):
        for number in (1 << bits, (1 << bits) - 1, -(1 << bits)):
            valid(f"the integer {number}", str(number))
    for number in (MAX - 1, 1 - MAX, 10**15, 4503599627370497):
        valid(f"the integer {number}", str(number))
    for char in "abcdefghijklmnopqrstuvwxyz0123456789_":
        valid(f"{char!r} in a name", f'{{"a{char}":1}}')
    for length in (1, 2, 31, 32):
        valid(f"a name of {length} z", '{"' + "z" * length + '":1}')
    for depth in (1, 2, 15, 16):
        valid(f"{depth} arrays around an integer", "[" * depth + "1" + "]" * depth)
        valid(f"{depth} levels, arrays and objects by turns",
              "".join(('[', '{"a":')[i % 2] for i in range(depth)) + "0" +
              "".join((']', '}')[i % 2] for i in reversed(range(depth))))
    for count in (100, 1000):
        valid(f"{count} elements", "[" + ",".join(map(str, range(count))) + "]")
        names = sorted(f"m{i}" for i in range(count))
        valid(f"{count} members", "{" + ",".join(f'"{name}":0' for name in names) + "}")


def _strings(group, twin: str):
    def refuse(comment, text, code, flag):
        group.invalid(comment, _raw(text), code, twin, [flag])
    for comment, raw in _utf8():
        refuse(f"ill-formed UTF-8: {comment}", b'"' + raw + b'"', "utf8", "utf8_invalid")
    for code in range(0x20):
        refuse(f"the character {code:#04x} unescaped", f'"{chr(code)}"', "json_syntax",
               "raw_control")
        if code in SHORT:
            refuse(f"{code:#04x} by its code", f'"\\u{code:04x}"', "not_canonical", "escape_form")
        elif code % 16 > 9:
            refuse(f"{code:#04x} in capitals", f'"\\u{code:04X}"', "not_canonical", "escape_form")
    for code in [*range(0x20, 0x7F, 3), 0x22, 0x5C, 0x7F, 0x80, 0xFF, 0x7FF, 0x800, 0x2028, 0xD7FF,
                 0xE000, 0xFFFD, 0xFFFF]:
        refuse(f"U+{code:04X} by its code", f'"\\u{code:04x}"', "not_canonical", "escape_form")
    for char in "aceghijklmopqsvwxyz01789'&-x \u00e9":
        refuse(f"the escape {char!r}", f'"\\{char}"', "json_syntax", "grammar")
    for text in ("\\u", "\\u0", "\\u00", "\\u004", "\\u004g", "\\u 041", "\\u+041", "\\u00-1",
                 "\\U0041", "\\x41", "\\101", "\\u{41}", "\\uFF", "\\u\uff10041"):
        refuse(f"the escape {text}", f'"{text}"', "json_syntax", "grammar")
    for high in ("\\ud800", "\\udbff", "\\uD83D"):
        for after in ("", "a", "\\n", "\\u0041", "\\ud800", "\\udbff", "\\\\udc00"):
            refuse(f"{high} and then {after!r}", f'"{high}{after}"', "surrogate",
                   "surrogate_escape")
    for low in ("\\udc00", "\\udfff", "\\uDE00"):
        for before in ("", "a", "\\u0041"):
            refuse(f"{low} after {before!r}", f'"{before}{low}"', "surrogate", "surrogate_escape")
    for pair in ("\\ud800\\udc00", "\\udbff\\udfff", "\\uD83D\\uDCE7"):
        refuse(f"the pair {pair}", f'"{pair}"', "not_canonical", "escape_form")


def _names(group, twin: str):
    def refuse(comment, text, code, flag):
        group.invalid(comment, _raw(text), code, twin, [flag])
    good = "abcdefghijklmnopqrstuvwxyz0123456789_"
    for code in range(0x20, 0x80):
        char = chr(code)
        if char in good:
            continue
        shown = SHORT.get(code, char)
        refuse(f"{char!r} in a name", f'{{"a{shown}":1}}', "member_name", "member_name")
        refuse(f"{char!r} first in a name", f'{{"{shown}a":1}}', "member_name", "member_name")
    for char in "0123456789_":
        refuse(f"{char!r} first in a name", f'{{"{char}":1}}', "member_name", "member_name")
    for length in (33, 34, 64, 255, 1000):
        refuse(f"a name of {length} characters", '{"' + "a" * length + '":1}', "member_name",
               "member_name")
    for count in (2, 10, 100):
        names = sorted(f"m{i}" for i in range(count))
        for at in sorted({0, count // 2, count - 1}):
            text = ",".join(f'"{name}":0' for name in [*names, names[at]])
            refuse(f"member {at} of {count} again at the end", "{" + text + "}", "duplicate_name",
                   "duplicate_member")
    for depth in (2, 8, 15):
        refuse(f"a name twice {depth} deep", '{"a":' * depth + '{"b":1,"b":2}' + "}" * depth,
               "duplicate_name", "duplicate_member")
    for text in ('{"b":1,"a":2}', '{"a":1,"c":2,"b":3}', '{"ab":1,"a":2}', '{"a_":1,"a0":2}',
                 '{"aa":1,"a_":2}', '{"z":1,"a":{}}', '[{"b":1,"a":2}]', '{"a":[{"b":1,"a":2}]}'):
        refuse(f"the order of {text}", text, "not_canonical", "member_order")


def _values(group, twin: str):
    def refuse(comment, text, code, flag):
        group.invalid(comment, _raw(text), code, twin, [flag])
    for text in ("1.5", "-1.5", "0.0", "1.00", "0.5e1", "3.14159265358979", "9007199254740991.0",
                 "-0.5", "1e0", "1E0", "1e+0", "1e-0", "0e1", "-1e1", "12e3", "1e308", "1e309",
                 "1e-400", "9e15", "123456789e0"):
        refuse(f"the number {text}", text, "number", "exponent" if "e" in text.lower()
               else "fraction")
    for number in (MAX + 1, -MAX - 1, MAX + 2, 2**54, 10**16, -10**16, 2**62, 2**63 - 1, -2**63,
                   2**63, 2**64 - 1, 2**64, 2**64 + 1, 10**19, 10**30, 10**308):
        refuse(f"the integer {str(number)[:24]}", str(number), "number", "integer_range")
    for text in ("-0", "[-0]", '{"a":-0}'):
        refuse(f"minus zero: {text}", text, "not_canonical", "integer_form")
    for text in ("01", "00", "-01", "+1", "1.", ".5", "-.5", "1e", "1e+", "1.e1", "-", "--1", "0x1",
                 "1_000", "1,000", "NaN", "nan", "Infinity", "-Infinity", "inf", "1n", "0b1", "1f",
                 "\u0661", "\uff11"):
        refuse(f"no number: {text}", text, "json_syntax", "grammar")
    for text in ("tru", "TRUE", "True", "truee", "fals", "FALSE", "nul", "NULL", "undefined", "t",
                 "yes", "none", "nil"):
        refuse(f"no word: {text}", text, "json_syntax", "grammar")
    for text in ('{"a":null}', "[null]", "[1,null]", '[{"a":[null]}]', '{"a":1,"b":null}'):
        refuse(f"null in {text}", text, "null_value", "null")
    for depth in (17, 18, 32, 100, 1000):
        refuse(f"{depth} arrays", "[" * depth + "]" * depth, "depth", "depth")
        refuse(f"{depth} objects", '{"a":' * depth + "0" + "}" * depth, "depth", "depth")
        refuse(f"{depth} arrays that never end", "[" * depth, "depth", "depth")
    refuse("17 levels, an object innermost", "[" * 16 + "{}" + "]" * 16, "depth", "depth")


def _grammar(group, twin: str):
    whole = '{"a":[1,"x",true,{"b":-2}],"c":"\\n"}'

    def refuse(comment, text, code, flag):
        group.invalid(comment, _raw(text), code, twin, [flag])
    for cut in range(len(whole)):
        refuse(f"cut to {cut} bytes: {whole[:cut][-12:]}", whole[:cut], "json_syntax", "grammar")
    for text in ("[1,]", "[,1]", "[1,,2]", "[1 2]", "[1:2]", "[1}", '{"a":1]', '{"a":1,}',
                 '{,"a":1}', '{"a"}', '{"a":}', '{"a",1}', '{"a"=1}', "{a:1}", "{'a':1}", "{1:1}",
                 '{"a":1 "b":2}', '{"a":1;"b":2}', "['a']", "'a'", "`a`", '"a', 'a"', "]", "}", ":",
                 ",", "//\n1", "/*x*/1", "#x\n1", "1;", "(1)", "<a>", "{{}}", '{"a":1}}', "[[]", "",
                 '{"a":"b" "c"}', '"a" "b"', "\\u0031", "1\0", "\0", "\x0c1", "\x0b1", "\u00a01",
                 "\u20281"):
        refuse(f"the text {text!r}", text, "json_syntax", "grammar")
    for after in ("{}", "1", '"x"', ",", "]", "}", "x", "\0", "\x1e", "//"):
        refuse(f"the text and then {after!r}", whole + after, "json_syntax", "trailing_data")
    for space, name in ((" ", "a space"), ("\t", "a tab"), ("\n", "a line feed"),
                        ("\r", "a carriage return"), ("\r\n", "a line end of DOS")):
        for text in ("{s}[1,2]", "[{s}1,2]", "[1{s},2]", "[1,{s}2]", "[1,2{s}]", "[1,2]{s}",
                     '{{{s}"a":1}}', '{{"a"{s}:1}}', '{{"a":{s}1}}', '{{"a":1{s}}}'):
            refuse(f"{name} in {text}", text.format(s=space), "not_canonical", "white_space")


def _canonicalise_file() -> File:
    file = File("encoding/canonicalise.json", "codec.canonicalise", "can")
    good, bad = file.group("valid"), file.group("refused")
    twin = good.valid("an object", _raw('{"a":1}'), clauses=["ENC-20"])
    for comment, text in VALID:
        good.valid(f"canonical already: {comment}", _raw(text), clauses=["ENC-20"])
    for text, what in (
            ('{ "b" : 2, "a" : [ 1 , 2 ], "c" : "\\u0041" }', "white space, order and escapes"),
            ('[56,{"d":true,"a_10":1}]', "members of an element"),
            ('{"numbers":[333333333,450,4,2,0],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022'
             '\\u005c\\\\\\"\\/","literals":[true,false]}', "RFC 8785's first example, without "
             "what AMS-CJ refuses"),
            ('"\\ud83d\\ude02"', "a surrogate pair"), ("-0", "minus zero"),
            ('\n{"z":1,"y":{"x":1,"w":2}}\n', "order at two levels"),
            ('"\\u0008\\u0009\\u000a\\u000c\\u000d\\u001F"', "control characters by code")):
        good.valid(what, _raw(text), flags=[], clauses=["ENC-20"])
    for flag, code, _, texts in INVALID:
        for comment, text in texts:
            if code == "not_canonical":
                good.valid(f"{flag}: {comment}", _raw(text), clauses=["ENC-20", "ENC-2"])
            else:
                bad.invalid(f"{flag}: {comment}", _raw(text), code, twin, [flag], ["ENC-20"])
    return file


def files() -> list:
    file = encoding.files()[0]
    twin = file.groups[0].tests[0]["id"]
    _more_valid(file.group("valid-all"))
    _strings(file.group("strings"), twin)
    _names(file.group("names"), twin)
    _values(file.group("values"), twin)
    _grammar(file.group("grammar"), twin)
    return [file, _canonicalise_file()]
