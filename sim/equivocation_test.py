#!/usr/bin/python3
"""Goal: a directory peer that shows each half of the others its own log is noticed within two
rounds and proven to anybody, whoever it is and however few they are. Method: runs
directory-equivocation with each of its peers as the liar, and with three to six peers; the
simulator judges the promises of its [targets].

usage: equivocation_test.py AMS_SIM
"""
import pathlib
import re
import subprocess
import sys
import tempfile

SCENARIO = pathlib.Path(__file__).resolve().parent / "scenarios/directory-equivocation.toml"


def variant(text: str, peers: int, liar: int) -> str:
    """The scenario with so many peers; few know one another sooner, so the lie is earlier."""
    changes = {"peers": peers, "peer": liar, "at_s": 200 if peers < 12 else 420}
    for name, value in changes.items():
        text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        if count != 1:
            raise SystemExit(f"{SCENARIO}: expected one line '{name} = …', found {count}")
    return text


def main() -> int:
    program = sys.argv[1]
    text = SCENARIO.read_text()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "variant.toml"
        for peers in (3, 4, 5, 6, 12):
            for liar in range(peers):
                file.write_text(variant(text, peers, liar))
                done = subprocess.run([program, "run", str(file), "--quiet"], capture_output=True,
                                      text=True, timeout=120)
                if done.returncode != 0:
                    failed += 1
                    print(f"{liar} of {peers} peers:\n{done.stdout}{done.stderr}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
