"""Domains of real programs on loopback, for the end-to-end tests: amsd, ams-directory and ams as a
user has them. Nothing waits by sleeping: daemons say that they are ready, mail is asked for again
until a deadline.

A test is run as  TEST.py BIN_DIR [unittest arguments].
"""
import os
import pathlib
import random
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BIN = pathlib.Path("build/dev/bin")
DEADLINE_S = 20  # for anything that is waited for


def main() -> None:
    """The tests of the calling script; the first argument names the folder of the programs."""
    global BIN
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BIN = pathlib.Path(sys.argv.pop(1))
    BIN = BIN.resolve()
    unittest.main(module="__main__", verbosity=2)


def until(what: str, probe):
    """Asks `probe` until it gives something true."""
    end = time.monotonic() + DEADLINE_S
    while not (found := probe()):
        if time.monotonic() > end:
            raise AssertionError(f"within {DEADLINE_S} s never: {what}")
        time.sleep(0.02)
    return found


def free_port() -> int:
    """Outside the range from which the kernel takes ports for connections going out."""
    for _ in range(200):
        port = random.randrange(20000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port on loopback")


def run(program: str, *args, text: str = "", check: bool = True, timeout: float = 30):
    """Runs one of our programs to its end: returncode, stdout, stderr."""
    done = subprocess.run([BIN / program, *map(str, args)], input=text, text=True,
                          capture_output=True, timeout=timeout, check=False)
    if check and done.returncode != 0:
        raise AssertionError(
            f"{program} {args}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Daemon:
    """amsd, or ams-directory, in its own folder."""

    def __init__(self, world: "World", domain: str, program: str = "amsd", peers=(), init=(),
                 hosts=True):
        self.domain, self.program = domain, program
        self.folder = world.folder / domain
        self.config = self.folder / f"{program}.toml"
        self.log = self.folder / "log"
        self.port = free_port()
        self.process = None
        args = ["--domain", domain, "--dir", self.folder, "--listen", f"127.0.0.1:{self.port}",
                *(["--hosts", world.hosts] if hosts else []), *init]
        for peer in peers:
            args += ["--directory-peer", peer]
        self.hosts_line = run(program, "init", *args).stdout.strip()
        self.set("level", '"debug"')

    def set(self, field: str, value: str) -> None:
        """Changes a field's value in the configuration file."""
        text, count = re.subn(rf"(?m)^{field} = \S+", f"{field} = {value}",
                              self.config.read_text("utf-8"))
        assert count == 1, f"{field} stands {count} times in {self.config}"
        self.config.write_text(text, "utf-8")

    def append(self, text: str) -> None:
        with open(self.config, "a", encoding="utf-8") as file:
            file.write(text)

    def start(self, file_size_max: int = 0) -> str:
        """Returns when it is ready, with its line."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size_max, file_size_max))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BIN / self.program, "--config", self.config], stdout=subprocess.PIPE, stderr=log,
                preexec_fn=limit if file_size_max else None)
        if not select.select([self.process.stdout], [], [], DEADLINE_S)[0]:
            raise AssertionError(f"{self.program} said nothing; log:\n{self.log_text()}")
        line = self.process.stdout.readline().decode()
        if not line.startswith("ready "):
            code = self.process.wait(DEADLINE_S)
            raise AssertionError(f"{self.program} ended: exit {code}; log:\n{self.log_text()}")
        return line

    def signal(self, number: int) -> int:
        """Sends a signal, waits for the end and returns the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE_S)
        self.process.stdout.close()
        self.process = None
        return code

    def stop(self) -> int:
        return self.signal(signal.SIGTERM)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def log_text(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def add_account(self, addr: str) -> str:
        return run(self.program, "account", "add", addr, "--config", self.config).stdout.strip()


class User:
    """An address with `ams` and its folder."""

    def __init__(self, world: "World", daemon: Daemon, name: str, enrol: bool = True):
        self.addr = f"{name}@{daemon.domain}"
        self.home = world.folder / f"home-{name}-{daemon.domain}"
        self.hosts = world.hosts
        if enrol:
            self.enrol(daemon.add_account(self.addr))

    def enrol(self, token: str, *args, check: bool = True):
        return run("ams", "account", "add", self.addr, "--server-hosts", self.hosts, "--token",
                   token, "--home", self.home, *args, check=check)

    def ams(self, command: str, *args, text: str = "", check: bool = True, timeout: float = 30):
        return run("ams", command, *args, "--home", self.home, text=text, check=check,
                   timeout=timeout)

    def send(self, to: str, subject: str, text: str, *args, check: bool = True):
        return self.ams("send", "--to", to, "--subject", subject, *args, text=text, check=check)

    def subjects(self) -> list:
        """Of the letters fetched so far, with repetitions."""
        return [line.split("  ")[-1].strip() for line in self.ams("list").stdout.splitlines()]

    def fetch(self, count: int) -> list:
        """Syncs until there are so many letters; the subjects."""
        def enough():
            self.ams("sync", check=False)
            return len(self.subjects()) >= count
        until(f"{count} letters for {self.addr}", enough)
        return self.subjects()


class World:
    """A folder, a hosts file, and the daemons in it; ends them all."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="ams-e2e-")
        self.folder = pathlib.Path(self.temporary.name)
        self.hosts = self.folder / "hosts"
        self.daemons = []

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_) -> None:
        for daemon in self.daemons:
            if daemon.alive():
                daemon.kill()
        self.temporary.cleanup()

    def add(self, domain: str, program: str = "amsd", peers=(), init=()) -> Daemon:
        """Initialised and known to all, not started."""
        daemon = Daemon(self, domain, program, peers, init)
        self.daemons.append(daemon)
        self.write_hosts()
        return daemon

    def write_hosts(self) -> None:
        lines = [daemon.hosts_line for daemon in self.daemons]
        fresh = self.hosts.with_suffix(".new")
        fresh.write_text("\n".join(lines) + "\n", "utf-8")
        os.replace(fresh, self.hosts)
