#!/usr/bin/python3
"""Goal: the users of a corporate domain share an encryption key that none of them has: mail to and
from them flows through the key store, and who leaves opens nothing new.
Method: two amsd and `ams`, once with the store in a folder and once over HTTPS.
"""
import unittest

import harness
from harness import User, World, until
from keystore_world import Authority, KeyStore


class Corporate(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.store = KeyStore(self.world.folder, "corp.example")
        self.shared = self.world.folder / "shared.json"
        self.shared.write_text(self.store("create").stdout, "utf-8")
        for name in ("alice", "carol"):
            self.store("create", "--addr", f"{name}@corp.example")
        self.corp = self.world.add("corp.example", init=[
            "--policy", "corporate", "--shared", self.shared])
        self.other = self.world.add("b.example")
        for daemon in self.world.daemons:
            daemon.start()

    def member(self, name: str, place) -> User:
        """An account whose keys are the store's: refused until the administrator has let it in."""
        user = User(self.world, self.corp, name, enrol=False)
        token = self.corp.add_account(user.addr)
        early = user.enrol(token, check=False)
        self.assertEqual((early.returncode, "ams keystore use" in early.stderr), (3, True))
        device = user.ams("keystore", "device").stdout.strip()
        self.grant(user.addr, device)
        user.ams("keystore", "use", *place(name))
        said = until(f"{user.addr} is ready", lambda: self.ready(user.enrol(token, check=False)))
        self.assertIn("in the domain's key store", said)
        self.assertNotIn("private keys are in", said)
        return user

    @staticmethod
    def ready(enrolled) -> str:
        return enrolled.stdout if enrolled.returncode == 0 else ""

    def mail_flows(self, place) -> None:
        alice, carol = self.member("alice", place), self.member("carol", place)
        bob = User(self.world, self.other, "bob")
        bob.send(alice.addr, "For alice", "Hello.\n", "--to", carol.addr)
        self.assertEqual((alice.fetch(1), carol.fetch(1)), (["For alice"], ["For alice"]))
        self.assertIn("Hello.", alice.ams("read").stdout)
        alice.send(bob.addr, "From alice", "Hello back.\n")
        self.assertIn("From alice", bob.fetch(1))
        self.assertIn("From: alice@corp.example", bob.ams("read").stdout)
        carol.send(alice.addr, "Inside", "Among us.\n")
        self.assertIn("Inside", alice.fetch(2))
        self.revoke(carol.addr)
        bob.send(alice.addr, "New", "After carol left.\n", "--to", carol.addr)
        self.assertIn("New", alice.fetch(3))
        until("carol's device is refused",
              lambda: "not_member" in carol.ams("sync", "--verbose", check=False).stderr)
        self.assertNotIn("New", carol.subjects())

    def test_through_a_folder(self):
        self.grant = lambda addr, device: self.store("grant", addr, "--device", device)
        self.revoke = lambda addr: self.store("revoke", addr)
        self.mail_flows(lambda _: self.store.place)
        log = self.store("audit", "show").stdout
        for words in ("decap   ok", "sign    ok", "list    not_member"):
            self.assertIn(words, log)

    def test_over_https(self):
        authority = Authority(self.world.folder)
        server, port = None, None

        def operate(*args):
            """The operator's turn: the folder is the server's while it runs."""
            nonlocal server, port
            if server:
                server.terminate()
                server.wait(timeout=20)
                server.stdout.close()
            self.store(*args)
            server, port = self.store.serve(authority, port or 0)

        def end():
            if server:
                server.kill()
                server.wait()
                server.stdout.close()

        self.addCleanup(end)
        self.grant = lambda addr, device: operate("grant", addr, "--device", device)
        self.revoke = lambda addr: operate("revoke", addr)

        def place(name: str) -> list:
            cert, key = authority.make(name)
            return ["--url", f"https://127.0.0.1:{port}", "--ca", authority.ca, "--cert", cert,
                    "--cert-key", key]
        self.mail_flows(place)


if __name__ == "__main__":
    harness.main()
