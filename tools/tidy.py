#!/usr/bin/python3
"""Rules that no compiler checks: line length, which library a folder may include, banned words,
headers that nobody includes, tables of one number, clauses that the error registry names.

usage: tidy.py [--grace RULE,RULE]      exit 1 on a violation
  --grace   these rules warn instead of failing
Run by ctest as `tidy`. To allow something new, change the tables below and say why in the commit.
"""
import argparse
import json
import pathlib
import re
import sys

import requirements

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLUMNS_MAX = 100
FOLDERS = ("reference", "sim", "conformance", "bench", "vectors", "tools", "cmake")
SKIPPED = {"node_modules", "__pycache__", "build", "out"}
CPP = {".h", ".cpp", ".cc", ".hpp"}
MEASURED = CPP | {".py", ".cmake"}  # and CMakeLists.txt: held to COLUMNS_MAX

# Rooms whose archives hold no clock, socket, file or entropy (and no order that depends on a hash).
PURE = tuple(f"reference/{room}/" for room in (
    "base", "crypto", "wire", "storage", "keys", "keystore", "bindlog", "mail", "container",
    "discovery", "directory", "accountability", "server", "client"))
TESTS = re.compile(r"_(test|fuzz|bench)\.cpp$|/test_\w+\.h$")

# Rooms whose rows lie in one storage, that of a server; and a table in a line of theirs.
SHARED_STORAGE = re.compile(r"reference/(directory|server)/")
TABLE = re.compile(r"\bTable (table_\w+)\{(0x[0-9a-fA-F]+)\}")

# (what is included, why it is fenced in, where it may be). Tests may use what a test needs.
FENCES = (
    (re.compile(r"^openssl/"), "OpenSSL stays behind crypto and net",
     ("reference/crypto/", "reference/net/", "reference/keystore_net/", "sim/rand",
      "conformance/runner/",
      "conformance/adapter/samples/", "bench/")),
    (re.compile(r"^nlohmann/"), "json.hpp costs 5 s a file and reads leniently: use wire",
     ("reference/wire/", "reference/apps/", "sim/", "conformance/", "bench/", "TESTS")),
    (re.compile(r"^boost/(asio|beast)"), "sockets belong to the drivers",
     ("reference/net/", "reference/keystore_net/", "conformance/runner/")),
    (re.compile(r"^p11-kit/"), "tokens belong to the key store's driver",
     ("reference/keystore_net/",)),
    (re.compile(r"^ares\.h$"), "questions to DNS belong to the drivers", ("reference/net/",)),
    (re.compile(r"^sqlite3\.h$"), "SQLite stays behind the storage port", ("reference/store/",)),
)
IMPURE_INCLUDES = {"thread", "fstream", "random"}

# Written in pieces, so that this file does not break its own rules.
BANNED = (
    ("words", re.compile(r"\b(FIX" + r"ME|TO" + r"DO|XX" + r"X)\b"), "do it, or file an issue"),
    ("random", re.compile(r"(?<![\w.>])s?ra" + r"nd\(|std::random" + r"_device"),
     "randomness is an argument; see base and sim/rand"),
)
UNORDERED = re.compile(r"\bunordered_(multi)?(map|set)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def sources(root: pathlib.Path):
    """Relative path and lines of every file that the rules look at."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if SKIPPED & set(path.parts) or not path.is_file():
                continue
            if path.suffix in MEASURED or path.name == "CMakeLists.txt":
                yield path.relative_to(root).as_posix(), path.read_text("utf-8").split("\n")


def check_line(path: str, line: str):
    """Yields (rule, message) for a single line."""
    if len(line) > COLUMNS_MAX:
        yield "line-length", f"{len(line)} columns, at most {COLUMNS_MAX}"
    for rule, pattern, cure in BANNED:
        if (rule == "words" or path.endswith(tuple(CPP))) and (found := pattern.search(line)):
            yield rule, f"{found[0]}: {cure}"
    if path.endswith((".h", ".hpp")) and re.match(r"\s*using\s+namespace\b", line):
        yield "using-namespace", "a header must not open a namespace for those who include it"


def check_room(path: str, line: str):
    """Yields (rule, message) for what depends on the folder a C++ line stands in."""
    test = bool(TESTS.search(path))
    pure = path.startswith(PURE) and not test
    code = line.split("//")[0]
    if (pure or (path.startswith("sim/") and not test)) and UNORDERED.search(code):
        yield "unordered", "its order is not defined; runs would differ: take std::map or a vector"
    if not (found := INCLUDE.match(line)):
        return
    name = found[1]
    if pure and name in IMPURE_INCLUDES:
        yield "include", f"<{name}> in a PURE room"
    for pattern, why, allowed in FENCES:
        if pattern.match(name) and not path.startswith(tuple(allowed)):
            if not (test and "TESTS" in allowed):
                yield "include", f"{name}: {why}"


def check_unused_headers(files: list):
    included = {pathlib.PurePosixPath(found[1]).name
                for _, lines in files for line in lines if (found := INCLUDE.match(line))}
    for path, _ in files:
        if path.endswith((".h", ".hpp")) and pathlib.PurePosixPath(path).name not in included:
            yield path, 1, "unused-header", "nobody includes this header"


def check_tables(files: list):
    """No two tables of one storage have one number: each would read the other's rows."""
    taken = {}
    for path, lines in files:
        shared = SHARED_STORAGE.match(path)
        if not shared or TESTS.search(path):
            continue
        for number, line in enumerate(lines, 1):
            if found := TABLE.search(line):
                name = taken.setdefault(found[2].lower(), found[1])
                if name != found[1]:
                    yield path, number, "table", f"{found[1]} and {name} are both {found[2]}"


def check_registry(root: pathlib.Path):
    """Every error code breaks a sentence that the spec has."""
    path = "reference/spec/errors.json"
    if not (root / path).exists():
        return
    known, _ = requirements.sentences(root / "reference/spec")
    for number, line in enumerate((root / path).read_text("utf-8").split("\n"), 1):
        if found := re.search(r'"code": "(\w+)"', line):
            clause = re.search(r'"clause": "([^"]*)"', line)
            if not clause or clause[1] not in known:
                named = clause[1] if clause else "none"
                yield path, number, "registry", f"{found[1]}: clause {named} is not in the spec"
    for error in json.loads((root / path).read_text("utf-8"))["errors"]:
        if "clause" not in error:
            yield path, 1, "registry", f"{error['code']}: no clause"


def check(root: pathlib.Path) -> list:
    """[(path, line number, rule, message)] of the whole tree."""
    files = list(sources(root))
    violations = []
    for path, lines in files:
        for number, line in enumerate(lines, 1):
            found = list(check_line(path, line))
            if path.endswith(tuple(CPP)):
                found += check_room(path, line)
            violations += [(path, number, rule, message) for rule, message in found]
    violations += check_unused_headers(files)
    violations += check_tables(files)
    violations += check_registry(root)
    return violations


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grace", default="", help="rules that only warn, separated by commas")
    grace = set(parser.parse_args().grace.split(","))
    violations = check(ROOT)
    failures = [violation for violation in violations if violation[2] not in grace]
    for path, number, rule, message in violations:
        kind = "warning: " if rule in grace else ""
        print(f"{path}:{number}: {kind}[{rule}] {message}")
    print(f"{len(failures)} violations, {len(violations) - len(failures)} warnings")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
