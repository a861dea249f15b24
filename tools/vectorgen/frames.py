"""Frames (spec WIR) and the shape of JSON payloads (OPS-1)."""
from ams_py import encoding, frames
from ams_py.encoding import b64

from .book import File

JSON, BLOB = 1, 2
TEXT_MAX, BLOB_MAX = 1_048_576, 65_552


def _raw(raw: bytes) -> dict:
    return {"raw_b64": b64(raw)}


def _header(length: int, kind: int) -> bytes:
    return length.to_bytes(4, "big") + bytes([kind])


def _frame_file() -> File:
    file = File("frames/frames.json", "frame.parse", "frm")
    good = file.group("valid")
    blob = bytes(range(16))
    text = good.valid("a JSON frame", _raw(frames.build(JSON, b"{}")), clauses=["WIR-3", "WIR-4"])
    chunk = good.valid("a blob frame without bytes", _raw(frames.build(BLOB, blob)),
                       clauses=["WIR-6"])
    for size in (1, 100, 4096):
        good.valid(f"a blob frame of {size} bytes", _raw(frames.build(BLOB, blob + b"x" * size)),
                   clauses=["WIR-6"])
    good.valid("more bytes than one frame", _raw(frames.build(JSON, b"{}") * 2), clauses=["WIR-3"])
    good.valid("a frame does not judge its payload", _raw(frames.build(JSON, b"\xff")),
               clauses=["WIR-8"])
    good.valid("the first of two frames is judged alone",
               _raw(frames.build(JSON, b"{}") + _header(1, 9)), clauses=["WIR-3"])
    whole = frames.build(JSON, b'{"a":1}')
    for cut in range(len(whole)):
        good.valid(f"{cut} bytes of a frame", _raw(whole[:cut]), clauses=["WIR-3"])
    limits = [good.valid("the longest JSON frame's header", _raw(_header(TEXT_MAX, JSON)),
                         clauses=["WIR-7"]),
              good.valid("the longest blob frame's header", _raw(_header(BLOB_MAX, BLOB)),
                         clauses=["WIR-7"])]
    good.valid("the shortest blob frame's header", _raw(_header(16, BLOB)), clauses=["WIR-6"])
    bad = file.group("kind")
    for kind in (0, 3, 4, 16, 127, 128, 129, 130, 255):
        bad.invalid(f"kind {kind}", _raw(_header(2, kind) + b"{}"), "frame_kind", text,
                    ["frame_kind"])
    bad.invalid("an unknown kind from the header alone", _raw(_header(2, 7)), "frame_kind", text,
                ["frame_kind"])
    bad = file.group("length")
    bad.invalid("an empty JSON frame", _raw(_header(0, JSON)), "frame_empty", text, ["frame_empty"])
    bad.invalid("an empty blob frame", _raw(_header(0, BLOB)), "frame_empty", chunk,
                ["frame_empty"])
    for size in (1, 2, 7, 8, 9, 14, 15):
        bad.invalid(f"a blob frame of {size} bytes", _raw(_header(size, BLOB) + blob[:size]),
                    "frame_short", chunk, ["frame_short"])
    bad.invalid("a short blob frame, from the header alone", _raw(_header(3, BLOB)), "frame_short",
                chunk,
                ["frame_short"])
    for kind, most, twin in ((JSON, TEXT_MAX, limits[0]), (BLOB, BLOB_MAX, limits[1])):
        for size in (most + 1, most * 2, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1):
            bad.invalid(f"a length of {size} for kind {kind}", _raw(_header(size, kind)),
                        "frame_too_large", twin, ["frame_too_large"])
    bad.invalid("a blob frame of a JSON frame's length", _raw(_header(TEXT_MAX, BLOB)),
                "frame_too_large",
                limits[1], ["frame_too_large"])
    bad = file.group("order")
    bad.invalid("an unknown kind and no payload", _raw(_header(0, 9)), "frame_kind", text,
                ["frame_order"])
    bad.invalid("an unknown kind and the largest length", _raw(_header((1 << 32) - 1, 0)),
                "frame_kind",
                text, ["frame_order"])
    return file


def _errors(good, refuse, args) -> None:
    """OPS-3."""
    full = {"code": "rate", "phase": "limit", "clause": "DIR-18", "retry_after": 60}
    twin = good.valid("an error with all members", args({"error": full, "id": 7}),
                      clauses=["OPS-1", "OPS-3"])
    good.valid("an error of a later specification", args(
        {"error": {"code": "c" * 64, "phase": "p" * 64}, "id": 7}), clauses=["OPS-3"])
    for name, other in (("code", 1), ("code", "c" * 65), ("phase", []), ("phase", "p" * 65),
                        ("clause", {}), ("clause", ""), ("clause", "c" * 65),
                        ("retry_after", "60"), ("retry_after", -1), ("retry_after", True),
                        ("zz", 1)):
        refuse(f"an error whose {name} is {str(other)[:8]!r}",
               {"error": {**full, name: other}, "id": 7}, twin)
    for name in ("code", "phase"):
        refuse(f"an error without {name}", {"error": {its: item for its, item in full.items()
                                                      if its != name}, "id": 7}, twin)
    refuse("an error of nothing", {"error": {}, "id": 7}, twin)


def _shape_file() -> File:
    file = File("frames/payloads.json", "payload.shape", "pay")
    good = file.group("valid")

    def args(value) -> dict:
        return _raw(encoding.encode(value))
    request = {"args": {}, "id": 1, "op": "ping"}
    event = {"data": {}, "event": "error"}
    first = good.valid("a request", args(request), clauses=["OPS-1"])
    answer = good.valid("an answer", args({"id": 1, "ok": {}}), clauses=["OPS-1"])
    error = good.valid("an error", args({"error": {"code": "rate", "phase": "limit"}, "id": 7}),
                       clauses=["OPS-1"])
    happens = good.valid("an event", args(event), clauses=["OPS-1"])
    longest = good.valid("an op of 64 bytes", args({**request, "op": "o" * 64}), clauses=["OPS-1"])
    good.valid("the largest id", args({**request, "id": 2**53 - 1}), clauses=["OPS-1"])
    bad = file.group("shape")

    def refuse(comment, value, twin):
        bad.invalid(comment, args(value), "request_shape", twin, ["request_shape"])
    for value in ([], "a", 1, True, {}):
        refuse(f"the value {encoding.encode(value).decode()}", value, first)
    for name in request:
        refuse(f"a request without {name}", {n: v for n, v in request.items() if n != name}, first)
    for name in event:
        refuse(f"an event without {name}", {n: v for n, v in event.items() if n != name}, happens)
    for bad_id in (0, -1, "1", True, [1]):
        refuse(f"the id {bad_id!r}", {**request, "id": bad_id}, first)
        refuse(f"an answer with the id {bad_id!r}", {"id": bad_id, "ok": {}}, answer)
    for other in ([], "x", 1, False):
        refuse(f"args {other!r}", {**request, "args": other}, first)
        refuse(f"ok {other!r}", {"id": 1, "ok": other}, answer)
        refuse(f"data {other!r}", {**event, "data": other}, happens)
    refuse("error is a string", {"id": 1, "error": "rate"}, error)
    _errors(good, refuse, args)
    refuse("an op of 65 bytes", {**request, "op": "o" * 65}, longest)
    refuse("an op of 64 characters in 65 bytes", {**request, "op": "o" * 63 + "é"}, longest)
    refuse("op is a number", {**request, "op": 1}, first)
    refuse("event is an object", {**event, "event": {}}, happens)
    refuse("request and answer at once", {**request, "ok": {}}, first)
    refuse("ok and error at once", {"id": 1, "ok": {}, "error": {}}, answer)
    refuse("an event with an id", {**event, "id": 1}, happens)
    refuse("a member more", {**request, "x": 1}, first)
    bad.invalid("a request that is not canonical", _raw(b'{"id":1,"op":"ping","args":{}}'),
                "not_canonical",
                first, ["member_order"])
    return file


def files() -> list:
    return [_frame_file(), _shape_file()]
