#!/usr/bin/python3
"""Writes into each clause of the case files the hash of its sentence as the spec has it now.

usage: stamp.py            after cases were written, or judged again because a sentence changed
       stamp.py --check    exit 1 when a case names a sentence that has another hash
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
CLAUSE = re.compile(r'\{"anchor": ?"([A-Z]+-\d+)"(?:, ?"sentence_sha256": ?"[0-9a-f]*")?\}')


def main() -> int:
    spec = HERE.parent.parent / "reference" / "spec" / "requirements.json"
    requirements = json.loads(spec.read_text("utf-8"))
    drifted = 0
    for path in sorted(HERE.glob("*.json")):
        text = path.read_text("utf-8")

        def stamp(found: re.Match) -> str:
            digest = requirements[found[1]]["sha256"]
            return f'{{"anchor": "{found[1]}", "sentence_sha256": "{digest}"}}'

        stamped = CLAUSE.sub(stamp, text)
        if stamped == text:
            continue
        drifted += 1
        if "--check" in sys.argv:
            print(f"{path.name}: a clause's sentence has another hash than when it was judged")
        else:
            path.write_text(stamped, "utf-8")
    return 1 if drifted and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
