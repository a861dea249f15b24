#!/usr/bin/python3
"""Goal: a server that hands out a wrong key is caught, and the run prints what shows it to anyone.
Method: runs binding-liar; ams_py, the second implementation, reads the printed proofs and judges
what they say of the domain's own words: the signed binding and the entry under its log's head.

usage: binding_liar_test.py AMS_SIM CORPUS
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "sim/scenarios/binding-liar.toml"
sys.path.insert(0, str(ROOT / "conformance/peers"))

from ams_py import bindlog, keys


def proofs(output: str) -> dict:
    """{domain: blie/1} of what the run printed."""
    lines = output.splitlines()
    return {line.split()[0]: json.loads(lines[number + 1]) for number, line in enumerate(lines)
            if "handed out a wrong key for" in line}


def contradicts(domain: str, lie: dict) -> bool:
    """The two statements are of one address and version of the domain, and name different keys."""
    said = keys.BINDING(lie["binding"], "binding")
    entry = bindlog.entry(lie["proof"]["entry"])
    head = lie["proof"]["head"]["checkpoint"].splitlines()[0]
    about = (said["addr"], said["version"]) == (entry["addr"], entry["version"])
    return (lie["kind"] == "contradiction" and lie["domain"] == domain and about and
            said["addr"].endswith("@" + domain) and head == "ams-bind/" + domain and
            said["fp"] != entry["fp"])


def main() -> int:
    program, corpus = sys.argv[1:3]
    done = subprocess.run([program, "run", str(SCENARIO), "--corpus", corpus, "--quiet"],
                          capture_output=True, text=True, timeout=300)
    shown = proofs(done.stdout)
    problems = [] if done.returncode == 0 else ["an invariant is violated"]
    if sorted(shown) != ["d4.example", "d5.example"]:
        problems.append(f"convicted are {sorted(shown)}")
    problems += [f"{domain}: the proof shows nothing" for domain, lie in shown.items()
                 if not contradicts(domain, lie)]
    if "refused with binding_contradiction" not in done.stdout:
        problems.append("no letter was refused")
    for problem in problems:
        print(problem)
    if problems:
        print(done.stdout)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
