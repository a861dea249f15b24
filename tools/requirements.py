#!/usr/bin/python3
"""Keeps reference/spec/requirements.json in step with the normative sentences of the spec.

usage: requirements.py check              fails on what is unlisted, changed, unknown or unproven
       requirements.py update [ID...]     lists new sentences; takes over the new text of IDs
       requirements.py update --all       …of every changed sentence
       requirements.py list [STATUS]      the sentences and who answers for them

A sentence is a list item `- **ENC-3** text`, continued on indented lines. requirements.json maps
each id to {"sha256": of the text with white space folded, "status": "tested" | "vector" |
"simulator" | "excluded", "by": [names], "reason": for what is excluded}. A name in "by" is a gtest
(Suite.test), a Python test (Class.test), the id of a conformance case, vector or simulator
invariant, or the path of a file (a fuzzer); a name that is nowhere in the tree fails the check.
When a sentence changes, look whether its tests still say the same, then `update ID`.
"""
import hashlib
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
STATUSES = ("tested", "vector", "simulator", "excluded")
SENTENCE = re.compile(r"^- \*\*([A-Z]{2,5}-\d+)\*\*\s(.*)")
GTEST = re.compile(r"\b(?:TEST(?:_F|_P)?|RC_GTEST\w*PROP)\(\s*(\w+),\s*(\w+)")
NOT_YET = "not yet keyed"


def sentences(spec: pathlib.Path) -> tuple:
    """({id: folded text}, [problem]) of all chapters."""
    found, problems = {}, []
    for chapter in sorted(spec.glob("*.md")):
        current = None
        for number, line in enumerate(chapter.read_text("utf-8").split("\n"), 1):
            start = SENTENCE.match(line)
            if start:
                current = start[1]
                if current in found:
                    problems.append(f"{chapter.name}:{number}: {current} is given twice")
                found[current] = start[2]
            elif current and re.match(r"^\s+\S", line):
                found[current] += " " + line
            else:
                current = None
    return {name: " ".join(text.split()) for name, text in found.items()}, problems


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def sort_key(name: str) -> tuple:
    letters, number = name.split("-")
    return letters, int(number)


def load(spec: pathlib.Path) -> dict:
    path = spec / "requirements.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def save(spec: pathlib.Path, listed: dict) -> None:
    """One id a line, so that two people's changes merge."""
    lines = [f' "{name}": {json.dumps(listed[name], ensure_ascii=False)}'
             for name in sorted(listed, key=sort_key)]
    (spec / "requirements.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


class Names:
    """What can answer for a sentence: every test, case, vector and invariant of the tree."""

    def __init__(self, root: pathlib.Path):
        self.root = root
        self.names = set()
        for folder in ("reference", "sim", "conformance", "bench", "vectors", "tools"):
            for path in sorted((root / folder).rglob("*")):
                if "node_modules" not in path.parts and path.is_file():
                    self._read(path, folder)

    def _read(self, path: pathlib.Path, folder: str) -> None:
        if path.suffix == ".cpp":
            text = path.read_text("utf-8")
            for test in GTEST.finditer(text):
                self.names.add(f"{test[1]}.{test[2]}")
            if folder in ("sim", "conformance"):  # ids of invariants and of cases in code
                self.names.update(re.findall(r'"([a-z0-9][a-z0-9_.\-/]*)"', text))
        elif path.name.endswith("_test.py"):
            suite = None
            for line in path.read_text("utf-8").split("\n"):
                if found := re.match(r"class (\w+)\(", line):
                    suite = found[1]
                elif (found := re.match(r"    def (test\w+)\(", line)) and suite:
                    self.names.add(f"{suite}.{found[1]}")
        elif path.suffix in (".json", ".toml") and folder in ("conformance", "vectors", "sim"):
            self.names.update(re.findall(r'"?\bid"?\s*[:=]\s*"([^"]+)"', path.read_text("utf-8")))

    def known(self, name: str) -> bool:
        return name in self.names or ("/" in name and (self.root / name).is_file())


def check(root: pathlib.Path) -> list:
    """Problems, one line each."""
    spec = root / "reference/spec"
    found, problems = sentences(spec)
    listed, names = load(spec), Names(root)
    for name in sorted(found, key=sort_key):
        if name not in listed:
            problems.append(f"{name}: not in requirements.json (tools/requirements.py update)")
        elif listed[name].get("sha256") != text_hash(found[name]):
            problems.append(f"{name}: the sentence has changed; see whether its tests still say "
                            f"the same, then tools/requirements.py update {name}")
    for name, entry in listed.items():
        problems += [f"{name}: {what}" for what in entry_problems(name, entry, found, names)]
    return problems


def entry_problems(name: str, entry: dict, found: dict, names: Names) -> list:
    problems = []
    if name not in found:
        problems.append("listed, but no chapter has this sentence")
    if entry.get("status") not in STATUSES:
        problems.append(f"status is {entry.get('status')!r}, expected one of {', '.join(STATUSES)}")
    elif entry["status"] == "excluded" and not entry.get("reason"):
        problems.append("excluded without a reason")
    elif entry["status"] != "excluded" and not entry.get("by"):
        problems.append(f"{entry['status']}, but \"by\" names nothing")
    for by in entry.get("by", []):
        if not names.known(by):
            problems.append(f'"by" names {by}, which is nowhere in the tree')
    return problems


def update(root: pathlib.Path, ids: list) -> list:
    """Problems; requirements.json is written when there are none."""
    spec = root / "reference/spec"
    found, problems = sentences(spec)
    listed = load(spec)
    problems += [f"{name}: no chapter has this sentence" for name in ids
                 if name != "--all" and name not in found]
    if problems:
        return problems
    for name, text in found.items():
        if name not in listed:
            listed[name] = {"sha256": text_hash(text), "status": "excluded", "by": [],
                            "reason": NOT_YET}
        elif name in ids or "--all" in ids:
            listed[name]["sha256"] = text_hash(text)
    if "--all" in ids:
        listed = {name: entry for name, entry in listed.items() if name in found}
    save(spec, listed)
    return []


def counts(root: pathlib.Path) -> str:
    entries = load(root / "reference/spec").values()
    by_status = {status: sum(e.get("status") == status for e in entries) for status in STATUSES}
    unkeyed = sum(e.get("reason") == NOT_YET for e in entries)
    return (f"{len(entries)} sentences: " + ", ".join(f"{n} {s}" for s, n in by_status.items()) +
            f" ({unkeyed} of them {NOT_YET})")


def main(arguments: list) -> int:
    command, rest = (arguments or [""])[0], arguments[1:]
    if command == "check" and not rest:
        problems = check(ROOT)
    elif command == "update":
        problems = update(ROOT, rest)
    elif command == "list":
        for name, entry in load(ROOT / "reference/spec").items():
            if not rest or entry["status"] == rest[0]:
                print(name, entry["status"], *entry["by"], entry.get("reason", ""))
        return 0
    else:
        print(__doc__, file=sys.stderr)
        return 2
    for problem in problems:
        print(problem)
    print(counts(ROOT))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
