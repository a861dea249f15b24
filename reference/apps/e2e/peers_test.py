#!/usr/bin/python3
"""Goal: directory peers come to hold the same although they are killed with SIGKILL at any point;
what they acknowledged stays; a forged record gets nowhere; and each one's history is honest after
that (spec DIR-1, DIR-4, DIR-7, DIR-10, STO-3).
Method: two real ams-directory processes and an amsd whose users publish keys. While they do, one of
the two is killed at a random moment and started again, and once more, and so on; amsd is killed
right after. Then a stranger offers one of the directories every kind of forged record that the
conformance suite knows.
"""
import json
import random
import threading
import time
import unittest

import harness
from harness import User, World, free_port, run, until

ACCOUNTS = 6
KILLS = 8
MOMENT_S = 0.12  # a kill falls within this time after the last start


class Peers(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        names = ["dir-a.example", "dir-b.example"]
        self.peers = [self.world.add(name, "ams-directory", peers=names) for name in names]
        self.mail = self.world.add("m.example", peers=names)
        suite = run("ams-conform", "hosts", "--listen", f"127.0.0.1:{free_port()}").stdout
        with open(self.world.hosts, "a", encoding="utf-8") as hosts:
            hosts.write(suite)
        for daemon in self.world.daemons:
            daemon.config.write_text(daemon.config.read_text("utf-8").replace(
                "# interval_s = 60", "interval_s = 1"), "utf-8")
            daemon.start()

    def directory(self, daemon) -> dict:
        done = run(daemon.program, "status", "--json", "--config", daemon.config, check=False)
        return json.loads(done.stdout)["directory"] if done.returncode == 0 else {}

    def agreed(self, keys: int) -> bool:
        held = [self.directory(peer) for peer in self.peers]
        return all(one.get("keys", -1) >= keys and one["root"] == held[0].get("root")
                   for one in held)

    def kill_again_and_again(self, moments: random.Random):
        for _ in range(KILLS):
            time.sleep(moments.uniform(0, MOMENT_S))  # where in its work the kill falls
            victim = moments.choice(self.peers)
            victim.kill()
            victim.start()

    def test_they_converge_under_fire_and_refuse_forgery(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        users = [(f"u{n}", self.mail.add_account(f"u{n}@m.example")) for n in range(ACCOUNTS)]
        fire = threading.Thread(target=self.kill_again_and_again, args=[random.Random(seed)])
        fire.start()
        for name, token in users:
            User(self.world, self.mail, name, enrol=False).enrol(token)
        self.mail.kill()  # with whatever it has not been able to publish yet
        self.mail.start()
        fire.join()
        until("all keys at both", lambda: self.agreed(ACCOUNTS))
        self.forge(ACCOUNTS)
        for peer, other in (self.peers, reversed(self.peers)):
            done = run("ams-directory", "audit", "--peer", peer.domain, "--config", other.config,
                       check=False)
            self.assertEqual(done.returncode, 0, f"seed {seed}: {done.stderr}")
            self.assertIn("honest", done.stdout)
        for daemon in self.world.daemons:
            self.assertEqual(daemon.stop(), 0, daemon.log_text())

    def forge(self, before: int):
        first = self.peers[0]
        _, host, port, kid, fingerprint = first.hosts_line.split()[:5]
        done = run("ams-conform", "run", "--role", "directory", "--addr", f"{host}:{port}",
                   "--ca", first.folder / "ca.pem", "--domain", first.domain, "--root-kid", kid,
                   "--root-fp", fingerprint, "--case", "dir-record", check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        refused = self.directory(first)["refused"]
        self.assertGreater(refused["signature"], 0)
        self.assertGreater(refused["key_material"], 0)
        until("what was honest is at both", lambda: self.agreed(before + 2))
        other = self.directory(self.peers[1])
        self.assertNotIn("signature", other["refused"])  # no forgery was passed on


if __name__ == "__main__":
    harness.main()
