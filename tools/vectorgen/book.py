"""Vector files in the making: tests get their ids from their content, their verdict from ams_py,
and every invalid one a valid twin on the same path."""
import hashlib
import json

from ams_py import ops
from ams_py.errors import AmsError

from . import notes, notes_verifiable

NOTES = {**notes.NOTES, **notes_verifiable.NOTES}
NOW_MS = 1_893_456_000_000
NOW = "2030-01-01T00:00:00Z"
SEED = "ams-vectors/1"


class WrongVerdict(Exception):
    """ams_py does not say of a vector what its author does."""


def judge(op: str, args: dict):
    """("valid", ok, None) or ("invalid", None, AmsError)."""
    try:
        return "valid", ops.run(op, args), None
    except AmsError as error:
        return "invalid", None, error


class Group:
    def __init__(self, file, name: str):
        self.file, self.name, self.tests = file, name, []

    def valid(self, comment: str, args: dict, flags=(), clauses=(), importance="normal") -> str:
        verdict, output, error = judge(self.file.op, args)
        if error:
            raise WrongVerdict(f"{self.name}: {comment}: is refused: {error}")
        return self._add(comment, args, flags, clauses, importance, {"result": verdict,
                                                                    "output": output})

    def invalid(self, comment: str, args: dict, code: str, twin: str, flags=(), clauses=(),
                importance="high", codes=()) -> str:
        error = judge(self.file.op, args)[2]
        if error is None or error.code != code:
            raise WrongVerdict(f"{self.name}: {comment}: expected {code}, got {error}")
        reject = {"phase": error.phase, "codes": [code, *codes]}
        return self._add(comment, args, flags, clauses, importance,
                         {"result": "invalid", "reject": reject, "check": error.check,
                          "twin": twin})

    def _add(self, comment, args, flags, clauses, importance, verdict) -> str:
        content = json.dumps([self.file.op, args], sort_keys=True).encode()
        name = f"{self.file.prefix}-{hashlib.sha256(content).hexdigest()[:10]}"
        if name in self.file.ids:  # the first one stays
            return name
        for flag in flags:
            self.file.flags.add(flag)
            clauses = [*clauses, *NOTES[flag]["clauses"]]
        self.file.ids.add(name)
        self.tests.append({"id": name, "comment": comment, "input": args, "now": NOW, **verdict,
                           "flags": list(flags), "importance": importance,
                           "clauses": sorted(set(clauses), key=_clause_order),
                           "verified_by": ["cpp-ref", "py-indep"]})
        return name


def _clause_order(clause: str) -> tuple:
    letters, number = clause.split("-")
    return letters, int(number)


class File:
    def __init__(self, path: str, op: str, prefix: str):
        self.path, self.op, self.prefix = path, op, prefix
        self.ids, self.flags, self.groups = set(), set(), []

    def group(self, name: str) -> Group:
        self.groups.append(Group(self, f"{self.prefix}-g-{name}"))
        return self.groups[-1]

    def content(self) -> bytes:
        """The file, a test a line: thousands of them, and a change shows as one line."""
        tests = [test for group in self.groups for test in group.tests]
        places = iter(range(len(tests)))
        value = {"schema": "ams-vectors/1", "spec": "0.1", "op": self.op,
                 "generator": {"name": "tools/make_vectors.py", "seed": SEED},
                 "notes": {flag: NOTES[flag] for flag in sorted(self.flags)},
                 "groups": [{"id": group.name, "params": {},
                             "tests": [f"@test {next(places)}@" for _ in group.tests]}
                            for group in self.groups]}
        frame = json.dumps(value, indent=1).split('"@test ')
        return (frame[0] + "".join(
            json.dumps(test) + part.partition('@"')[2] for test, part in zip(tests, frame[1:],
                                                                             strict=True))
            + "\n").encode()
