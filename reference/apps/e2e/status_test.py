#!/usr/bin/python3
"""Goal: an operator sees how a running daemon is: by `status`, on a page and as metrics, all on
this machine only.
Method: an ams-directory and an amsd that publishes to it; what they say before and after.
"""
import json
import re
import unittest
import urllib.error
import urllib.request

import harness
from harness import User, World, run, until


class Status(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.directory = self.world.add("dir.example", "ams-directory")
        self.a = self.world.add("a.example", peers=["dir.example"])
        for daemon in self.world.daemons:
            daemon.config.write_text(daemon.config.read_text().replace(
                "[admin]\n# port = 7750", "[admin]\nport = 0 #"))
            daemon.start()

    def get(self, daemon, path: str) -> str:
        port = until("the admin port", lambda: re.search(r"admin host=127\.0\.0\.1 port=(\d+)",
                                                         daemon.log_text()))[1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def status(self, daemon) -> dict:
        done = run(daemon.program, "status", "--json", "--config", daemon.config)
        return json.loads(done.stdout)

    def test_the_same_numbers_everywhere(self):
        self.assertEqual(self.status(self.directory)["directory"]["keys"], 0)
        alice = User(self.world, self.a, "alice")
        until("alice's key at the directory",
              lambda: self.status(self.directory)["directory"]["keys"] == 1)
        alice.send(alice.addr, "Note", "to myself\n")
        alice.fetch(1)
        held = self.status(self.directory)["directory"]
        self.assertEqual((held["published"], held["full"], held["refused"]), (1, True, {}))
        text = run("ams-directory", "status", "--config", self.directory.config).stdout
        self.assertIn("ams-directory dir.example, up ", text)
        self.assertRegex(text, r"(?m)^keys +1$")
        self.assertIn(held["root"], text)
        page = self.get(self.directory, "/")
        self.assertIn(held["root"], page)
        self.assertIn("<svg", page)
        self.assertIn("\nams_directory_keys 1\n", self.get(self.directory, "/metrics"))
        mail = self.get(self.a, "/metrics")
        self.assertIn("\nams_mail_submitted_total 1\n", mail)
        self.assertIn("\nams_directory_pushed_total 1\n", mail)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get(self.a, "/secret")
        self.assertEqual(refused.exception.code, 404)
        refused.exception.close()
        for daemon in self.world.daemons:
            self.assertEqual(daemon.stop(), 0, daemon.log_text())

    def test_nobody_there_and_nobody_elsewhere(self):
        self.directory.stop()
        done = run("ams-directory", "status", "--config", self.directory.config, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no daemon runs here", done.stderr)
        text = self.directory.config.read_text()
        self.directory.config.write_text(text.replace("[admin]\n", '[admin]\nhost = "0.0.0.0"\n'))
        done = run("ams-directory", "check-config", self.directory.config, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("admin.host: expected a loopback address", done.stderr)


if __name__ == "__main__":
    harness.main()
