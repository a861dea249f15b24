#!/usr/bin/python3
"""usage: kill_mutants.py AMS_CONFORM AMS_CODEC_MUT : every mutant of the rooms that the codec
adapter reaches must be killed by a vector; exit 1 when one lives, 3 when there is none.

A mutant is a rule that the reference leaves out on purpose (mutant("room.name") in its source)."""
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ("crypto", "wire", "keys", "mail")
MUTANT = re.compile(r'\bmutant\("([a-z_.]+)"\)')
LIVE = {"mail.skip_notice_signature": "no op of the codec adapter judges notices",
        "wire.refuse_x_members": "x_ members stand in args of ops only: srv-hello-x-member"}


def mutants() -> list:
    found = {name for room in ROOMS for path in (ROOT / "reference" / room).glob("*.cpp")
             if not path.name.endswith("_test.cpp")
             for name in MUTANT.findall(path.read_text("utf-8"))}
    return sorted(found)


def main(arguments: list) -> int:
    names, alive = mutants(), []
    for name in names:
        done = subprocess.run([arguments[0], "vectors", "--all", "--sut",
                               f"{shlex.quote(arguments[1])} --mutant {name}"],
                              capture_output=True, text=True, check=False)
        failed = re.search(r"(\d+) fail", done.stdout.strip().split("\n")[-1])
        killed = done.returncode == 1 and failed is not None
        print(f"{name}: {f'killed by {failed[1]} vectors' if killed else LIVE.get(name, 'LIVES')}")
        if killed == (name in LIVE):
            alive.append(name)
    print(f"{len(names)} mutants, {len(alive)} otherwise than expected {alive}")
    return 3 if not names else 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
