#!/usr/bin/python3
"""Feeds every vector to a codec adapter and compares result, code, phase and output.

usage: run_vectors.py [--op OP] [--flag FLAG] [--id ID] ADAPTER_COMMAND…

The adapter speaks JSON lines (conformance/adapter/adapter.schema.json). Exit 0 clean, 1 mismatch,
3 nothing or too little ran, 4 the adapter broke the protocol or died.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
HELD_MIN = 0.5  # of the vectors chosen: fewer held to a verdict is not a run


class AdapterError(Exception):
    pass


def load(folder: pathlib.Path) -> list:
    """[(op, test, notes)] of all files."""
    found = []
    for path in sorted(folder.glob("*/*.json")):
        value = json.loads(path.read_text("utf-8"))
        for group in value.get("groups", []):
            found += [(value["op"], test, value["notes"]) for test in group["tests"]]
    return found


def ask(command: list, requests: list) -> dict:
    """{id: answer}. The requests are written by a thread, so that neither pipe can fill up."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as child:
        def feed():
            try:
                for request in requests:
                    child.stdin.write(json.dumps(request) + "\n")
                child.stdin.close()
            except BrokenPipeError:
                pass  # said below: answers are missing
        writer = threading.Thread(target=feed)
        writer.start()
        answers = {}
        for line in child.stdout:
            try:
                answer = json.loads(line)
            except ValueError:
                raise AdapterError(f"no JSON: {line[:80]!r}") from None
            if answer.get("id") in answers:
                raise AdapterError(f"two answers to {answer.get('id')}")
            answers[answer.get("id")] = answer
        writer.join()
    missing = [request for request in requests if request["id"] not in answers]
    if missing or child.returncode != 0:
        first = f", the first one to {missing[0]['op']}" if missing else ""
        raise AdapterError(f"exit {child.returncode}, {len(missing)} answers missing{first}")
    return answers


def verdict(test: dict, answer: dict) -> tuple:
    """(kind, what happened): kind is "pass", "fail" or "unsupported"."""
    if "fault" in answer:
        return "fail", f"the adapter could not use the request: {answer['fault']}"
    error = answer.get("error")
    if error is None and "ok" not in answer:
        raise AdapterError(f"neither ok nor error: {json.dumps(answer)[:100]}")
    if error and error.get("code") == "unsupported":
        return "unsupported", ""
    if test["result"] == "valid":
        if error:
            return "fail", f"valid, but refused with {error['phase']}/{error['code']}"
        wrong = [name for name, value in test["output"].items() if answer["ok"].get(name) != value]
        return ("fail", f"valid, but {', '.join(wrong)} differs") if wrong else ("pass", "")
    reject = test["reject"]
    wanted = f"{reject['phase']}/{' or '.join(reject['codes'])}"
    if not error:
        return "fail", f"must be refused with {wanted}, was accepted"
    if error.get("phase") != reject["phase"] or error.get("code") not in reject["codes"]:
        got = f"{error.get('phase')}/{error.get('code')}"
        return "fail", f"must be refused with {wanted}, got {got}"
    return "pass", ""


def report(failures: list) -> None:
    """Per flag: what fails, why it matters, which clause."""
    by_flag = collections.OrderedDict()
    for test, notes, what in failures:
        flag = test["flags"][0] if test["flags"] else "valid"
        by_flag.setdefault((flag, json.dumps(notes.get(flag, {}))), []).append((test, what))
    for (flag, note), tests in by_flag.items():
        note = json.loads(note)
        print(f"\n{flag}: {len(tests)} fail. {note.get('description', 'Must be accepted.')}")
        if note:
            print(f"  {note['bug_type']}: {note['effect']} Clauses: {', '.join(note['clauses'])}")
        for test, what in tests:
            print(f"  {test['id']} [{test['importance']}] {test['comment']}: {what} "
                  f"({', '.join(test['clauses'])})")


def judge(vectors: list, answers: dict) -> tuple:
    """(failures, {op: unsupported}, passed); an invalid one counts only if its twin passed."""
    verdicts = {test["id"]: verdict(test, answers[i]) for i, (_, test, _) in enumerate(vectors)}
    failures, unsupported, passed = [], collections.Counter(), 0
    for op, test, notes in vectors:
        kind, what = verdicts[test["id"]]
        if kind == "unsupported":
            unsupported[op] += 1
        elif kind == "fail":
            failures.append((test, notes, what))
        elif verdicts.get(test.get("twin"), ("pass", ""))[0] != "pass":
            failures.append((test, notes, f"not exercised: its valid twin {test['twin']} fails"))
        else:
            passed += 1
    return failures, unsupported, passed


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("--op", "--flag", "--id"):
        parser.add_argument(name)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    every = load(ROOT / "vectors")
    named = {test["id"] for op, test, _ in every if chosen.op in (None, op) and
             chosen.id in (None, test["id"]) and
             (chosen.flag is None or chosen.flag in test["flags"])}
    named |= {test["twin"] for _, test, _ in every if test["id"] in named and "twin" in test}
    vectors = [vector for vector in every if vector[1]["id"] in named]  # with their twins
    requests = [{"id": i, "op": op, "args": test["input"]} for i,
                (op, test, _) in enumerate(vectors)]
    if not vectors or not chosen.command:
        print("nothing to run")
        return 3
    try:
        answers = ask(chosen.command, requests)
        failures, unsupported, passed = judge(vectors, answers)
    except (AdapterError, OSError) as error:
        print(f"adapter: {error}")
        return 4
    report(failures)
    for op, count in sorted(unsupported.items()):
        print(f"unsupported: {op} ({count} vectors)")
    print(f"{len(vectors)} vectors: {passed} pass, {len(failures)} fail, "
          f"{sum(unsupported.values())} unsupported")
    if failures:
        return 1
    return 0 if passed >= HELD_MIN * len(vectors) else 3


if __name__ == "__main__":
    sys.exit(main())
