#!/usr/bin/python3
"""Goal: of two keys under one kid no peer gives one out, and the run that shows it needs kids that
are cut short. Method: ams-sim refuses the scenario and names the program that runs it; ams-sim-mut
runs it with that bug planted, and every promise holds.

usage: collision_test.py AMS_SIM AMS_SIM_MUT
"""
import pathlib
import subprocess
import sys

SCENARIO = pathlib.Path(__file__).resolve().parent / "scenarios/directory-collision.toml"


def run(program: str, *more: str) -> tuple[int, str]:
    done = subprocess.run([program, "run", str(SCENARIO), "--quiet", *more], capture_output=True,
                          text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def main() -> int:
    ordinary, planted = sys.argv[1:3]
    problems = []
    code, output = run(ordinary)
    if code != 2 or "ams-sim-mut" not in output or "keys.short_kid" not in output:
        problems.append(f"ams-sim ends with {code}: {output}")
    code, output = run(planted, "--mutant", "keys.short_kid")
    if code != 0 or "holds    two keys of one kid are quarantined at every peer" not in output:
        problems.append(f"ams-sim-mut ends with {code}: {output}")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
