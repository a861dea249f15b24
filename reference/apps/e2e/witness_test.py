#!/usr/bin/python3
"""Goal: a domain's binding log is cosigned by the directory peers that its server knows, and who
demands a witness sends nothing without one (spec BLG-39, BLG-41): a letter to somebody whose key no
peer has seen yet is kept, and goes when one has.
Method: two real ams-directory processes and two amsd on loopback, users with ams.
"""
import subprocess
import unittest

import harness
from harness import User, World, until

PEERS = ["dir-a.example", "dir-b.example"]


class Witnesses(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.peers = [self.world.add(name, "ams-directory", peers=PEERS) for name in PEERS]
        self.home = self.world.add("a.example", peers=PEERS)
        self.away = self.world.add("b.example", peers=PEERS)
        for daemon in self.world.daemons:
            daemon.start()
        self.alice = User(self.world, self.home, "alice")
        self.bob = User(self.world, self.away, "bob")

    def step(self, addr: str) -> str:
        done = self.alice.ams("keys", "lookup", addr, "--verbose", check=False)
        return next((line for line in done.stdout.splitlines() if "log root: cosigned" in line), "")

    def test_a_letter_waits_for_a_witness(self):
        until("bob's domain is cosigned", lambda: "by 2 of" in self.step("bob@b.example"))
        self.assertIn("1 of ", self.alice.ams("account", "witnesses", "1").stdout)
        self.alice.send("bob@b.example", "Cosigned", "See you at nine.")
        self.assertEqual(self.bob.fetch(1), ["Cosigned"])

        for peer in self.peers:
            peer.stop()
        carol = User(self.world, self.away, "carol")
        with self.assertRaises(subprocess.TimeoutExpired):  # it waits; killed, the letter is kept
            self.alice.ams("send", "--to", "carol@b.example", "--subject", "Later",
                           text="At ten.", timeout=3)
        self.assertEqual(carol.subjects(), [])
        for peer in self.peers:
            peer.start()
        until("carol's key is cosigned", lambda: "by 0 of" not in self.step("carol@b.example"))
        self.alice.ams("sync")
        self.assertEqual(carol.fetch(1), ["Later"])

    def test_what_cannot_be_demanded_is_refused(self):
        for args in (["17"], ["-1"], ["two"], ["1", "--from", "No Domain"],
                     ["2", "--from", "dir-a.example"]):
            done = self.alice.ams("account", "witnesses", *args, check=False)
            self.assertEqual(done.returncode, 2, args)
            self.assertNotEqual(done.stderr, "")
        self.assertIn("no witnesses", self.alice.ams("account", "witnesses").stdout)
        said = self.alice.ams("account", "witnesses", "1", "--from", "dir-a.example").stdout
        self.assertIn("dir-a.example", said)
        self.assertEqual(self.alice.ams("account", "witnesses").stdout, said)
        self.assertIn("no witnesses", self.alice.ams("account", "witnesses", "0").stdout)


if __name__ == "__main__":
    harness.main()
