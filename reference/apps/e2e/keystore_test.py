#!/usr/bin/python3
"""Goal: an operator makes a key store, gives members access and takes it away; every call is in a
log that shows tampering; the same store answers an administrator over HTTPS.
Method: `ams keystore` as its help shows it, real folders, certificates made on the spot.
"""
import base64
import contextlib
import datetime
import ipaddress
import json
import pathlib
import shutil
import sqlite3
import subprocess
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.x509.oid import NameOID

import harness
from harness import User, World, run


class Authority:
    """A certificate authority of the test's own, and certificates under it as PEM files."""

    def __init__(self, folder: pathlib.Path):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca.test")])
        self.certificate = self._sign(self.name, self.key.public_key(), True, [])
        self.ca = self._write("ca.pem", self.certificate.public_bytes(
            serialization.Encoding.PEM))

    def _write(self, name: str, data: bytes) -> pathlib.Path:
        (self.folder / name).write_bytes(data)
        return self.folder / name

    def _sign(self, subject, public, authority: bool, addresses: list):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
                   .public_key(public).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(hours=1))
                   .not_valid_after(now + datetime.timedelta(days=1))
                   .add_extension(x509.BasicConstraints(authority, None), True))
        if addresses:
            names = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        return builder.sign(self.key, hashes.SHA256())

    def make(self, name: str, *addresses) -> tuple:
        """(certificate, key) files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key(), False, list(addresses))
        return (self._write(f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM)),
                self._write(f"{name}.key", key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption())))


class KeyStore:
    """`ams keystore` with the folder's options."""

    def __init__(self, folder: pathlib.Path, domain: str):
        self.folder = folder / "ks"
        self.words = folder / "words"
        self.words.write_text("correct horse battery staple\n", "utf-8")
        self.place = ["--dir", self.folder, "--passphrase-file", self.words]
        self("init", "--domain", domain)

    def __call__(self, *args, check: bool = True, text: str = ""):
        return run("ams", "keystore", *args, *self.place, check=check, text=text)

    def kids(self) -> dict:
        """scope -> kid of the keys in use."""
        lines = [line.split() for line in self("list").stdout.splitlines()]
        return {" ".join(line[5:]): line[0] for line in lines if line[1] == "current"}

    def serve(self, authority: Authority):
        cert, key = authority.make("store", "127.0.0.1")
        server = subprocess.Popen(
            [harness.BIN / "ams", "keystore", "serve", *self.place, "--listen", "127.0.0.1:0",
             "--ca", authority.ca, "--cert", cert, "--cert-key", key],
            stdout=subprocess.PIPE, text=True)
        return server, int(server.stdout.readline().split()[1])


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
