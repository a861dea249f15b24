#!/usr/bin/python3
"""Goal: `ams seal` and `ams open` carry files between accounts without a server, in memory that
does not grow with them, and nothing stands under the asked-for name before it was verified.
Method: real accounts (ed25519 + x25519, and rsa2048) whose server is then stopped; files cut and
changed; the kernel's own account of each program's memory.
"""
import hashlib
import os
import subprocess
import unittest

import harness
from harness import User, World

MEMORY_KIB_MAX = 32 * 1024
SANITIZED = "AMS_TEST_SCALE" in os.environ  # tools/sanitize sets it
BIG = 64 << 20


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.__exit__)
        server = cls.world.add("a.example")
        server.start()
        cls.alice = User(cls.world, server, "alice")
        cls.mallory = User(cls.world, server, "mallory")
        cls.bob = User(cls.world, server, "bob", enrol=False)
        cls.bob.enrol(server.add_account(cls.bob.addr), "--profile", "rsa2048")
        cls.records = {}
        for user in (cls.alice, cls.bob, cls.mallory):
            path = cls.world.folder / f"{user.addr}.json"
            path.write_text(user.ams("keys", "export-record").stdout)
            cls.records[user] = path
        cls.alice.send(cls.bob.addr, "Hello", "So that we know each other's keys.\n")
        cls.bob.fetch(1)
        server.stop()

    def setUp(self):
        self.folder = self.world.folder / self.id().rsplit(".", maxsplit=1)[-1]
        self.folder.mkdir()

    def sealed(self, data: bytes, name: str = "plan"):
        """alice's file for bob."""
        file = self.folder / name
        file.write_bytes(data)
        self.alice.ams("seal", file, "--to", self.records[self.bob])
        return file.with_name(name + ".ams")

    def open(self, user, *args, sender=None):
        return user.ams("open", *args, "--from", self.records[sender or self.alice], check=False)

    def test_a_file_opens_for_both_kinds_of_key(self):
        data = os.urandom(100_000)
        container = self.sealed(data)
        self.assertNotIn(data[:64], container.read_bytes())
        for user in (self.alice, self.bob):
            out = self.folder / user.addr
            done = self.open(user, container, "-o", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("sealed by", done.stderr)
            self.assertEqual(out.read_bytes(), data)

    def test_who_wrote_to_each_other_needs_no_record_files(self):
        file, out = self.folder / "plan", self.folder / "out"
        file.write_bytes(b"by address")
        done = self.alice.ams("seal", file, "--to", self.bob.addr)
        self.assertIn(f"sealed for {self.bob.addr} {self.alice.addr}", done.stderr)
        self.bob.ams("open", f"{file}.ams", "-o", out)
        self.assertEqual(out.read_bytes(), b"by address")
        unknown = self.alice.ams("seal", file, "--to", self.mallory.addr, check=False)
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("no key known here", unknown.stderr)

    def test_names_are_kept_and_nothing_is_replaced_unasked(self):
        container = self.sealed(b"one")
        again = self.open(self.bob, container)
        self.assertEqual(again.returncode, 2)
        self.assertIn("exists", again.stderr)
        (self.folder / "plan").write_bytes(b"other")
        self.assertEqual(self.open(self.bob, container, "--force").returncode, 0)
        self.assertEqual((self.folder / "plan").read_bytes(), b"one")
        twice = self.alice.ams("seal", self.folder / "plan", check=False)
        self.assertEqual(twice.returncode, 2)
        self.assertEqual(sorted(os.listdir(self.folder)), ["plan", "plan.ams"])

    def test_what_does_not_verify_leaves_nothing(self):
        whole = self.sealed(os.urandom(50_000)).read_bytes()
        bad, out = self.folder / "bad.ams", self.folder / "bad"
        cases = [(whole[:size], "stream_truncated") for size in
                 (0, 5, 100, 900, 20_000, len(whole) - 1)]
        cases += [(whole[:-20] + b"AAAA" + whole[-16:], ""), (whole + b"x", "schema"),
                  (whole[:30_000] + bytes([whole[30_000] ^ 1]) + whole[30_001:], "chunk")]
        for data, code in cases:
            bad.write_bytes(data)
            done = self.open(self.bob, bad)
            self.assertEqual(done.returncode, 1, (code, done.stderr))
            self.assertIn(code, done.stderr)
            self.assertFalse(out.exists())
        self.assertEqual(sorted(os.listdir(self.folder)), ["bad.ams", "plan", "plan.ams"])

    def test_only_for_its_readers_and_only_from_its_sender(self):
        container = self.sealed(b"secret")
        out = self.folder / "out"
        for user, sender, code in ((self.mallory, self.alice, "no_stanza"),
                                   (self.bob, self.mallory, "kid_mismatch")):
            done = self.open(user, container, "-o", out, sender=sender)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(code, done.stderr)
        strange = self.folder / "strange"
        strange.write_bytes(b"?")
        self.mallory.ams("seal", strange, "--to", self.records[self.bob])
        unknown = self.bob.ams("open", f"{strange}.ams", "-o", out, check=False)
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("not_found", unknown.stderr)
        self.assertFalse(out.exists())
        own = self.alice.ams("open", container, "-o", out)
        self.assertIn(f"sealed by {self.alice.addr}", own.stderr)

    def test_a_pipe_only_when_asked_for(self):
        container = self.sealed(b"through a pipe\n" * 3000)
        refused = self.open(self.bob, container, "-o", "-")
        self.assertEqual((refused.returncode, refused.stdout), (2, ""))
        self.assertIn("--unverified-stream", refused.stderr)
        piped = self.open(self.bob, container, "--unverified-stream")
        self.assertEqual(piped.returncode, 0, piped.stderr)
        self.assertEqual(piped.stdout, "through a pipe\n" * 3000)
        cut = self.folder / "cut.ams"
        cut.write_bytes(container.read_bytes()[:-1])
        told = self.open(self.bob, cut, "--unverified-stream")
        self.assertEqual(told.returncode, 1)
        self.assertIn("NOT what its sender sealed", told.stderr)

    def measured(self, user, *args, **pipes) -> int:
        """Runs `ams` and gives its greatest resident size, KiB."""
        child = subprocess.Popen([harness.BIN / "ams", *map(str, args), "--home", user.home],
                                 stderr=subprocess.PIPE, **pipes)
        with child.stderr:
            errors = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(child.returncode, 0, errors)
        return usage.ru_maxrss

    def test_memory_does_not_grow_with_the_file(self):
        big, container, out = (self.folder / name for name in ("big", "big.ams", "out"))
        block = os.urandom(1 << 20)
        with open(big, "wb") as file:
            for _ in range(BIG >> 20):
                file.write(block)
        sealing = self.measured(self.alice, "seal", big, "--to", self.records[self.bob])
        opening = self.measured(self.bob, "open", container, "-o", out, "--from",
                                self.records[self.alice])
        # A sanitizer's own memory, which a program that does nothing needs too, is not counted.
        floor = self.measured(self.alice, "--help", stdout=subprocess.DEVNULL) if SANITIZED else 0
        for size in (sealing, opening):
            self.assertLess(size - floor, MEMORY_KIB_MAX)
        with open(out, "rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").digest()
        self.assertEqual(digest, hashlib.sha256(block * (BIG >> 20)).digest())


if __name__ == "__main__":
    harness.main()
