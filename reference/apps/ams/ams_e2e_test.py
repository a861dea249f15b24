#!/usr/bin/python3
"""Goal: `ams` against two running `amsd` over TLS: enrol, send across domains, sync, read; what
each exit code says; and nothing acknowledged is lost or doubled when a server is killed while `ams`
sends. Method: real programs in a fresh folder, on free ports. Arguments: the folder of the
programs."""

import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAMS = pathlib.Path(sys.argv.pop() if len(sys.argv) > 1 else "build/dev/bin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, root: pathlib.Path, domain: str, directory_peer: str):
        self.domain, self.folder = domain, root / domain
        self.port = free_port()
        self.process = None
        run = [PROGRAMS / "amsd", "init", "--domain", domain, "--dir", self.folder, "--listen",
               f"127.0.0.1:{self.port}", "--hosts", root / "hosts", "--directory-peer",
               directory_peer]
        made = subprocess.run(run, capture_output=True, text=True, check=True)
        lines = [line for line in made.stdout.splitlines() if line.startswith(domain + " ")]
        hosts = root / "hosts"
        known = hosts.read_text() if hosts.exists() else ""
        if lines and lines[0] not in known:
            hosts.write_text(known + lines[0] + "\n")

    def start(self):
        with open(self.folder / "test.log", "ab") as log:
            self.process = subprocess.Popen([PROGRAMS / "amsd", "--config",
                                             self.folder / "amsd.toml"], stdout=log, stderr=log)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("amsd does not listen: " + (self.folder / "test.log").read_text())

    def stop(self, with_signal=signal.SIGTERM):
        if self.process:
            self.process.send_signal(with_signal)
            self.process.wait(30)
            self.process = None

    def token(self, addr: str) -> str:
        made = subprocess.run([PROGRAMS / "amsd", "account", "add", addr, "--config",
                               self.folder / "amsd.toml"], capture_output=True, text=True,
                              check=True)
        return max(made.stdout.split(), key=lambda word: len(word) if all(
            c in "0123456789abcdef" for c in word) else 0)


class Ams(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="ams-e2e-")
        cls.root = pathlib.Path(cls.folder.name)
        cls.a = Server(cls.root, "a.example", "b.example")
        cls.b = Server(cls.root, "b.example", "a.example")
        tokens = {"alice": cls.a.token("alice@a.example"), "bob": cls.b.token("bob@b.example")}
        cls.a.start()
        cls.b.start()
        cls.wrong = cls.ams("carol", "account", "add", "carol@a.example", "--server-hosts",
                            cls.root / "hosts", "--token", "00" * 32)
        for name, domain in (("alice", "a"), ("bob", "b")):
            profile = "rsa2048" if name == "bob" else "modern"
            done = cls.ams(name, "account", "add", f"{name}@{domain}.example", "--server-hosts",
                           cls.root / "hosts", "--token", tokens[name], "--profile", profile)
            if done.returncode != 0:
                raise RuntimeError(f"account add: {done}")

    @classmethod
    def tearDownClass(cls):
        cls.a.stop()
        cls.b.stop()
        cls.folder.cleanup()

    @classmethod
    def ams(cls, home, *args, text=""):
        return subprocess.run([PROGRAMS / "ams", *map(str, args), "--home", cls.root / home],
                              input=text, capture_output=True, text=True, timeout=120, check=False)

    def send(self, text, to="bob@b.example", *more):
        return self.ams("alice", "send", "--to", to, "--subject", text, *more, text=text)

    def bobs_subjects(self):
        for _ in range(60):
            synced = self.ams("bob", "sync")
            self.assertEqual(synced.returncode, 0, synced.stderr)
            self.assertIn(" 0 that do not verify", synced.stdout)
            listed = self.ams("bob", "list").stdout
            yield [line.split()[-1] for line in listed.splitlines()]
            time.sleep(0.25)

    def test_a_letter_with_an_attachment_is_read_as_it_was_written(self):
        plan = self.root / "plan.txt"
        plan.write_text("nine o'clock\n")
        sent = self.send("hello", "bob@b.example", "--attach", plan)
        self.assertEqual(sent.returncode, 0, sent.stderr)
        for subjects in self.bobs_subjects():
            if "hello" in subjects:
                break
        uid = next(line.split()[0] for line in self.ams("bob", "list").stdout.splitlines()
                   if line.endswith("hello"))
        out = self.root / "saved"
        out.mkdir()
        shown = self.ams("bob", "read", uid, "--save", out)
        self.assertIn("From: alice@a.example\nTo: bob@b.example\n", shown.stdout)
        self.assertIn("\nhello\n", shown.stdout)
        self.assertEqual((out / "plan.txt").read_text(), "nine o'clock\n")

    def test_exit_codes(self):
        self.assertEqual(self.wrong.returncode, 1, self.wrong.stderr)
        self.assertIn("enrol_token", self.wrong.stderr)
        nobody = self.send("x", "nobody@b.example")
        self.assertEqual(nobody.returncode, 1, nobody.stderr)
        self.assertIn("nobody@b.example: not sent: no_such_address", nobody.stderr)
        self.assertEqual(self.send("x", "Not An Address").returncode, 2)
        self.assertEqual(self.ams("nowhere", "list").returncode, 2)
        self.assertEqual(self.ams("alice", "read", 999).returncode, 1)
        self.assertEqual(self.ams("alice", "send", "--nonsense").returncode, 2)

    def test_what_cannot_go_now_goes_with_the_next_sync(self):
        self.a.stop()
        kept = self.send("kept")
        self.assertEqual(kept.returncode, 3, kept.stderr)
        self.assertIn("kept", kept.stderr)
        self.a.start()
        synced = self.ams("alice", "sync")
        self.assertEqual(synced.returncode, 0, synced.stderr)
        self.assertIn("1 sent, 0 still to be sent", synced.stdout)
        for subjects in self.bobs_subjects():
            if "kept" in subjects:
                self.assertEqual(subjects.count("kept"), 1)
                return
        self.fail("it never came")

    def test_killed_servers_lose_and_double_nothing(self):
        """The server is killed at another moment of each sending."""
        names = [f"kill-{i}" for i in range(20)]
        for i, name in enumerate(names):
            command = [PROGRAMS / "ams", "send", "--to", "bob@b.example", "--subject", name,
                       "--home", self.root / "alice"]
            sending = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            sending.stdin.write(name)
            sending.stdin.close()
            time.sleep(0.004 * i)
            self.a.stop(signal.SIGKILL)
            self.a.start()
            code = sending.wait(120)
            errors = sending.stderr.read()
            sending.stdout.close()
            sending.stderr.close()
            self.assertIn(code, (0, 3), errors)
        synced = self.ams("alice", "sync")
        self.assertEqual(synced.returncode, 0, synced.stderr)
        self.assertIn(" 0 still to be sent", synced.stdout)
        for subjects in self.bobs_subjects():
            came = [subject for subject in subjects if subject.startswith("kill-")]
            if len(came) >= len(names):
                break
        self.assertEqual(sorted(came), sorted(names))


if __name__ == "__main__":
    unittest.main()
