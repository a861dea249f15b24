#!/usr/bin/python3
"""Goal: an operator makes a key store, gives members access and takes it away; every call is in a
log that shows tampering; the same store answers an administrator over HTTPS.
Method: `ams keystore` as its help shows it, real folders, certificates made on the spot.
"""
import base64
import contextlib
import json
import shutil
import sqlite3
import unittest

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519

import harness
from harness import User, World, run
from keystore_world import Authority, KeyStore


class Operator(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.store = KeyStore(self.world.folder, "corp.example")
        self.device = self.make_device()

    @staticmethod
    def make_device() -> str:
        raw = [each.public_key().public_bytes(serialization.Encoding.Raw,
                                              serialization.PublicFormat.Raw)
               for each in (ed25519.Ed25519PrivateKey.generate(),
                            x25519.X25519PrivateKey.generate())]
        return ",".join(base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in raw)

    def test_keys_and_members_come_and_go(self):
        record = json.loads(self.store("create").stdout)
        self.assertEqual((record["ams"], record["custody"]), ("key/1", "corporate"))
        self.store("create", "--group", "sales", "--exportable")
        self.store("create", "--addr", "alice@corp.example", "--profile", "rsa2048")
        self.store("grant", "alice@corp.example", "--device", self.device, "--group", "sales")
        kids = self.store.kids()
        self.assertEqual(set(kids), {"all members", "group sales", "alice@corp.example"})
        self.assertIn("group:sales", self.store("members").stdout)
        left = self.store("revoke", "alice@corp.example").stdout
        self.assertIn(f"rotate {kids['group sales']}", left)
        self.assertIn("revoked", self.store("members").stdout)
        successor = json.loads(self.store("rotate", kids["all members"]).stdout)
        self.assertNotEqual(successor["ek"], record["ek"])
        self.assertNotEqual(self.store.kids()["all members"], kids["all members"])

    def test_bad_input_is_one_line_and_exit_2_and_a_refusal_exit_1(self):
        self.store("create")
        for code, args, words in (
                (1, ["create"], "version_conflict"),
                (1, ["revoke", "nobody@corp.example"], "not_found"),
                (1, ["grant", "x@other.example", "--device", self.device], "not_local"),
                (2, ["grant", "alice", "--device", self.device], "expected an address"),
                (2, ["grant", "alice@corp.example", "--device", "abc"], "ams keystore device"),
                (2, ["create", "--group", "Sales"], "expected a group's name"),
                (2, ["rotate", "KID"], "expected a key's id"),
                (2, ["init", "--domain", "corp.example"], "already"),
                (2, ["audit", "verify", "--head", "1:zz"], "expected SIZE:HEX")):
            done = self.store(*args, check=False)
            self.assertEqual(done.returncode, code, args)
            self.assertIn(words, done.stderr)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        bad = run("ams", "keystore", "list", "--dir", self.store.folder, check=False)
        self.assertEqual((bad.returncode, "--passphrase-file" in bad.stderr), (2, True))
        self.store.words.write_text("wrong\n", "utf-8")
        self.assertIn("another passphrase", self.store("list", check=False).stderr)

    def test_another_passphrase_opens_what_was_there_and_the_old_one_no_more(self):
        self.store("create", "--group", "sales")
        before, words = self.store("list").stdout, self.store.folder.parent / "new-words"
        words.write_text("a donkey under the table\n", "utf-8")
        unsaid = self.store("passphrase", check=False)
        self.assertEqual((unsaid.returncode, "--new-passphrase-file" in unsaid.stderr), (2, True))
        self.store("passphrase", "--new-passphrase-file", words)
        refused = self.store("list", check=False)
        self.assertEqual((refused.returncode, "another passphrase" in refused.stderr), (2, True))
        self.store.place[-1] = words
        self.assertEqual(self.store("list").stdout, before)

    def test_the_log_shows_tampering(self):
        self.store("create")
        head = self.store("audit", "verify").stdout.strip()
        copy = self.world.folder / "copy"
        shutil.copytree(self.store.folder, copy)
        self.store("grant", "alice@corp.example", "--device", self.device)
        later = self.store("audit", "verify", "--head", head).stdout.strip()
        self.assertGreater(int(later.split(":")[0]), int(head.split(":")[0]))
        self.assertIn("grant", self.store("audit", "show").stdout)
        # The folder as it was before: a store rolled back does not lead through the later head.
        shutil.rmtree(self.store.folder)
        shutil.copytree(copy, self.store.folder)
        rolled_back = self.store("audit", "verify", "--head", later, check=False)
        self.assertEqual((rolled_back.returncode, "audit_chain" in rolled_back.stderr), (1, True))
        # A row cut out.
        with contextlib.closing(sqlite3.connect(self.store.folder / "store.db")) as database:
            database.execute("DELETE FROM kv WHERE t = 166 AND k = ?", (bytes(7) + b"\x01",))
            database.commit()
        cut = self.store("audit", "verify", check=False)
        self.assertEqual((cut.returncode, "audit_chain" in cut.stderr), (1, True))


class Remote(unittest.TestCase):
    def test_an_administrator_works_over_https(self):
        with World() as world:
            daemon = world.add("corp.example")
            daemon.start()
            carol = User(world, daemon, "carol")
            store, authority = KeyStore(world.folder, "corp.example"), Authority(world.folder)
            device = carol.ams("keystore", "device").stdout.strip()
            store("grant", carol.addr, "--device", device, "--admin")
            server, port = store.serve(authority)
            self.addCleanup(server.wait)
            self.addCleanup(server.kill)
            self.addCleanup(server.stdout.close)
            cert, key = authority.make("carol")
            place = ["--url", f"https://127.0.0.1:{port}", "--ca", authority.ca, "--cert", cert,
                     "--cert-key", key]
            record = json.loads(carol.ams("keystore", "create", *place).stdout)
            self.assertEqual(record["custody"], "corporate")
            self.assertIn("all members", carol.ams("keystore", "list", *place).stdout)
            self.assertIn(carol.addr, carol.ams("keystore", "audit", "show", *place).stdout)
            carol.ams("keystore", "audit", "verify", *place)
            busy = store("list", check=False)  # the folder is the server's now
            self.assertEqual((busy.returncode, "in use" in busy.stderr), (2, True), busy.stderr)
            server.terminate()
            self.assertEqual(server.wait(timeout=20), 0)
            down = carol.ams("keystore", "list", *place, check=False)
            self.assertEqual((down.returncode, "keystore_unreachable" in down.stderr), (3, True))
            store("revoke", carol.addr)


if __name__ == "__main__":
    harness.main()
