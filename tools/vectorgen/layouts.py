"""Padding (spec MSG-21, MSG-23): padme.size and layout.open."""
from ams_py import crypto
from ams_py.encoding import b64
from ams_py.seal import Draws

from .book import File
from .letters import flip


def _padme_file() -> File:
    file = File("crypto/padme.json", "padme.size", "pad")
    good = file.group("valid")
    lengths = {*range(71)}
    for bits in range(6, 53):
        power = 1 << bits
        lengths |= {power - 1, power, power + 1, power + power // 2, power + (power >> 3) + 1}
    for length in sorted(lengths | {1000, 4095, 5000, 65535, 10**6, 10**9, 2**53 - 2**47}):
        good.valid(f"{length} bytes", {"length": length}, clauses=["MSG-21"])
    return file


def _layout_file() -> File:
    file = File("crypto/layouts.json", "layout.open", "lay")
    for prefix in (4, 8):
        clause = "MSG-21" if prefix == 4 else "MSG-23"
        good = file.group(f"valid-{prefix}")
        bad = file.group(f"layout-{prefix}")

        def args(plain, prefix=prefix):
            return {"plain_b64": b64(plain), "prefix": prefix}
        for length in (*range(34), 55, 59, 60, 61, 62, 63, 64, 91, 92, 93, 120, 124, 125, 128, 250,
                       252, 256, 1000, 1020, 1023, 1024, 4092, 5000):
            content = Draws("content").take(length)
            plain = crypto.layout(content, prefix)
            twin = good.valid(f"{length} bytes after {prefix}", args(plain), clauses=[clause])
            size, used = len(plain), prefix + length
            if length % 7 and length < 100 or length % 3 == 0:
                continue
            faults = [("the length one more than there is",
                       (size - prefix + 1).to_bytes(prefix, "big") + plain[prefix:],
                       "layout_length"),
                      ("the largest length", b"\xff" * prefix + plain[prefix:], "layout_length"),
                      ("a byte of zeros more", plain + b"\0", "layout_padding"),
                      ("padded to twice the size", plain + bytes(size), "layout_padding")]
            if size > used:
                faults += [("no padding", plain[:used], "layout_padding"),
                           ("one byte of padding less", plain[:-1], "layout_padding"),
                           ("the padding's first byte", flip(plain, used), "layout_padding"),
                           ("the padding's last bit", plain[:-1] + b"\x80" if size > used + 1
                            else plain[:-1] + b"\xff", "layout_padding")]
            if length:
                faults.append(("a byte of the content gone", plain[:-1] if size == used
                               else plain[:prefix] + plain[prefix + 1:], "layout_length"
                               if size == used else "layout_padding"))
            for what, changed, flag in faults:
                bad.invalid(f"{length} bytes after {prefix}: {what}", args(changed), "body_layout",
                            twin, [flag], [clause])
        for length in range(prefix):
            bad.invalid(f"{length} bytes where {prefix} are the length", args(bytes(length)),
                        "body_layout", twin, ["layout_length"], [clause])
    return file


def files() -> list:
    return [_padme_file(), _layout_file()]
