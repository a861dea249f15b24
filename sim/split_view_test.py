#!/usr/bin/python3
"""Goal: a domain that shows one asker a log of his own gets nothing sealed to its wrong keys where
a witness is demanded, and the run prints what shows it to anyone; without witnesses it succeeds.
Method: runs split-view and compares the two checkpoints of each printed proof; then runs it once
more with no witnesses demanded.

usage: split_view_test.py AMS_SIM CORPUS
"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "sim/scenarios/split-view.toml"


def run(program: str, corpus: str, scenario: pathlib.Path) -> subprocess.CompletedProcess:
    return subprocess.run([program, "run", str(scenario), "--corpus", corpus, "--quiet"],
                          capture_output=True, text=True, timeout=300)


def proofs(output: str) -> dict:
    """{domain: blie/1} of what the run printed."""
    lines = output.splitlines()
    return {line.split()[0]: json.loads(lines[number + 1]) for number, line in enumerate(lines)
            if "handed out a wrong key for" in line}


def forks(domain: str, lie: dict) -> bool:
    """Two notes of the domain's log, of one size and with two roots (CKP-11)."""
    if (lie["kind"], lie["domain"]) != ("fork", domain):
        return False
    sizes = [line for line in lie["notes"].splitlines() if line.isdigit()]
    origins = [line for line in lie["notes"].splitlines() if line == "ams-bind/" + domain]
    roots = {line for line in lie["notes"].splitlines() if len(line) == 44 and line.endswith("=")}
    return len(sizes) == 2 and len(set(sizes)) == 1 and len(origins) == 2 and len(roots) == 2


def main() -> int:
    program, corpus = sys.argv[1:3]
    done = run(program, corpus, SCENARIO)
    shown = proofs(done.stdout)
    problems = [] if done.returncode == 0 else ["an invariant is violated"]
    if sorted(shown) != ["d4.example", "d5.example"]:
        problems.append(f"convicted are {sorted(shown)}")
    problems += [f"{domain}: the proof shows nothing" for domain, lie in shown.items()
                 if not forks(domain, lie)]
    with tempfile.TemporaryDirectory() as folder:
        trusting = pathlib.Path(folder) / "trusting.toml"
        trusting.write_text(SCENARIO.read_text("utf-8").replace("log_witnesses = 1\n", ""), "utf-8")
        alone = run(program, corpus, trusting)
    if alone.returncode == 0 or "no unverified key is used" not in alone.stdout:
        problems.append("without witnesses nobody was deceived: the scenario shows nothing")
    for problem in problems:
        print(problem)
    if problems:
        print(done.stdout, alone.stdout)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
