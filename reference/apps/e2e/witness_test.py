#!/usr/bin/python3
"""Goal: a domain's binding log is cosigned by the directory peers that its server knows, and who
demands a witness sends nothing without one (spec BLG-39, BLG-41): a letter to somebody whose key no
peer has seen yet is kept, and goes when one has.
And what an owner says of itself is in the directory until she or a peer's operator takes it out
(CRD-9).
Method: two real ams-directory processes and two amsd on loopback, users with ams.
"""
import json
import subprocess
import unittest

import harness
from harness import User, World, run, until

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

    def card(self) -> dict:
        """What bob sees of alice's."""
        done = self.bob.ams("keys", "lookup", "alice@a.example", "--verbose", "--json")
        return json.loads(done.stdout).get("card_unverified", {})

    def test_a_card_is_shown_dropped_by_a_peer_and_erased_by_its_owner(self):
        until("alice's domain is cosigned",
              lambda: self.bob.ams("keys", "lookup", "alice@a.example",
                                   check=False).returncode == 0)
        self.assertEqual(self.card(), {})
        self.alice.ams("keys", "card", "--name", "Alice A.", "--desc", "One line.\nAnother.")
        until("both peers have it", lambda: self.card().get("name") == "Alice A.")
        shown = self.bob.ams("keys", "lookup", "alice@a.example", "--verbose").stdout
        self.assertIn("nobody has verified it:\nName:        Alice A.\n", shown)
        kid = next(line.split()[1] for line in shown.splitlines() if line.startswith("Key:"))
        for peer in self.peers:
            self.assertEqual(self.card(), {"name": "Alice A.", "desc": "One line.\nAnother."})
            until("it has the card", lambda peer=peer: run(
                "ams-directory", "card", "drop", kid, "--config", peer.config,
                check=False).returncode == 0)
        self.assertEqual(self.card(), {})
        self.alice.ams("keys", "card", "--name", "A.")
        until("a new card is another one", lambda: self.card() == {"name": "A."})
        self.alice.ams("keys", "card", "--erase")
        until("both have dropped it", lambda: self.card() == {})
        gone = run("ams-directory", "card", "drop", kid, "--config", self.peers[0].config,
                   check=False)
        self.assertEqual((gone.returncode, gone.stdout), (1, ""))
        self.assertIn("no card of it is held", gone.stderr)
        for args in ([], ["--erase", "--name", "A."], ["--name", "A\nB"]):
            wrong = self.alice.ams("keys", "card", *args, check=False)
            self.assertEqual(wrong.returncode, 2, wrong.stderr)
        wrong = run("ams-directory", "card", "drop", "no-kid", "--config", self.peers[0].config,
                    check=False)
        self.assertEqual(wrong.returncode, 2, wrong.stderr)

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
