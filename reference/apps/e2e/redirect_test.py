#!/usr/bin/python3
"""Goal: an owner leads her address elsewhere, to one or to many, and back, and letters follow
(BLG-31, BLG-33), as `ams keys redirect` says.
Method: two amsd and some people with `ams`; a sender keeps a binding for an hour, so that each
change is seen by one who has not written before.
"""
import unittest

import harness
from harness import User, World


class Redirect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.__exit__)
        a, b = cls.world.add("a.example"), cls.world.add("b.example")
        for daemon in cls.world.daemons:
            daemon.start()
        cls.alice, cls.dave = User(cls.world, a, "alice"), User(cls.world, a, "dave")
        cls.bob, cls.carol = User(cls.world, b, "bob"), User(cls.world, b, "carol")

    def redirect(self, *args, check: bool = True):
        return self.bob.ams("keys", "redirect", *args, check=check)

    def test_1_a_forward_is_followed_and_taken_back(self):
        alice, bob, carol = self.alice, self.bob, self.carol
        carol.send(bob.addr, "Before", "To bob himself.\n")
        self.assertEqual(bob.fetch(1), ["Before"])
        told = self.redirect("forward", carol.addr).stdout
        self.assertIn(f"leads to {carol.addr} now (forward, version 2)", told)
        self.assertIn(f"leads to {carol.addr}", self.redirect("forward", carol.addr).stdout)

        alice.send(bob.addr, "Forwarded", "Whoever reads it.\n")
        self.assertEqual(carol.fetch(2), ["Before", "Forwarded"])  # and what she sent
        bob.ams("sync")
        self.assertEqual(bob.subjects(), ["Before"])
        refused = bob.send(alice.addr, "No", "He has no key.\n", check=False)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("not sent: redirected", refused.stderr)

        self.assertIn("has your key again, version 3", self.redirect("key").stdout)
        self.dave.send(bob.addr, "After", "To bob again.\n")
        self.assertEqual(bob.fetch(2), ["Before", "After"])
        bob.send(alice.addr, "Yes", "He has one.\n")
        self.assertEqual(alice.fetch(2), ["Forwarded", "Yes"])

    def test_2_a_group_reaches_everybody(self):
        erin = User(self.world, self.world.daemons[0], "erin")
        self.redirect("group", self.carol.addr, self.alice.addr)
        erin.send(self.bob.addr, "All", "Of us.\n")
        self.assertIn("All", self.alice.fetch(3))
        self.assertEqual(self.carol.fetch(3), ["Before", "Forwarded", "All"])
        self.redirect("key")

    def test_3_what_leads_nowhere_is_said(self):
        for args in (["forward"], ["key", self.carol.addr], ["forward", "Carol"], ["away"]):
            self.assertEqual(self.redirect(*args, check=False).returncode, 2, args)
        for args in (["alias", self.alice.addr], ["forward", self.carol.addr, self.alice.addr]):
            done = self.redirect(*args, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("the address leads where it did: ", done.stderr)


if __name__ == "__main__":
    harness.main()
