"""Canonical JSON (spec ENC-1 to ENC-8)."""
from ams_py.encoding import b64

from .book import File


def _raw(text) -> dict:
    return {"raw_b64": b64(text if isinstance(text, bytes) else text.encode())}


VALID = [
    ("an empty object", "{}"), ("an empty array", "[]"), ("an empty string", '""'),
    ("a bare integer", "0"), ("a bare true", "true"), ("a bare false", "false"),
    ("the largest integer", "9007199254740991"), ("the smallest integer", "-9007199254740991"),
    ("a one-letter member", '{"a":1}'), ("members in order", '{"a":1,"b":2}'),
    ("a digit sorts before a letter", '{"a1":1,"aa":2}'),
    ("a digit sorts before an underscore", '{"a1":1,"a_":2}'),
    ("an underscore sorts before a letter", '{"a_":1,"aa":2}'),
    ("a prefix sorts first", '{"a":1,"ab":2}'),
    ("a name of 32 characters", '{"' + "a" * 32 + '":1}'),
    ("a name with digits and underscores", '{"a0_9z":[]}'),
    ("the same name at two levels", '{"a":{"a":1}}'),
    ("the same name in two elements", '[{"a":1},{"a":2}]'),
    ("16 arrays deep", "[" * 16 + "]" * 16), ("16 objects deep", '{"a":' * 15 + "{}" + "}" * 15),
    ("many arrays side by side", "[" + ",".join(["[[]]"] * 40) + "]"),
    ("all short escapes", '"\\b\\t\\n\\f\\r\\"\\\\"'),
    ("a control character by its code", '"\\u0000\\u0001\\u001f"'),
    ("the control character 11 has no short escape", '"\\u000b"'),
    ("delete is not escaped", '"\x7f"'), ("a slash is not escaped", '"/"'),
    ("two-byte characters", '"é߿"'), ("three-byte characters", '"ࠀ€￿"'),
    ("four-byte characters", '"\U00010000\U0001f4e7\U0010ffff"'),
    ("line separators are not escaped", '"\u2028\u2029"'),
    ("a byte order mark within a string", '"\ufeff"'),
    ("a decomposed letter is left as it is", '"e\u0301"'),
    ("a composed letter is left as it is", '"é"'),
    ("right-to-left override", '"\u202egpj.exe"'),
    ("noncharacters are characters", '"\ufdd0\ufffe"'),
    ("HTML's characters are not escaped", '"<>&\'"'),
    ("a mixed value", '{"a":[1,true,{"b":"x"}],"c":-1}'), ("a string of spaces", '"   "'),
    ("a long string", '"' + "x" * 5000 + '"'), ("a string that looks like a number", '"1e2"'),
    ("negative one", "-1"), ("false is not null", '{"a":false}'),
]

# flag, code, twin, [(comment, text)…]
INVALID = [
    ("bom", "bom", "{}", [("a mark before an object", b"\xef\xbb\xbf{}")]),
    ("bom", "bom", "1", [("a mark before an integer", b"\xef\xbb\xbf1")]),
    ("bom_other", "utf8", "1", [("UTF-16's mark", b"\xff\xfe1\0"), ("UTF-16, big-endian",
        b"\xfe\xff\x001"),
                                ("UTF-32's mark", b"\xff\xfe\0\x001\0\0\0")]),
    ("utf8_overlong", "utf8", '"a"', [("a slash in two bytes", b'"\xc0\xaf"'),
                                      ("a nul in two bytes", b'"\xc0\x80"'),
                                      ("a quote in two bytes", b'"\xc0\xa2"'),
                                      ("a slash in three bytes", b'"\xe0\x80\xaf"'),
                                      ("a slash in four bytes", b'"\xf0\x80\x80\xaf"')]),
    ("utf8_surrogate", "utf8", '"a"', [("a high surrogate in three bytes", b'"\xed\xa0\x80"'),
                                       ("a low surrogate in three bytes", b'"\xed\xb0\x80"'),
                                       ("a pair in six bytes", b'"\xed\xa0\xbd\xed\xb3\xa7"')]),
    ("utf8_invalid", "utf8", '"a"', [("a lone continuation byte", b'"\x80"'),
                                     ("a lead byte without its tail", b'"\xc3"'),
                                     ("a tail cut short", b'"\xe2\x82"'),
                                     ("a tail too long", b'"\xc3\xa9\xa9"'),
                                     ("above U+10FFFF", b'"\xf4\x90\x80\x80"'),
                                     ("a five-byte lead", b'"\xf8\x88\x80\x80\x80"'),
                                     ("the byte FE", b'"\xfe"'), ("the byte FF", b'"\xff"'),
                                     ("Latin-1", b'"caf\xe9"')]),
    ("utf8_first", "utf8", "[1]", [("bad UTF-8 after bad grammar", b'[1,]"\xff"'),
                                   ("bad UTF-8 after a null", b'[null,"\xff"]')]),
    ("surrogate_escape", "surrogate", '"a"', [
        ("a lone high surrogate", '"\\ud800"'), ("a lone low surrogate", '"\\udc00"'),
        ("a high one before a letter", '"\\ud83dx"'), ("two high ones", '"\\ud83d\\ud83d"'),
        ("low before high", '"\\udce7\\ud83d"'), ("high before another escape", '"\\ud83d\\n"'),
        ("high before an ordinary code", '"\\ud83d\\u0001"'), ("the last low one", '"\\udfff"')]),
    ("surrogate_escape", "surrogate", '{"a":1}', [("in a member's name", '{"\\ud800":1}')]),
    ("grammar", "json_syntax", "[1]", [
        ("nothing", ""), ("only white space", " "), ("a trailing comma", "[1,]"),
        ("a leading comma", "[,1]"), ("two commas", "[1,,1]"), ("no comma", "[1 1]"),
        ("an open array", "[1"), ("a bracket of the other kind", "[1}"), ("a bare word", "[a]"),
        ("Python's True", "[True]"), ("not a number", "[NaN]"), ("infinity", "[Infinity]"),
        ("a plus sign", "[+1]"), ("a leading zero", "[01]"), ("a minus alone", "[-]"),
        ("a minus and a zero before a digit", "[-01]"), ("no digit before the point", "[.5]"),
        ("no digit after the point", "[1.]"), ("no digit after the exponent", "[1e]"),
        ("hexadecimal", "[0x1]"), ("a comment", "[1/**/]"), ("a line comment", "[1//\n]"),
        ("single quotes", "['a']"), ("half of true", "[tru]"), ("true in capitals", "[TRUE]"),
        ("nul instead of null", "[nul]"), ("a form feed is no white space", "[1\f]"),
        ("a no-break space is no white space", "[1\u00a0]"), ("a nul byte", "[1\0]")]),
    ("grammar", "json_syntax", '{"a":1}', [
        ("a trailing comma in an object", '{"a":1,}'), ("no colon", '{"a"1}'),
        ("no value", '{"a":}'), ("no name", "{:1}"), ("a number as name", "{1:1}"),
        ("a name without quotes", "{a:1}"), ("an open object", '{"a":1'),
        ("an equals sign", '{"a"=1}'), ("two colons", '{"a"::1}'), ("only a name", '{"a"}')]),
    ("grammar", "json_syntax", '"a"', [
        ("an open string", '"a'), ("an open escape", '"\\'), ("an unknown escape", '"\\x41"'),
        ("a capital escape", '"\\N"'), ("an octal escape", '"\\0"'), ("\\v", '"\\v"'),
        ("three hexadecimal digits", '"\\u004"'), ("no hexadecimal digit", '"\\u00g1"'),
        ("a capital U", '"\\U0041"')]),
    ("raw_control", "json_syntax", '"a"', [(f"the raw control character {code}",
                                            b'"' + bytes([code]) + b'"')
                                           for code in (0, 1, 8, 9, 10, 13, 27, 31)]),
    ("trailing_data", "json_syntax", "{}", [
        ("a second text", "{}{}"), ("a bracket more", "{}]"), ("a comma after the text", "{},"),
        ("a nul after the text", "{}\0"), ("a comment after the text", "{}//")]),
    ("depth", "depth", "[" * 16 + "]" * 16, [
        ("17 arrays", "[" * 17 + "]" * 17), ("17 levels, the last one an object",
                                             "[" * 16 + "{}" + "]" * 16),
        ("17 opened and never closed", "[" * 17), ("100,000 opened", "[" * 100_000),
        ("too deep in the second element", "[1," + "[" * 16 + "]" * 17)]),
    ("depth", "depth", '{"a":' * 15 + "{}" + "}" * 15, [
        ("17 objects", '{"a":' * 16 + "{}" + "}" * 16), ("an array in 16 objects",
                                                         '{"a":' * 16 + "[]" + "}" * 16)]),
    ("member_name", "member_name", '{"a":1}', [
        ("an empty name", '{"":1}'), ("a capital", '{"A":1}'), ("a capital within", '{"aB":1}'),
        ("a digit first", '{"1a":1}'), ("an underscore first", '{"_a":1}'),
        ("a hyphen", '{"a-b":1}'),
        ("a space", '{"a b":1}'), ("a dot", '{"a.b":1}'), ("a letter outside ASCII", '{"é":1}'),
        ("a Cyrillic a", '{"а":1}'), ("a line feed at the end", '{"a\\n":1}'),
        ("a nul", '{"a\\u0000":1}'), ("__proto__", '{"__proto__":{}}'), ("$ref", '{"$ref":1}')]),
    ("member_name", "member_name", '{"' + "a" * 32 + '":1}',
     [("33 characters", '{"' + "a" * 33 + '":1}')]),
    ("duplicate_member", "duplicate_name", '{"a":1,"b":2}', [
        ("twice with different values", '{"a":1,"a":2}'),
        ("twice with the same value", '{"a":1,"a":1}'),
        ("three members, first and last", '{"a":1,"b":2,"a":3}'),
        ("within", '{"a":{"b":1,"b":1}}'), ("the second is not finished", '{"a":1,"a"')]),
    ("duplicate_escaped", "duplicate_name", '{"a":1,"b":2}', [
        ("the second one escaped", '{"a":1,"\\u0061":2}'),
        ("the first one escaped", '{"\\u0061":1,"a":2}')]),
    ("scan_order", "duplicate_name", '{"a":1}', [("a null after the second name",
                                                  '{"a":1,"a":null}')]),
    ("scan_order", "null_value", '{"a":1}', [("a null before the second name",
                                              '{"a":null,"a":1}')]),
    ("scan_order", "member_name", '{"a":1}', [("a bad name before a bad value", '{"A":1.5}'),
                                             ("a bad name before a break in the grammar",
                                              '{"A":1,}')]),
    ("scan_order", "number", "[1]", [("a fraction before a break in the grammar", "[1.5,]"),
                                     ("a fraction before a null", "[0.5,null]")]),
    ("scan_order", "json_syntax", "[1]", [("a break in the grammar before a fraction", "[,1.5]"),
                                          ("a second text after white space", "[1] [1]")]),
    ("fraction", "number", "[1]", [("a half", "[0.5]"), ("one point zero", "[1.0]"),
                                   ("minus zero point zero", "[-0.0]"),
                                   ("seventeen digits", "[0.12345678901234567]")]),
    ("exponent", "number", "[100]", [("1e2", "[1e2]"), ("a capital E", "[1E2]"), ("a plus sign",
        "[1e+2]"),
                                     ("a small exponent", "[1e-7]"),
                                     ("an exponent of zero", "[100e0]"),
                                     ("beyond a double", "[1e400]"),
                                     ("zero with an exponent", "[0e0]")]),
    ("integer_range", "number", "9007199254740991", [
        ("2^53", "9007199254740992"), ("2^53 + 1", "9007199254740993"),
        ("2^63", "9223372036854775808"),
        ("2^64", "18446744073709551616"), ("a hundred digits", "9" * 100),
        ("5,000 digits", "9" * 5000)]),
    ("integer_range", "number", "-9007199254740991", [("-2^53", "-9007199254740992"),
                                                     ("-2^63", "-9223372036854775808")]),
    ("null", "null_value", '{"a":1}', [("as a member", '{"a":null}')]),
    ("null", "null_value", "[1]", [("as an element", "[null]")]),
    ("null", "null_value", "0", [("as the text", "null")]),
    ("white_space", "not_canonical", '{"a":1}', [
        ("before the text", ' {"a":1}'), ("after the text", '{"a":1} '),
        ("a line feed at the end", '{"a":1}\n'),
        ("after the colon", '{"a": 1}'), ("before the colon", '{"a" :1}'),
        ("within the braces", '{ "a":1}'),
        ("before the closing brace", '{"a":1\t}'), ("a carriage return", '{"a":\r1}')]),
    ("white_space", "not_canonical", "[]", [("in an empty array", "[ ]")]),
    ("white_space", "not_canonical", "{}", [("in an empty object", "{ }")]),
    ("member_order", "not_canonical", '{"a":1,"b":2}', [("two members swapped", '{"b":2,"a":1}')]),
    ("member_order", "not_canonical", '{"a":1,"ab":2}', [("a prefix last", '{"ab":2,"a":1}')]),
    ("member_order", "not_canonical", '{"a1":1,"a_":2}',
     [("an underscore before a digit", '{"a_":2,"a1":1}')]),
    ("member_order", "not_canonical", '{"a":{"b":1,"c":1}}',
     [("swapped within", '{"a":{"c":1,"b":1}}')]),
    ("escape_form", "not_canonical", '"A"', [("a letter by its code", '"\\u0041"')]),
    ("escape_form", "not_canonical", '"/"', [("an escaped slash", '"\\/"'), ("a slash by its code",
        '"\\u002f"')]),
    ("escape_form", "not_canonical", '"\\n"', [("a line feed by its code", '"\\u000a"'),
                                               ("the same in capitals", '"\\u000A"')]),
    ("escape_form", "not_canonical", '"\\b"', [("a backspace by its code", '"\\u0008"')]),
    ("escape_form", "not_canonical", '"\\u001f"', [("capital hexadecimal digits", '"\\u001F"')]),
    ("escape_form", "not_canonical", '"\\""', [("a quote by its code", '"\\u0022"')]),
    ("escape_form", "not_canonical", '"\\\\"', [("a backslash by its code", '"\\u005c"')]),
    ("escape_form", "not_canonical", '"é"', [("a letter outside ASCII by its code", '"\\u00e9"')]),
    ("escape_form", "not_canonical", '"\U0001f4e7"', [("a surrogate pair", '"\\ud83d\\udce7"')]),
    ("escape_form", "not_canonical", '"\x7f"', [("delete by its code", '"\\u007f"')]),
    ("escape_form", "not_canonical", '"\u2028"', [("a line separator by its code", '"\\u2028"')]),
    ("escape_form", "not_canonical", '"<"', [("an angle bracket by its code", '"\\u003c"')]),
    ("escape_form", "not_canonical", '{"a":1}', [("an escape in a name", '{"\\u0061":1}')]),
    ("integer_form", "not_canonical", "0", [("minus zero", "-0")]),
]


def files() -> list:
    file = File("encoding/canonical_json.json", "codec.decode", "enc")
    valid = file.group("valid")
    for comment, text in VALID:
        valid.valid(comment, _raw(text), clauses=["ENC-1"])
    groups = {}
    for flag, code, twin, texts in INVALID:
        group = groups.get(flag) or groups.setdefault(flag, file.group(flag))
        twin_id = valid.valid(f"valid beside: {texts[0][0]}", _raw(twin), clauses=["ENC-1"])
        for comment, text in texts:
            group.invalid(comment, _raw(text), code, twin_id, [flag])
    return [file]
