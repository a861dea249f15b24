#!/usr/bin/python3
"""Goal: nobody is believed without the right certificate, and nothing but TLS 1.3 with ALPN ams/1
is spoken (spec WIR-1, WIR-2).
Method: `ams` with a right and a wrong authority, name and pin; Python's ssl with what is forbidden.
"""
import re
import socket
import ssl
import unittest

import harness
from harness import User, World


class Tls(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.a, self.other = self.world.add("a.example"), self.world.add("b.example")
        self.a.start()
        self.token = self.a.add_account("alice@a.example")
        self.alice = User(self.world, self.a, "alice", enrol=False)

    def change_line(self, pattern: str, replacement: str):
        self.a.hosts_line, count = re.subn(pattern, replacement, self.a.hosts_line)
        self.assertEqual(count, 1)
        self.world.write_hosts()

    def enrol(self, *args):
        done = self.alice.enrol(self.token, *args, check=False)
        return done.returncode, done.stderr

    def test_the_authority_decides(self):
        self.change_line(r" pin=\w+", "")
        code, why = self.enrol("--ca", self.other.folder / "ca.pem", "--verbose")
        self.assertEqual(code, 3)
        self.assertIn("certificate refused: ", why)
        self.assertEqual(self.enrol("--ca", self.a.folder / "ca.pem"), (0, ""))

    def test_the_name_must_be_the_certificates(self):
        self.change_line(r" pin=\w+", "")
        self.change_line(" 127.0.0.1 ", " 127.0.0.2 ")
        self.a.stop()
        self.a.set("host", '"0.0.0.0"')
        self.a.start()
        code, why = self.enrol("--ca", self.a.folder / "ca.pem", "--verbose")
        self.assertEqual(code, 3)
        self.assertIn("certificate refused: ", why)

    def test_the_pin_decides(self):
        right = self.a.hosts_line
        self.change_line(r"pin=\w+", "pin=" + "ab" * 32)
        self.assertEqual(self.enrol()[0], 3)
        self.a.hosts_line = right
        self.world.write_hosts()
        self.assertEqual(self.enrol(), (0, ""))

    def test_a_stolen_certificate_is_not_the_domain(self):
        other_root = self.other.hosts_line.split()[3:5]
        mine = self.a.hosts_line.split()
        self.a.hosts_line = " ".join(mine[:3] + other_root + mine[5:])
        self.world.write_hosts()
        code, why = self.enrol("--verbose")
        self.assertNotEqual(code, 0)
        self.assertNotIn("is ready", why)

    def shake(self, context) -> bytes:
        """What an unverified connection gets to read after its handshake."""
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.a.port), 10) as raw:
            with context.wrap_socket(raw) as tls:
                self.assertEqual(tls.version(), "TLSv1.3")
                self.assertEqual(tls.selected_alpn_protocol(), "ams/1")
                tls.sendall(b"\0\0\0\x1f\x01" + b'{"args":{},"id":1,"op":"ping"}'.ljust(31))
                return tls.recv(5)

    def test_nothing_but_tls_13_with_alpn(self):
        good = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        good.set_alpn_protocols(["ams/1"])
        self.assertEqual(len(self.shake(good)), 5)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.set_alpn_protocols(["ams/1"])
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        self.assertRaises((ssl.SSLError, ConnectionError), self.shake, old)
        for protocols in ([], ["http/1.1"]):
            foreign = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if protocols:
                foreign.set_alpn_protocols(protocols)
            self.assertRaises((ssl.SSLError, ConnectionError, AssertionError), self.shake, foreign)
        with socket.create_connection(("127.0.0.1", self.a.port), 10) as plain:
            plain.sendall(b"EHLO a.example\r\n")
            answer = plain.recv(100)
            self.assertTrue(answer == b"" or answer[:1] == b"\x15", answer)  # a TLS alert at most
        self.assertTrue(self.a.alive())


if __name__ == "__main__":
    harness.main()
