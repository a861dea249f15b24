#!/usr/bin/python3
"""Goal: whatever amsd acknowledged is in its mailbox exactly once, although the daemon is killed
with SIGKILL again and again (spec STO-1, STO-3, SUB-3, REL-11).
Method: `ams` submits 60 letters, by turns to a neighbour and to another domain; at random moments
of every third submission the sender's amsd is killed and started again, twenty times in all. What
`ams` could not deliver to the daemon it keeps; in the end it sends that too.
"""
import random
import statistics
import threading
import time
import unittest
from collections import Counter

import harness
from harness import User, World, until

LETTERS = 60
KILLS = 20
# Kills fall into this part of what an undisturbed submission takes: from when `ams` has connected
# to when the letter is on its way to the recipient.
MOMENT = (0.4, 1.2)


class Kill(unittest.TestCase):
    def test_acknowledged_letters_arrive_exactly_once(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        moments = random.Random(seed)
        with World() as world:
            a, b = world.add("a.example", peers=["b.example"]), world.add("b.example")
            a.start()
            b.start()
            alice = User(world, a, "alice")
            users = [User(world, a, "carol"), User(world, b, "bob")]
            acknowledged, kept = self.submit_under_fire(a, alice, users, moments)
            self.send_what_was_kept(alice)
            print(f"{acknowledged} acknowledged at once, {kept} kept for later, {KILLS} kills")
            self.assertGreater(acknowledged, 0)
            for index, user in enumerate(users):
                wanted = Counter(f"letter {n}" for n in range(LETTERS) if n % 2 == index)
                got = Counter(user.fetch(sum(wanted.values())))
                self.assertEqual(got, wanted, f"seed {seed}")
            # A second look, after the queue is empty: nothing came twice later.
            for user in users:
                user.ams("sync")
                self.assertEqual(len(user.subjects()), LETTERS // 2, f"seed {seed}")
            self.assertEqual(a.stop(), 0)
            self.assertIn("queue=0", a.log_text().splitlines()[-1])

    def submit_under_fire(self, daemon, alice, users, moments):
        acknowledged = kept = 0
        undisturbed = []
        for n in range(LETTERS):
            result = {}

            def submit(number=n, out=result):
                out["done"] = alice.send(users[number % 2].addr, f"letter {number}",
                                         f"text {number}\n", check=False)
            sender = threading.Thread(target=submit)
            begin = time.monotonic()
            sender.start()
            if n % 3 == 2:  # the pause says where in the submission the kill falls
                time.sleep(statistics.median(undisturbed) * moments.uniform(*MOMENT))
                daemon.kill()
                daemon.start()
                sender.join()
            else:
                sender.join()
                undisturbed.append(time.monotonic() - begin)
            done = result["done"]
            self.assertIn(done.returncode, (0, 3), done.stderr)
            acknowledged += done.returncode == 0
            kept += done.returncode == 3
        return acknowledged, kept

    def send_what_was_kept(self, alice):
        until("everything is sent",
              lambda: " 0 still to be sent" in alice.ams("sync", check=False).stdout)


if __name__ == "__main__":
    harness.main()
