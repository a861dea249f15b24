#!/usr/bin/python3
"""usage: verify.py : judges every vector with ams_py; result, code, phase and output must agree.
Exit 0 clean, 1 mismatch, 3 nothing ran."""
import json
import pathlib
import sys

from ams_py import ops
from ams_py.errors import AmsError

ROOT = pathlib.Path(__file__).resolve().parents[2]


def problem(op: str, test: dict) -> str:
    """Empty, or how ams_py disagrees with the vector."""
    try:
        output = ops.run(op, test["input"])
    except AmsError as error:
        if test["result"] == "valid":
            return f"is valid, but {error}"
        reject = test["reject"]
        agrees = error.phase == reject["phase"] and error.code in reject["codes"]
        return "" if agrees else f"expected {reject['codes']}, got {error}"
    if test["result"] == "invalid":
        return f"expected {test['reject']['codes']}, was accepted"
    return "" if output == test["output"] else f"expected {test['output']}, got {output}"


def main() -> int:
    ran, problems, ids = 0, [], set()
    for path in sorted((ROOT / "vectors").glob("*/*.json")):
        value = json.loads(path.read_text("utf-8"))
        for group in value.get("groups", []):
            for test in group["tests"]:
                ran += 1
                ids.add(test["id"])
                found = problem(value["op"], test)
                if found:
                    problems.append(f"{test['id']} ({test['comment']}): {found}")
    print("\n".join(problems + [f"{ran} vectors, {len(problems)} mismatches"]))
    return 3 if ran == 0 else 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
