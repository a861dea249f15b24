"""Addresses by themselves (spec ENC-14)."""
from .book import File

LOCAL = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_`{|}~-"
LABEL = "abcdefghijklmnopqrstuvwxyz0123456789"
LOOK_ALIKES = {"Cyrillic a": "\u0430", "Greek o": "\u03bf", "full-width a": "\uff41",
               "dotless i": "\u0131", "long s": "\u017f", "Kelvin sign": "\u212a",
               "soft hyphen": "\u00ad", "zero-width space": "\u200b", "zero-width joiner": "\u200d",
               "right-to-left mark": "\u200f", "combining acute": "\u0301", "\u00e9": "\u00e9",
               "\u00df": "\u00df", "an envelope": "\u2709", "no-break space": "\u00a0",
               "full stop of CJK": "\u3002", "full-width at sign": "\uff20",
               "fraction slash": "\u2044", "an astral letter": "\U0001d41a"}


def _domain(length: int) -> str:
    """A domain of labels of 63 and fewer characters, `length` in all."""
    labels, left = [], length
    while left > 65:
        labels.append("a" * 63)
        left -= 64
    first = left // 2
    return ".".join(labels + ["b" * first, "c" * (left - first - 1)])


def files() -> list:
    file = File("encoding/addresses.json", "address.parse", "adr")
    good = file.group("valid")

    def args(text):
        return {"addr": text}
    twin = good.valid("an address", args("alice@home.example"), clauses=["ENC-14"])
    for char in LOCAL:
        good.valid(f"the local part {char!r}", args(f"{char}@home.example"), clauses=["ENC-14"])
    for char in LABEL:
        good.valid(f"the label {char!r}", args(f"a@{char}.example"), clauses=["ENC-14"])
    for local in ("a.b", "a.b.c", "a-", "-a", "a" * 64, "a." * 31 + "ab", "x+tag", "1", "_", "=?=",
                  "'"):
        good.valid(f"the local part {local[:20]}", args(f"{local}@home.example"),
                   clauses=["ENC-14"])
    for domain in ("a.b", "1.2", "a-b.c-d", "xn--bcher-kva.example", "a." * 60 + "a", "0a.example",
                   "a.example.museum", "127.0.0.1", "b" * 63 + ".example", "a--b.example",
                   _domain(252), _domain(253)):
        good.valid(f"the domain {domain[:20]} of {len(domain)}", args(f"a@{domain}"),
                   clauses=["ENC-14"])
    bad = file.group("local")

    def refuse(comment, text):
        bad.invalid(comment, args(text), "address_syntax", twin, ["address_syntax"])
    for code in range(128):
        if chr(code) not in LOCAL:
            what = f"the character {code:#04x}"
            if chr(code) not in ".@":
                refuse(f"{what} in a local part", f"al{chr(code)}ice@home.example")
                refuse(f"{what} in a domain", f"alice@ho{chr(code)}me.example")
            refuse(f"{what} alone as a local part", f"{chr(code)}@home.example")
    for name, char in LOOK_ALIKES.items():
        refuse(f"{name} in a local part", f"{char}lice@home.example")
        refuse(f"{name} in a domain", f"alice@h{char}me.example")
    for local in ("", ".alice", "alice.", "al..ice", "..", "...", "a" * 65, "a." * 32 + "a",
                  '"alice"', "alice(c)", "a@b", "(a)b"):
        refuse(f"the local part {local[:20]!r} of {len(local)}", f"{local}@home.example")
    bad = file.group("domain")
    for domain in ("", ".", "home", "localhost", ".home.example", "home.example.", "home..example",
                   "-home.example", "home-.example", "home.-example", "home.example-", "home.-",
                   "a" * 64 + ".example", "x." + "a" * 64, _domain(254), _domain(300),
                   "[127.0.0.1]",
                   "[::1]", "home.example:25", "home_1.example", "home.example/", "home.example#",
                   "h!me.example", "*.example", "HOME.example", "home.EXAMPLE", "ho me.example",
                   "home.example\n", "home.example ", " home.example", "home.example\0"):
        refuse(f"the domain {domain[:24]!r} of {len(domain)}", f"alice@{domain}")
    bad = file.group("form")
    for text in ("", "@", "alice", "home.example", "@home.example", "alice@", "alice@@home.example",
                 "alice@home@home.example", "<alice@home.example>", "Alice <alice@home.example>",
                 "mailto:alice@home.example", "alice@home.example,bob@home.example",
                 "alice at home.example", "alice%40home.example", " alice@home.example",
                 "alice@home.example\r\n", "ALICE@home.example", "alice @home.example",
                 "alice@ home.example", "=?utf-8?q?alice?=@home.example "):
        refuse(f"the text {text[:30]!r}", text)
    return [file]
