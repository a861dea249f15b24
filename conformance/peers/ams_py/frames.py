"""Frames and the shape of JSON payloads (spec WIR, OPS-1)."""
from . import encoding
from .errors import require

PAYLOAD_MAX = {1: 1_048_576, 2: 65_552}  # bytes, WIR-7
BLOB_HEADER = 16


def parse(raw: bytes):
    """(kind, payload, consumed), or None when more bytes are needed."""
    if len(raw) < 5:
        return None
    length, kind = int.from_bytes(raw[:4], "big"), raw[4]
    require(kind in PAYLOAD_MAX, "frame_kind", "frame")
    require(length != 0, "frame_empty", "frame")
    require(length <= PAYLOAD_MAX.get(kind, 1 << 32), "frame_too_large", "frame")
    require(kind != 2 or length >= BLOB_HEADER, "frame_short", "frame")
    if len(raw) < 5 + length:
        return None
    return kind, raw[5:5 + length], 5 + length


def build(kind: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + bytes([kind]) + payload


def _id(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _name(value) -> bool:
    return isinstance(value, str) and len(value.encode("utf-8")) <= 64


def _is_error(value) -> bool:
    """OPS-3."""
    if not isinstance(value, dict):
        return False
    retry, clause = value.get("retry_after", 0), value.get("clause", "x")
    return ({"code", "phase"} <= set(value) <= {"code", "phase", "clause", "retry_after"} and
            all(_name(text) for text in (value["code"], value["phase"], clause)) and
            clause != "" and type(retry) is int and 0 <= retry <= encoding.INTEGER_MAX)


def shape(raw: bytes) -> str:
    """request, answer, error or event, by OPS-1."""
    value = encoding.decode(raw)
    names = set(value) if isinstance(value, dict) else set()

    def is_object(name):
        return isinstance(value[name], dict)
    if names == {"id", "op", "args"}:
        kind, good = "request", _id(value["id"]) and _name(value["op"]) and is_object("args")
    elif names == {"id", "ok"}:
        kind, good = "answer", _id(value["id"]) and is_object("ok")
    elif names == {"id", "error"}:
        kind, good = "error", _id(value["id"]) and _is_error(value["error"])
    elif names == {"event", "data"}:
        kind, good = "event", _name(value["event"]) and is_object("data")
    else:
        kind, good = "none", False
    require(good, "request_shape", "payload")
    return kind
