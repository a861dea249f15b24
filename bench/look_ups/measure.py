#!/usr/bin/python3
"""How many look-ups a second does one core of a directory peer answer over loopback TLS, and how
long does each wait? A real ams-directory; beside it in the same run an echo: answers of the same
size over the same TLS connections, from a server that looks into nothing. Both share this
machine; `per_s_of_a_core` is what the peer's own processor time allows. Prints JSON, a line a run.

The peer's budget for one asking domain ([directory] requests_per_s, DIR-18) is lifted for the run.
It is filled by writing its store, not by publishing (about 0.1 ms a key with a record); of its keys
at most 100,000 have records, the others are values in the map.

usage: bench/look_ups/measure.py [BIN_DIR] [KEYS…]    default: build/release/bin 100000 1000000
       bench/look_ups/measure.py BIN_DIR --check      seconds: does each way work at all?
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "reference/apps/e2e"))
import harness  # noqa: E402

RECORDS_MAX = 100_000
COUNT = {"proof": 300_000, "get": 300_000, "echo": 300_000, "verified": 20_000}
WINDOW = 64  # of a connection: as many as a peer answers at once (limits.in_flight)


class Site:
    """A peer that holds so many keys, and a domain that asks it."""

    def __init__(self, world: harness.World, keys: int):
        self.peer = world.add(f"d{keys}.example", "ams-directory")
        self.asker = world.add(f"asks{keys}.example", "ams-directory")
        text = self.peer.config.read_text("utf-8")
        self.peer.config.write_text(
            text.replace("[directory]", "[directory]\nrequests_per_s = 10000000"), "utf-8")
        self.peer.set("level", '"info"')
        self.kids = world.folder / f"kids{keys}"
        self.filled = json.loads(harness.run(
            "ams-look-ups", "fill", "--config", self.peer.config, "--keys", keys, "--records",
            min(keys, RECORDS_MAX), "--kids", self.kids, timeout=600).stdout)

    def start(self) -> None:
        """Until it has signed a checkpoint: that takes a second, or what reading the map takes."""
        self.peer.start()
        harness.until("an answer with a proof", lambda: self.run("proof", 1, 1, 0).returncode == 0)

    def run(self, mode: str, connections: int, count: int, pid: int):
        return harness.run(
            "ams-look-ups", "ask", "--config", self.asker.config, "--peer", self.peer.domain,
            "--kids", self.kids, "--mode", mode, "--connections", connections, "--window", WINDOW,
            "--count", count, "--server-pid", pid, check=False, timeout=300)

    def ask(self, mode: str, connections: int, count: int, pid: int = 0) -> dict:
        done = self.run(mode, connections, count, pid or self.peer.process.pid)
        if done.returncode != 0:
            raise AssertionError(f"{mode}: {done.stderr}")
        figures = json.loads(done.stdout)
        assert figures["look_ups"] == count, figures
        return {"keys": self.filled["keys"], **figures}

    def echo(self, connections: int, count: int, size: int) -> dict:
        """With the peer's certificate, at its port; it does not run meanwhile."""
        args = [harness.BIN / "ams-look-ups", "echo", "--config", self.peer.config, "--bytes",
                str(size)]
        with subprocess.Popen(args, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout.readline() == "ready echo\n"
                return self.ask("echo", connections, count, server.pid)
            finally:
                server.terminate()


def measure(world: harness.World, keys: int, count: dict, connections: tuple) -> None:
    site = Site(world, keys)
    print(json.dumps({"filled": site.filled}), flush=True)
    site.start()
    size = 0
    for mode in ("proof", "get", "verified"):
        for number in connections:
            figures = site.ask(mode, number, count[mode])
            print(json.dumps(figures), flush=True)
            size = size or round(figures["bytes_each"])
    assert site.peer.stop() == 0
    for number in connections:
        print(json.dumps(site.echo(number, count["echo"], size)), flush=True)


def main() -> None:
    args = sys.argv[1:]
    check = "--check" in args
    args = [arg for arg in args if arg != "--check"]
    harness.BIN = pathlib.Path(args[0] if args else ROOT / "build/release/bin").resolve()
    with harness.World() as world:
        if check:
            measure(world, 2_000, dict.fromkeys(COUNT, 500), (1, 4))
            return
        for keys in map(int, args[1:] or (100_000, 1_000_000)):
            measure(world, keys, COUNT, (1, 4, 16))


if __name__ == "__main__":
    try:
        main()
    except subprocess.TimeoutExpired as error:
        sys.exit(f"{error}")
