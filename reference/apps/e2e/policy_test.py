#!/usr/bin/python3
"""Goal: an administrator publishes a policy with `amsd domain policy set`; it is announced for a
day, what was announced can be called off, and nothing half-written or badly signed takes its place.
Method: a domain on loopback; shared keys made by the implementation in Python.
"""
import json
import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "conformance/peers"))
import harness
from ams_py import crypto, encoding, keys
from ams_py.encoding import b64
from harness import User, World, run


def corporate_record(custody: str = "corporate") -> bytes:
    seed, private = os.urandom(32), os.urandom(32)
    nbf = int(time.time() * 1000) - keys.DAY
    value = {"ams": "key/1", "sig_alg": "ed25519", "kem": "x25519", "aeads": ["a256gcm"],
             "sk": b64(crypto.ed25519_public(seed)), "ek": b64(crypto.x25519_public(private)),
             "nonce": b64(os.urandom(16)), "nbf": nbf, "exp": nbf + 300 * keys.DAY,
             "custody": custody}
    return encoding.encode(keys.sign_object(lambda text: crypto.sign_ed25519(seed, text), value))


class DomainPolicy(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.daemon = self.world.add("a.example")
        self.chain = self.daemon.folder / "data/chain.json"

    def record_file(self, name: str, **more) -> pathlib.Path:
        path = self.daemon.folder / name
        path.write_bytes(corporate_record(**more) + b"\n")
        return path

    def policy(self, *args, check: bool = True):
        return run("amsd", "domain", "policy", *args, "--config", self.daemon.config, check=check)

    def record(self) -> dict:
        chain = json.loads(self.chain.read_text())
        root = keys.verify_key(chain["root"])
        keys.verify_chain(chain, "a.example", root.kid, root.fp)
        return chain["record"]

    def test_a_shift_is_announced_and_called_off(self):
        self.assertIn("in force: isp", self.policy("show").stdout)
        shared = self.record_file("shared.json")
        said = self.policy("set", "corporate", "--shared", shared).stdout
        self.assertIn("in force: isp", said)
        self.assertIn(": corporate", said)
        policy = self.record()["policy"]
        self.assertEqual((policy["mode"], policy["prior"]["mode"]), ("corporate", "isp"))
        self.assertEqual(policy["effective"] - policy["published"], keys.POLICY_NOTICE)
        self.policy("set", "isp")
        record = self.record()
        self.assertEqual(record["seq"], 3)
        self.assertEqual(record["policy"]["prior"]["mode"], "isp")
        self.assertEqual(run("amsd", "check-config", self.daemon.config).returncode, 0)

    def test_a_sender_sees_what_is_in_force_and_what_comes(self):
        self.daemon.start()
        alice, bob = User(self.world, self.daemon, "alice"), User(self.world, self.daemon, "bob")
        unknown = alice.ams("domain", "policy", "show", "b.example", check=False)
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("nothing verified is known", unknown.stderr)
        alice.ams("keys", "lookup", bob.addr)
        shown = alice.ams("domain", "policy", "show", bob.addr).stdout
        self.assertIn("isp: each address has keys of its own", shown)
        self.assertNotIn("To come", shown)
        self.policy("set", "corporate", "--shared", self.record_file("shared.json"))
        self.daemon.stop()
        self.daemon.start()
        alice.send(bob.addr, "Later", "still to bob alone")
        alice.ams("keys", "lookup", bob.addr)
        shown = alice.ams("domain", "policy", "show", "a.example", "--json").stdout
        value = json.loads(shown)
        self.assertEqual((value["in_force"]["mode"], value["coming"]["mode"]),
                         ("isp", "corporate"))
        self.assertEqual(bob.fetch(1), ["Later"])

    def test_groups_have_a_key_each(self):
        sales, staff = self.record_file("sales.json"), self.record_file("staff.json")
        self.policy("set", "groups", "--group", f"staff={staff}", "--group", f"sales={sales}")
        groups = [key["group"] for key in self.record()["policy"]["keys"]]
        self.assertEqual(groups, ["sales", "staff"])

    def test_what_does_not_fit_is_refused_and_changes_nothing(self):
        shared = self.record_file("shared.json")
        client = self.record_file("client.json", custody="client")
        broken = self.daemon.folder / "broken.json"
        broken.write_text("{}\n")
        before = self.chain.read_bytes()
        for args, why in ((("open",), "MODE: expected isp, corporate or groups"),
                          (("corporate",), "POL-4"),
                          (("isp", "--shared", shared), "POL-4"),
                          (("groups", "--group", f"Sales={shared}"), "POL-4"),
                          (("groups", "--group", "sales"), "--group: expected NAME=FILE"),
                          (("corporate", "--shared", client), "client.json:1: custody"),
                          (("corporate", "--shared", broken), "broken.json:1:"),
                          (("corporate", "--shared", "nowhere.json"), "nowhere.json: cannot"),
                          (("corporate", "--shared", shared, "--root-key",
                            self.daemon.folder / "data/op.key"), "op.key:1:")):
            done = self.policy("set", *args, check=False)
            self.assertEqual(done.returncode, 2, args)
            self.assertIn(why, done.stderr)
            self.assertEqual(self.chain.read_bytes(), before, args)


if __name__ == "__main__":
    harness.main()
