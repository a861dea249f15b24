"""Refusals: every one has a code of reference/spec/errors.json and the place of the check.

A check's name is `code@where`. For the single-fault proof (tools/make_vectors.py --single-fault)
one check by name can be disabled: then `fail` returns, and the caller goes on with what it has.
"""
import contextlib
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
_REGISTRY = json.loads((ROOT / "reference/spec/errors.json").read_text("utf-8"))
PHASES = {entry["code"]: entry["phase"] for entry in _REGISTRY["errors"]}
_disabled = set()
_answered = []  # codes of answered_with, the outermost first


class AmsError(Exception):
    """What was read is refused; `code` and `phase` are of the registry."""

    def __init__(self, code: str, where: str):
        super().__init__(f"{code} at {where}")
        self.code, self.where, self.phase = code, where, PHASES[code]

    @property
    def check(self) -> str:
        return f"{self.code}@{self.where}"


def fail(code: str, where: str) -> None:
    """Raises, unless just this check is disabled."""
    code = _answered[0] if _answered else code
    if f"{code}@{where}" not in _disabled:
        raise AmsError(code, where)


def require(condition: bool, code: str, where: str) -> None:
    if not condition:
        fail(code, where)


@contextlib.contextmanager
def answered_with(code: str):
    """Inside the block every fault has this code (DOM-5, MSG-31, VCH-4)."""
    _answered.append(code)
    try:
        yield
    finally:
        _answered.pop()


@contextlib.contextmanager
def without(check: str):
    """Disables the one check `code@where` inside the block."""
    _disabled.add(check)
    try:
        yield
    finally:
        _disabled.discard(check)
