#!/usr/bin/python3
"""What does a durable submission over loopback TLS cost, and how long does amsd take to start?
Server and senders share this machine. Prints a JSON object a line.

usage: bench/load/measure.py [BIN_DIR]
"""
import json
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "reference/apps/e2e"))
import harness  # noqa: E402

LETTERS = 2000
STARTS = 10


def start_ms(daemon: harness.Daemon) -> float:
    begin = time.monotonic()
    daemon.start()
    return (time.monotonic() - begin) * 1000


def submit(world, daemon, senders: int, window: int, first: int) -> dict:
    args = ["--hosts", world.hosts, "--to", f"to@{daemon.domain}", "--letters", LETTERS,
            "--window", window]
    for number in range(first, first + senders):
        addr = f"s{number}@{daemon.domain}"
        args += ["--account", addr, "--token", daemon.add_account(addr)]
    done = harness.run("ams-load", *args, timeout=120)
    return json.loads(done.stdout)


def commits(daemon) -> list:
    """Commits and batches so far, of the last daemon that stopped."""
    fields = daemon.log_text().splitlines()[-1].split()
    return [int(field.split("=")[1]) for field in fields if field.startswith(("commits", "batch"))]


def main() -> None:
    harness.BIN = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/dev/bin")
    with harness.World() as world:
        daemon = world.add("a.example")
        daemon.set("level", '"info"')
        starts = []
        for _ in range(STARTS):
            starts.append(start_ms(daemon))
            daemon.stop()
        print(json.dumps({"start_ms_median": round(sorted(starts)[STARTS // 2], 1)}), flush=True)
        first = 1
        for senders, window in ((1, 1), (1, 16), (8, 1), (8, 16)):
            daemon.start()
            if first == 1:
                harness.User(world, daemon, "to")
            figures = submit(world, daemon, senders, window, first)
            first += senders
            daemon.stop()
            figures["commits"], figures["batches"] = commits(daemon)
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    try:
        main()
    except subprocess.TimeoutExpired as error:
        sys.exit(f"{error}")
