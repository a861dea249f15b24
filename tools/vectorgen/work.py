"""The work that buys a place in a directory (spec DIR-23)."""
from ams_py import directory as spec
from ams_py import proofs
from ams_py.encoding import b64, encode

from .book import NOW_MS, File
from .lineage import revocation
from .logbook import flipped
from .world import ALICE, BOB, DAY


def mined(check, bits: int) -> bytes:
    """The first nonce for which check(nonce) has so many leading zero bits."""
    number = 0
    while spec.zero_bits(check(number.to_bytes(8, "big"))) < bits:
        number += 1
    return number.to_bytes(8, "big")


def _work() -> File:
    file = File("directory/work.json", "work.verify", "wrk")
    good, bad = file.group("valid"), file.group("invalid")
    today, raw = NOW_MS // DAY, encode(ALICE.record)
    digest = proofs.sha(raw)

    def args(nonce, bits, domain="dir.example", now=NOW_MS, shown=raw) -> dict:
        work = nonce if isinstance(nonce, str) else b64(nonce)
        return {"domain": domain, "object_b64": b64(shown), "work": work, "bits": bits, "now": now}

    def found(bits, domain="dir.example", day=today, of=digest) -> bytes:
        return mined(lambda nonce: spec.work_hash(domain, day, of, nonce), bits)
    twins = {}
    for bits in (1, 2, 7, 8, 9, 12, 16):
        twins[bits] = good.valid(f"{bits} bits", args(found(bits), bits), (), ["DIR-23"])
    nonce = found(12)
    for bits in range(1, 12):
        good.valid(f"12 bits where {bits} are asked for", args(nonce, bits), (), ["DIR-23"])
    yesterday = good.valid("of yesterday", args(found(12, day=today - 1), 12), (), ["DIR-23"])
    good.valid("at the last millisecond of the next day", args(
        nonce, 12, now=(today + 2) * DAY - 1), (), ["DIR-23"])
    good.valid("at the first millisecond of its day", args(nonce, 12, now=today * DAY), (),
               ["DIR-23"])
    long = ".".join(["d" * 61] * 4) + ".ex"
    good.valid("a peer's name of 250 characters", args(found(12, domain=long), 12, domain=long), (),
               ["DIR-23"])
    other = encode(revocation())
    good.valid("for a revocation", args(found(12, of=proofs.sha(other)), 12, shown=other), (),
               ["DIR-23"])

    def refuse(comment, flag, *its, code="publisher", twin=twins[12], **more):
        bad.invalid(comment, args(*its, **more), code, twin, [flag], importance="critical")
    refuse("none", "work_missing", "", 12)
    refuse("none where one bit is asked for", "work_missing", "", 1, twin=twins[1])
    refuse("zeros", "work_less", bytes(8), 12)
    digit = spec.zero_bits(spec.work_hash("dir.example", today, digest, nonce))
    for bits in (digit + 1, 24, 32, 40):
        refuse(f"{digit} bits where {bits} are asked for", "work_less", nonce, bits)
    refuse("for another peer", "work_bound", nonce, 12, domain="other.example")
    refuse("for another object", "work_bound", nonce, 12, shown=encode(BOB.record))
    refuse("for the object with another sig", "work_bound", nonce, 12, shown=encode(
        {**ALICE.record, "sig": flipped(ALICE.record["sig"])}))
    refuse("the day after the next", "work_bound", nonce, 12, now=(today + 2) * DAY)
    refuse("the day before", "work_bound", nonce, 12, now=today * DAY - 1)
    refuse("of the day before yesterday", "work_bound", found(12, day=today - 2), 12,
           twin=yesterday)
    refuse("of tomorrow", "work_bound", found(12, day=today + 1), 12)
    refuse("the nonce backwards", "work_less", nonce[::-1], 12)
    name, day = b"dir.example", today.to_bytes(8, "big")
    head = b"AMS-WORK/1\0"
    for comment, parts in (
            ("without the length", [head, name, day, digest]),
            ("with a length of two bytes", [head, b"\0\x0b", name, day, digest]),
            ("without the zero", [head[:-1], b"\x0b", name, day, digest]),
            ("with the day little-endian", [head, b"\x0b", name, day[::-1], digest]),
            ("with the time for the day", [head, b"\x0b", name, NOW_MS.to_bytes(8, "big"), digest]),
            ("over the object itself", [head, b"\x0b", name, day, raw]),
            ("over the fingerprint", [head, b"\x0b", name, day, ALICE.fp]),
            ("without the domain", [head, day, digest])):
        made = mined(lambda nonce, parts=parts: proofs.sha(*parts, nonce), 12)
        refuse(f"a hash {comment}", "work_form", made, 12)
    ahead = mined(lambda nonce: proofs.sha(head, b"\x0b", name, day, nonce, digest), 12)
    refuse("a hash with the nonce before the object", "work_form", ahead, 12)
    trailing = 0
    while int.from_bytes(spec.work_hash("dir.example", today, digest,
                                        trailing.to_bytes(8, "big")), "big") % 4096:
        trailing += 1
    refuse("zero bits at the end", "work_less", trailing.to_bytes(8, "big"), 12)
    for comment, text in (("7 bytes", b64(nonce[:7])), ("9 bytes", b64(nonce + b"\0")),
                          ("16 bytes", b64(nonce * 2)), ("32 bytes", b64(bytes(32))),
                          ("padded", b64(nonce) + "="), ("with a plus", "++++++++++A"),
                          ("with unused bits set", b64(nonce)[:-1] + "B")):
        refuse(f"a nonce of {comment}", "base64url", text, 12, code="base64url")
    return file


def files() -> list:
    return [_work()]
