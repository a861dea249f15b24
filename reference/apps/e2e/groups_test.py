#!/usr/bin/python3
"""Goal: a domain with groups as its people have it: who is outside writes to `sales@`, its members
read; after one of them left and the key was rotated, the stored mail of the others moves to the new
key, even when programs are killed on the way, and the one who left opens nothing new.
Method: two amsd, a key store in a folder, and `ams`.
"""
import signal
import subprocess
import unittest

import harness
from harness import User, World, run, until
from keystore_world import KeyStore


class Groups(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.store = KeyStore(self.world.folder, "corp.example")
        self.sales = self.world.folder / "sales.json"
        self.sales.write_text(self.store("create", "--group", "sales").stdout, "utf-8")
        for name in ("alice", "carol"):
            self.store("create", "--addr", f"{name}@corp.example")
        self.corp = self.world.add("corp.example", init=[
            "--policy", "groups", "--group", f"sales={self.sales}"])
        self.other = self.world.add("b.example")
        for daemon in self.world.daemons:
            daemon.start()
        self.alice, self.carol = self.member("alice"), self.member("carol")
        self.bob = User(self.world, self.other, "bob")

    def group(self, *args, check: bool = True):
        return run("amsd", "group", *args, "--config", self.corp.config, check=check)

    def member(self, name: str) -> User:
        user = User(self.world, self.corp, name, enrol=False)
        token = self.corp.add_account(user.addr)
        user.enrol(token, check=False)
        device = user.ams("keystore", "device").stdout.strip()
        self.store("grant", user.addr, "--device", device, "--group", "sales")
        user.ams("keystore", "use", *self.store.place)
        until(f"{user.addr} is ready", lambda: user.enrol(token, check=False).returncode == 0)
        self.group("add", "sales", user.addr)
        return user

    def test_who_left_opens_nothing_new_and_who_stays_reads_on(self):
        alice, carol, bob = self.alice, self.carol, self.bob
        self.assertEqual(self.group("list", "sales").stdout.split(), [alice.addr, carol.addr])
        bob.send("sales@corp.example", "To all", "Ten bags, please.\n")
        self.assertEqual((alice.fetch(1), carol.fetch(1)), (["To all"], ["To all"]))
        self.assertIn("Ten bags", carol.ams("read").stdout)
        bob.send("sales@corp.example", "Not fetched", "Read later.\n", "--to", alice.addr)

        self.store("revoke", carol.addr)
        self.group("remove", "sales", carol.addr)
        old = self.store.kids()["group sales"]
        self.sales.write_text(self.store("rotate", old).stdout, "utf-8")
        run("amsd", "domain", "policy", "set", "groups", "--group", f"sales={self.sales}",
            "--config", self.corp.config)
        self.corp.stop()
        self.corp.start()

        # Killed at whatever it was doing: asked again, it goes on.
        for delay in (0.02, 0.05, 0.1):
            self.killed_rewrap(delay)
        self.corp.kill()
        self.corp.start()
        done = until("alice's mail is rewrapped",
                     lambda: self.done(alice.ams("keystore", "rewrap", check=False)))
        self.assertIn("letters rewrapped, 0 left as they were", done)
        self.assertIn("0 letters rewrapped", alice.ams("keystore", "rewrap").stdout)
        self.assertEqual(sorted(alice.fetch(2)), ["Not fetched", "To all"])
        self.assertIn("Read later.", alice.ams("read").stdout)
        bob.send("sales@corp.example", "New", "After carol left.\n")
        self.assertEqual(alice.fetch(3).count("New"), 1)
        refused = carol.ams("keystore", "rewrap", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("not_member", refused.stderr)
        carol.ams("sync", check=False)
        self.assertNotIn("New", carol.subjects())
        self.mistyped()

    def killed_rewrap(self, delay: float) -> None:
        process = subprocess.Popen(
            [harness.BIN / "ams", "keystore", "rewrap", "--home", self.alice.home],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()

    @staticmethod
    def done(result) -> str:
        return result.stdout if result.returncode == 0 else ""

    def mistyped(self) -> None:
        for args, code, words in (
                (("add", "Sales", self.alice.addr), 2, "POL-4"),
                (("add", "sales", "bob@b.example"), 2, "not_local"),
                (("add", "sales", "nobody@corp.example"), 1, "no_such_address"),
                (("list", "Sales"), 2, "POL-4")):
            refused = self.group(*args, check=False)
            self.assertEqual(refused.returncode, code, args)
            self.assertIn(words, refused.stderr)
        taken = run("amsd", "account", "add", "sales@corp.example", "--config", self.corp.config,
                    check=False)
        self.assertIn("address_taken", taken.stderr)
        self.corp.stop()
        self.group("remove", "sales", self.alice.addr)
        self.assertEqual(self.group("list", "sales").stdout.split(), [])


if __name__ == "__main__":
    harness.main()
