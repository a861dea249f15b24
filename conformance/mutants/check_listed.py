#!/usr/bin/python3
"""Every mutant switch in the source stands in mutants.json, with who kills it; exit 1 otherwise.

usage: check_listed.py
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SITE = re.compile(r'\bmutant\(\s*"([a-z0-9_.]+)"\)')
TESTS = re.compile(r"_(test|main|fuzz)\.cpp$")


def main() -> int:
    sites = {name for folder in ("reference", "sim") for path in (ROOT / folder).rglob("*.cpp")
             if not TESTS.search(path.name) for name in SITE.findall(path.read_text("utf-8"))}
    listed = json.loads((HERE / "mutants.json").read_text("utf-8"))
    clauses = json.loads((ROOT / "reference/spec/requirements.json").read_text("utf-8"))
    names = [entry["name"] for entry in listed]
    wrong = [f"{name}: has a site, is not in mutants.json" for name in sorted(sites - set(names))]
    wrong += [f"{name}: is listed, has no site" for name in sorted(set(names) - sites)]
    twice = sorted({name for name in names if names.count(name) > 1})
    wrong += [f"{name}: is listed twice" for name in twice]
    for entry in listed:
        if entry["clause"] not in clauses:
            wrong.append(f'{entry["name"]}: no such clause: {entry["clause"]}')
        if not entry["killed_by"] and not entry.get("equivalent"):
            wrong.append(f'{entry["name"]}: is killed by nobody, and not said to be equivalent')
    print("\n".join(wrong) or f"{len(names)} mutants, all listed and killed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
