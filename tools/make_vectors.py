#!/usr/bin/python3
"""Writes vectors/<chapter>/*.json from ams_py, the implementation written from the spec alone.

usage: make_vectors.py                 writes the files
       make_vectors.py --check         compares them, byte for byte, with what would be written
       make_vectors.py --single-fault  with exactly the labelled check disabled, every invalid
                                       vector must become valid, but for those that
                                       vectors/single_fault.json excludes with a reason
                                       (both options: both proofs, of vectors made once)
"""
import importlib
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "conformance/peers"), str(ROOT / "tools")]

from ams_py import errors, ops
from vectorgen.excluded import reason

EXCLUDED = ROOT / "vectors/single_fault.json"
CHAPTERS = (  # modules of tools/vectorgen, each with files()
    "texts",
    "addresses",
    "frames",
    "keys",
    "lineage",
    "message",
    "stanzas",
    "letterforms",
    "leaves",
    "containers",
    "policy",
    "receipts",
    "order",
    "stapled",
    "suites",
    "signatures",
    "hpke",
    "layouts",
    "streams",
    "vrf",
    "bindlog",
    "bindlies",
    "keystore",
    "keyfiles",
    "maps",
    "logs",
    "signednotes",
    "checkpoints",
    "rewrites",
    "lookups",
    "work",
    "grants",
    "evidence",
    "histories",
)


def contents() -> dict:
    """{path: bytes} of all files."""
    chapters = [importlib.import_module(f"vectorgen.{name}") for name in CHAPTERS]
    files = [file for chapter in chapters for file in chapter.files()]
    return {ROOT / "vectors" / file.path: file.content() for file in files}


def tests(content: bytes):
    """(op, test) of a file."""
    value = json.loads(content)
    for group in value["groups"]:
        for test in group["tests"]:
            yield value["op"], test


def summary(made: dict) -> str:
    every = [test for content in made.values() for _, test in tests(content)]
    invalid = sum(test["result"] == "invalid" for test in every)
    flags = {flag for test in every for flag in test["flags"]}
    return (f"{len(every)} vectors in {len(made)} files, {invalid} invalid "
            f"({100 * invalid // max(1, len(every))} %), {len(flags)} flags")


def check(made: dict) -> list:
    """Problems."""
    problems = [f"{path.relative_to(ROOT)}: not what tools/make_vectors.py writes"
                for path, content in made.items() if not path.exists()
                or path.read_bytes() != content]
    for path in sorted((ROOT / "vectors").glob("*/*.json")):
        if path not in made and path.name != "rsa_test_keys.json":
            problems.append(f"{path.relative_to(ROOT)}: tools/make_vectors.py does not write it")
    return problems


def met_instead(op: str, test: dict) -> str:
    """What refuses a vector when its own check is disabled; empty when it becomes valid."""
    if test["check"] == "json_syntax@text":
        return test["check"]
    with errors.without(test["check"]):
        try:
            ops.run(op, test["input"])
        except errors.AmsError as error:
            return error.check
        except Exception as error:  # the code behind the check needs what it establishes
            return type(error).__name__
    return ""


def single_fault(made: dict) -> dict:
    """{"proven": count, "excluded": {id: reason}}."""
    proven, excluded = 0, {}
    for content in made.values():
        for op, test in tests(content):
            if test["result"] == "invalid":
                left = met_instead(op, test)
                proven += not left
                if left:
                    excluded[test["id"]] = reason(test, left)
    return {"proven": proven, "excluded": excluded}


def single_fault_problems(made: dict) -> list:
    """What the proof finds otherwise than vectors/single_fault.json says."""
    found, listed = single_fault(made), json.loads(EXCLUDED.read_text("utf-8"))
    print(f"{found['proven']} proven, {len(found['excluded'])} excluded with a reason")
    return [f"{name}: {found['excluded'].get(name, 'becomes valid')}; listed: "
            f"{listed['excluded'].get(name, 'to become valid')}"
            for name in sorted({*found["excluded"], *listed["excluded"]})
            if found["excluded"].get(name) != listed["excluded"].get(name)]


def main(arguments: list) -> int:
    made = contents()
    print(summary(made))
    proofs = {"--check": check, "--single-fault": single_fault_problems}
    if arguments and set(arguments) <= set(proofs):
        problems = [problem for argument in arguments for problem in proofs[argument](made)]
    elif not arguments:
        for path, content in made.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        EXCLUDED.write_text(json.dumps(single_fault(made), indent=1) + "\n", "utf-8")
        problems = []
    else:
        print(__doc__, file=sys.stderr)
        return 2
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
