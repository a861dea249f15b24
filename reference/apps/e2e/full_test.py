#!/usr/bin/python3
"""Goal: a store that takes no more refuses with `storage`, loses nothing it acknowledged, and the
daemon lives on; with room again, what was kept goes out (spec STO-2).
Method: two ways to be full: the configured size, and the operating system's limit on a file, met by
letters with large attachments.
"""
import os
import re
import subprocess
import unittest

import harness
from harness import User, World

LETTERS_MAX = 40
ATTACHMENT = 150_000  # bytes


class Full(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.daemon = self.world.add("a.example")

    def acknowledged(self, alice, bob, subject: str, attached) -> bool:
        """Sends a letter; ends `ams` when it hears `storage`, which it would patiently retry."""
        command = [harness.BIN / "ams", "send", "--to", bob.addr, "--subject", subject, "--attach",
                   attached, "--home", alice.home, "--verbose"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as ams:
            for line in ams.stderr:
                if "client.put_off storage" in line:
                    ams.kill()
                    return False
            self.assertEqual(ams.wait(), 0)
            return True

    def fill(self, alice, bob) -> int:
        """Sends until a letter is not acknowledged; how many were."""
        attached = self.world.folder / "a.bin"
        for n in range(LETTERS_MAX):
            attached.write_bytes(os.urandom(ATTACHMENT))
            if not self.acknowledged(alice, bob, f"letter {n}", attached):
                return n
        raise AssertionError("the store never filled up")

    def go_through(self, limit_file_size: int):
        self.daemon.start(limit_file_size)
        alice, bob = User(self.world, self.daemon, "alice"), User(self.world, self.daemon, "bob")
        count = self.fill(alice, bob)
        self.assertGreater(count, 2)
        self.assertTrue(self.daemon.alive(), self.daemon.log_text())
        self.assertRegex(self.daemon.log_text(), r"error commit_failed")
        self.assertIn(" 0 still to be sent", bob.ams("sync").stdout)
        self.assertEqual(bob.subjects(), [f"letter {n}" for n in range(count)])
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.config.write_text(
            re.sub(r"(?m)^bytes = .*$", "bytes = 0", self.daemon.config.read_text()))
        self.daemon.start()
        self.assertIn(" 1 sent, 0 still to be sent", alice.ams("sync").stdout)
        self.assertEqual(bob.fetch(count + 1), [f"letter {n}" for n in range(count + 1)])

    def test_the_configured_size(self):
        self.daemon.append("[store]\nbytes = 2000000\n")
        self.go_through(0)

    def test_the_systems_limit(self):
        self.go_through(3_000_000)


if __name__ == "__main__":
    harness.main()
