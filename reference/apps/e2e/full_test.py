#!/usr/bin/python3
"""Goal: a store that takes no more refuses with `storage`, loses nothing it acknowledged, and the
daemon lives on; with room again, what was kept goes out (spec STO-2).
Method: three ways to be full, met by letters with large attachments: the configured size, the
operating system's limit on a file, and a small disk (a tmpfs in a mount namespace of its own; left
out where the kernel gives none).
"""
import os
import re
import shutil
import subprocess
import sys
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

    def go_through(self, make_room, file_size_max: int = 0):
        self.daemon.start(file_size_max)
        alice, bob = User(self.world, self.daemon, "alice"), User(self.world, self.daemon, "bob")
        count = self.fill(alice, bob)
        self.assertGreater(count, 2)
        self.assertTrue(self.daemon.alive(), self.daemon.log_text())
        self.assertRegex(self.daemon.log_text(), r"error commit_failed")
        self.assertIn(" 0 still to be sent", bob.ams("sync").stdout)
        self.assertEqual(bob.subjects(), [f"letter {n}" for n in range(count)])
        self.assertEqual(self.daemon.stop(), 0)
        make_room()
        self.daemon.start()
        self.assertIn(" 1 sent, 0 still to be sent", alice.ams("sync").stdout)
        self.assertEqual(bob.fetch(count + 1), [f"letter {n}" for n in range(count + 1)])

    def test_the_configured_size(self):
        self.daemon.append("[store]\nbytes = 2000000\n")
        config = self.daemon.config
        self.go_through(lambda: config.write_text(
            re.sub(r"(?m)^bytes = .*$", "bytes = 0", config.read_text())))

    def test_the_systems_limit(self):
        self.go_through(lambda: None, file_size_max=3_000_000)

    def test_a_small_disk(self):
        unshare = ["unshare", "--map-root-user", "--mount"]
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no mount namespace here")
        done = subprocess.run(
            [*unshare, sys.executable, __file__, harness.BIN, "Full.on_a_small_disk"],
            text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def on_a_small_disk(self):
        """Inside the namespace."""
        data, kept = self.daemon.folder / "data", self.daemon.folder / "kept"
        data.rename(kept)
        data.mkdir()
        self.mount("-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", data)
        self.addCleanup(subprocess.run, ["umount", "--lazy", data], check=True)
        shutil.copytree(kept, data, dirs_exist_ok=True)
        self.go_through(lambda: self.mount("-o", "remount,size=64m", data))

    def mount(self, *args):
        subprocess.run(["mount", *map(str, args)], check=True)


if __name__ == "__main__":
    harness.main()
