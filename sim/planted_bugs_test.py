#!/usr/bin/python3
"""Goal: every planted bug is caught by the invariant that is there for it, which says what, when
and how to replay; and without a bug the same scenarios are clean.
Method: runs ams-sim-mut over small scenarios with each switch on, seed by seed until it shows.

usage: planted_bugs_test.py AMS_SIM_MUT CORPUS [PART PARTS [SEEDS]]
PART counts from 0: every PARTS-th scenario, so that parts run side by side and none is left out
"""
import pathlib
import subprocess
import sys

SCENARIOS = pathlib.Path(__file__).resolve().parent / "scenarios"
LOST = "an acknowledged message is never lost"
DOUBLED = "a message is never twice in a mailbox"
PRIVATE = "no private key leaves its client"
UNVERIFIED = "no unverified key is used"
READABLE = "what is in a mailbox opens and verifies"
CONFIRMED = "nothing passes for a domain that discovery did not confirm"
NOTICED = "two faces are noticed in the time promised"
PRIVATE_VIEW = "what no honest witness saw is not believed"
ERASED = "what was erased does not come back"
CROWD = "a crowd of one hand gets no more places than promised"
QUOTA = "a flood is held to its domain's quota"
BUGS = [
    # switch, scenario, the invariant that must catch it
    ("store.drop_fsync", "storm", LOST),
    ("server.ack_before_durable", "storm", LOST),
    ("server.skip_dedup", "storm", DOUBLED),
    ("client.leak_private_key", "storm", PRIVATE),
    ("client.skip_binding_check", "liar", UNVERIFIED),
    ("client.skip_log_match", "binding-liar", UNVERIFIED),
    ("client.forget_former_keys", "policy-shift", READABLE),
    ("keys.skip_chain_root", "dns", CONFIRMED),
    ("server.admit_unproven", "dns", CONFIRMED),
    ("directory.no_pursuit", "directory-equivocation-apart", NOTICED),
    ("directory.replace_on_pull", "directory-erase-heal", ERASED),
    ("directory.one_block_is_all", "directory-eclipse-table", CROWD),
    ("directory.skip_quota", "directory-flood", QUOTA),
    ("verifiable.skip_quorum", "directory-eclipse", PRIVATE_VIEW),
]


def run(program: str, corpus: str, scenario: str, seed: int, mutant: str) -> tuple[int, str]:
    command = [program, "run", str(SCENARIOS / f"{scenario}.toml"), "--corpus", corpus, "--quiet",
               "--seed", str(seed)]
    if mutant:
        command += ["--mutant", mutant]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def caught(output: str, invariant: str) -> bool:
    lines = output.splitlines()
    for number, line in enumerate(lines):
        if line.strip().startswith(f"VIOLATED {invariant}"):
            return lines[number + 1].strip().startswith("at ") and "replay: ams-sim run" in output
    return False


def main() -> int:
    program, corpus = sys.argv[1], sys.argv[2]
    part, parts = (int(sys.argv[3]), int(sys.argv[4])) if len(sys.argv) > 4 else (0, 1)
    seeds = int(sys.argv[5]) if len(sys.argv) > 5 else 20
    scenarios = sorted({scenario for _, scenario, _ in BUGS})[part::parts]
    bugs = [bug for bug in BUGS if bug[1] in scenarios]
    if not bugs:
        print(f"part {part} of {parts}: no scenario is left for it")
        return 2
    bad = 0
    for scenario in scenarios:
        code, output = run(program, corpus, scenario, 1, "")
        print(f"{'ok' if code == 0 else 'NOT CLEAN'}  {scenario} without a bug")
        if code != 0:
            bad += 1
            print(output)
    for mutant, scenario, invariant in bugs:
        for seed in range(1, seeds + 1):
            code, output = run(program, corpus, scenario, seed, mutant)
            if code == 1 and caught(output, invariant):
                print(f"ok  {mutant}: caught in {scenario}, seed {seed}, by: {invariant}")
                break
        else:
            bad += 1
            print(f"NOT CAUGHT  {mutant} in {scenario}, {seeds} seeds, by: {invariant}\n{output}")
    print(f"{len(bugs)} bugs planted, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
