#!/usr/bin/python3
"""Goal: a directory peer that shows each half of the others its own log is noticed within two
rounds and proven to anybody, whoever it is and however few they are; and proven though no two of
its checkpoints are of one size. Method: runs directory-equivocation with each of its peers as the
liar, and with three to six peers, and so directory-equivocation-apart; the simulator judges the
promises of their [targets].

usage: equivocation_test.py AMS_SIM
"""
import itertools
import pathlib
import re
import subprocess
import sys
import tempfile

SCENARIOS = pathlib.Path(__file__).resolve().parent / "scenarios"
SCENARIO = SCENARIOS / "directory-equivocation.toml"
APART = SCENARIOS / "directory-equivocation-apart.toml"


def change(text: str, name: str, value: int) -> str:
    text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    if count != 1:
        raise SystemExit(f"scenario: expected one line '{name} = …', found {count}")
    return text


def variant(text: str, peers: int, liar: int) -> str:
    """The scenario with so many peers; few know one another sooner, so the lie is earlier. Whoever
    publishes is another than the liar."""
    head, *tables = re.split(r"(?m)^(?=\[\[)", text)
    out = change(head, "peers", peers)
    for number, table in enumerate(tables, 1):
        if table.startswith("[[publish]]"):
            table = change(table, "peer", (liar + number) % peers)
        if table.startswith("[[twin]]"):
            table = change(table, "peer", liar)
            if "apart" not in table:
                table = change(table, "at_s", 200 if peers < 12 else 420)
        out += table
    return out


def main() -> int:
    program = sys.argv[1]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "variant.toml"
        for peers in (3, 4, 5, 6, 12):
            for scenario, liar in itertools.product((SCENARIO, APART), range(peers)):
                file.write_text(variant(scenario.read_text(), peers, liar))
                done = subprocess.run([program, "run", str(file), "--quiet"], capture_output=True,
                                      text=True, timeout=120)
                if done.returncode != 0:
                    failed += 1
                    print(f"{scenario.stem}: {liar} of {peers} peers:\n{done.stdout}{done.stderr}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
