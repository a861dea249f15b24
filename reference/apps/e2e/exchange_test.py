#!/usr/bin/python3
"""Goal: directory peers whose operators named one other each come to know more, by connections of
their own over TLS, never more than two of one network block; a place outlives a restart, one whose
peer is gone is given to another, and a key published at one of them comes to all (spec DIR-64 to
DIR-69, DIR-74).
Method: five real ams-directory processes in a ring, all on 127.0.0.1, which is one block; one of
them is restarted, another killed for good.
"""
import json
import unittest

import harness
from harness import User, World, run, until

COUNT = 5
BLOCK = "127.0.0.0/16"


class Exchange(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        names = [f"dir-{n}.example" for n in range(COUNT)]
        self.peers = [self.world.add(name, "ams-directory", peers=[names[(n + 1) % COUNT]])
                      for n, name in enumerate(names)]
        self.mail = self.world.add("m.example", peers=names[:1])
        for daemon in self.world.daemons:
            text = daemon.config.read_text("utf-8").replace("# interval_s = 60", "interval_s = 1")
            if daemon is not self.mail:
                self.assertIn("# exchange = true", text)
                text = text.replace("# exchange = true", "exchange = true")
            daemon.config.write_text(text, "utf-8")
            daemon.start()

    def directory(self, daemon) -> dict:
        done = run(daemon.program, "status", "--json", "--config", daemon.config)
        return json.loads(done.stdout)["directory"]

    def learned(self, daemon) -> set:
        """Of one look; more than two of the block, at any time, is a failure."""
        in_use = self.directory(daemon)["in_use"]
        learned = {peer["domain"] for peer in in_use if peer["learned"]}
        self.assertLessEqual(len(learned), 2)
        for peer in in_use:
            if peer["learned"]:
                self.assertEqual(peer["block"], BLOCK)
        self.assertNotIn(daemon.domain, {peer["domain"] for peer in in_use})
        return learned

    def test_a_ring_learns_within_limits(self):
        until("two learned at each",
              lambda: all(len(self.learned(peer)) == 2 for peer in self.peers))
        user = User(self.world, self.mail, "u")
        self.assertTrue(user.addr)
        until("the key at all", lambda: all(self.directory(peer)["keys"] == 1
                                            for peer in self.peers))

        first = self.peers[0]
        before = self.learned(first)
        self.assertEqual(first.stop(), 0, first.log_text())
        first.start()
        self.assertEqual(self.learned(first), before)
        text = run("ams-directory", "status", "--config", first.config).stdout
        self.assertIn(f"  learned     {min(before)} in {BLOCK}", text)

        gone = next(peer for peer in self.peers if peer.domain == min(before))
        gone.kill()
        until("another in its place", lambda: gone.domain not in self.learned(first)
              and len(self.learned(first)) == 2)
        for daemon in self.world.daemons:
            if daemon.alive():
                self.assertEqual(daemon.stop(), 0, daemon.log_text())


if __name__ == "__main__":
    harness.main()
