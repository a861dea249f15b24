#!/usr/bin/python3
"""Goal: a letter with an attachment goes from one domain to another over real sockets, is read
there, and every daemon ends cleanly.
Method: two amsd, one ams-directory and `ams`, as the README shows them.
"""
import os
import threading
import unittest

import harness
from harness import User, World, run


class Mail(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.directory = self.world.add("dir.example", "ams-directory")
        self.a = self.world.add("a.example", peers=["dir.example"])
        self.b = self.world.add("b.example", peers=["dir.example"])
        for daemon in self.world.daemons:
            daemon.start()

    def test_a_letter_with_an_attachment_and_its_reply(self):
        alice, bob = User(self.world, self.a, "alice"), User(self.world, self.b, "bob")
        data = os.urandom(300_000)
        attached = self.world.folder / "photo.png"
        attached.write_bytes(data)
        sent = alice.send(bob.addr, "Grüße", "See you at nine.\n", "--attach", attached)
        self.assertIn("accepted by the server", sent.stdout)
        self.assertEqual(bob.fetch(1), ["Grüße"])
        saved = self.world.folder / "saved"
        saved.mkdir()
        shown = bob.ams("read", "--save", saved).stdout
        for line in ("From: alice@a.example", "To: bob@b.example", "See you at nine."):
            self.assertIn(line, shown)
        self.assertEqual((saved / "photo.png").read_bytes(), data)
        bob.send(alice.addr, "Re: Grüße", "So do I.\n")
        self.assertIn("Re: Grüße", alice.fetch(1))
        self.assertNotIn(b"See you at nine", self.stored(self.a) + self.stored(self.b))
        for daemon in self.world.daemons:
            self.assertEqual(daemon.stop(), 0, daemon.log_text())
            self.assertFalse((daemon.folder / "data/control").exists())
            self.assertNotIn("alice", daemon.log_text())

    def stored(self, daemon) -> bytes:
        return b"".join(path.read_bytes() for path in (daemon.folder / "data").glob("store.*"))

    def test_an_unknown_recipient_is_told_at_once(self):
        alice = User(self.world, self.a, "alice")
        refused = alice.send("nobody@b.example", "Hello", "?\n", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("nobody@b.example", refused.stderr)

    def test_an_account_may_be_added_while_the_daemon_starts(self):
        self.a.stop()
        holder = threading.Thread(target=self.a.start)
        tokens = [self.a.add_account("before@a.example")]
        holder.start()
        tokens += [self.a.add_account(f"n{n}@a.example") for n in range(5)]
        holder.join()
        self.assertTrue(self.a.alive(), self.a.log_text())
        self.assertEqual(len(set(tokens)), 6)

    def test_a_second_daemon_gets_in_nowhere(self):
        twin = run("amsd", "--config", self.a.config, check=False)
        self.assertEqual((twin.returncode, twin.stdout), (1, ""))
        self.assertIn("store.sqlite: is in use by another process", twin.stderr)
        other = self.world.add("c.example")
        other.set("port", str(self.a.port))
        squatter = run("amsd", "--config", other.config, check=False)
        self.assertEqual((squatter.returncode, squatter.stdout), (3, ""))
        self.assertIn(f"listen on 127.0.0.1 port {self.a.port}: ", squatter.stderr)
        self.assertTrue(self.a.alive())


if __name__ == "__main__":
    harness.main()
