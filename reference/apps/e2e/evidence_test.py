#!/usr/bin/python3
"""Goal: whether a directory peer is honest can be seen from outside, and shown to others by a file
(spec DIR-13, DIR-22, EVD).
Method: two real ams-directory processes; one's operator replays, proves and verifies what the other
says; then files are bent, and the other, which lost its store and began anew, is audited again.
"""
import base64
import json
import pathlib
import time
import unittest

import harness
import jsonschema
from harness import World, run, until


SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "spec/schemas"


def read(path: pathlib.Path) -> dict:
    """Evidence, held against its schema."""
    value = json.loads(path.read_text("utf-8"))
    name = value["ams"].split("/")[0]
    jsonschema.validate(value, json.loads((SCHEMAS / f"{name}.json").read_text("utf-8")),
                        cls=jsonschema.Draft202012Validator)
    return value


class Evidence(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.__exit__)
        cls.a = cls.world.add("a.example", "ams-directory", peers=["b.example"])
        cls.b = cls.world.add("b.example", "ams-directory", peers=["a.example"])
        for daemon in cls.world.daemons:
            daemon.start()
        cls.auditor = ["--config", cls.b.config]
        until("the first checkpoints", lambda: cls.audit(cls).returncode == 0)

    def audit(self, *args):
        return run("ams-directory", "audit", "--peer", "a.example", *self.auditor, *args,
                   check=False)

    def test_1_an_honest_peer_and_its_proof(self):
        kept = self.world.folder / "kept"
        done = self.audit("--keep", kept)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^a\.example: honest: 1 epochs replayed, 0 keys, map root ")
        by_place = run("ams-directory", "audit", "--peer", f"127.0.0.1:{self.a.port}",
                       "--hosts", self.world.hosts, *self.auditor, "--keep", kept)
        self.assertIn("a.example: honest", by_place.stdout)
        out = self.world.folder / "key.proof"
        kid = "01234567-89ab-8def-8101-020304050607"
        done = run("ams-directory", "prove", kid, "--peer", "a.example", "--out", out,
                   *self.auditor)
        self.assertIn(f"kid {kid} is not in the directory of a.example, epoch of ", done.stdout)
        verified = run("ams-directory", "verify", out, "--hosts", self.world.hosts)
        self.assertTrue(verified.stdout.startswith(f"holds: kid {kid} is not in"), verified.stdout)
        fingerprint = self.a.hosts_line.split()[4]
        alone = run("ams-directory", "verify", out)
        self.assertIn(f"has the fingerprint {fingerprint}", alone.stdout)
        run("ams-directory", "verify", out, "--root-fp", fingerprint, "--age", 1)
        self.bend(out, fingerprint)

    def bend(self, out: pathlib.Path, fingerprint: str):
        """What does not hold is refused with 1 and a code, what is unreadable with 2."""
        proof = read(out)

        def judged(value, *args) -> tuple:
            bent = self.world.folder / "bent.proof"
            text = value if isinstance(value, str) else json.dumps(
                value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            bent.write_text(text, "utf-8")
            done = run("ams-directory", "verify", bent, *args, check=False)
            return done.returncode, done.stderr

        self.assertEqual(judged(proof)[0], 0)
        other = {**proof, "kid": "11234567-89ab-8def-8101-020304050607"}
        self.assertEqual(judged(other)[0], 0)  # an empty map has neither of them
        flipped = bytearray(base64.urlsafe_b64decode(proof["proof"]["epoch"]))
        flipped[20] ^= 1
        epoch = base64.urlsafe_b64encode(flipped).decode().rstrip("=")
        code, why = judged({**proof, "proof": {**proof["proof"], "epoch": epoch}})
        self.assertEqual(code, 1)
        self.assertIn("does not hold: proof", why)
        code, why = judged(proof, "--root-fp", "0" * 64)
        self.assertEqual(code, 1)
        self.assertIn("domain_record (root)", why)
        code, why = judged(proof, "--quorum", 1)
        self.assertEqual(code, 1)
        self.assertIn("witnesses", why)
        self.assertEqual(judged(proof, "--root-fp", fingerprint[:-1])[0], 2)
        self.assertEqual(judged("{ }")[0], 2)
        missing = run("ams-directory", "verify", self.world.folder / "none", check=False)
        self.assertEqual(missing.returncode, 2)

    def test_2_a_peer_that_began_anew_is_caught(self):
        kept = self.world.folder / "kept-2"
        self.assertEqual(self.audit("--keep", kept).returncode, 0)
        self.assertEqual(self.a.stop(), 0)
        gone = self.audit()
        self.assertEqual(gone.returncode, 4)
        self.assertIn("a.example: ", gone.stderr)
        for file in (self.a.folder / "data").glob("*.sqlite*"):
            file.unlink()
        until("another second: another epoch", lambda: self.second_passed(kept))
        self.a.start()
        # The same size, another time in the epoch: two faces, which is a proof for anyone.
        until("its new first checkpoint", lambda: self.audit().returncode == 0)
        out = self.world.folder / "faces"
        caught = self.audit("--keep", kept, "--out", out)
        self.assertEqual(caught.returncode, 1)
        self.assertIn("not honest: its log is not the one that it showed before", caught.stderr)
        shown = run("ams-directory", "verify", out, "--hosts", self.world.hosts)
        self.assertIn("a.example showed two faces of its log at size 1", shown.stdout)
        bent = read(out)
        bent["evidence"] = bent["evidence"].replace("ams-directory\n1\n", "ams-directory\n2\n", 1)
        out.write_text(json.dumps(bent, sort_keys=True, separators=(",", ":"),
                                  ensure_ascii=False), "utf-8")
        self.assertEqual(run("ams-directory", "verify", out, check=False).returncode, 1)

    def second_passed(self, kept: pathlib.Path) -> bool:
        return time.time() > kept.stat().st_mtime + 1.1

    def test_4_what_the_quota_does_not_cover_is_paid_with_work(self):
        """The domain c.example is no peer of the directory, and never runs a daemon here."""
        stranger = self.world.add("c.example", "ams-directory")
        strict = self.world.add("d.example", "ams-directory")
        strict.config.write_text(strict.config.read_text("utf-8").replace(
            "[directory]", "[directory]\nquota = 1\nwork_bits = 8"), "utf-8")
        strict.start()
        chain = json.loads((stranger.folder / "data/chain.json").read_text("utf-8"))
        objects = self.world.folder / "objects"
        objects.write_text("".join(json.dumps(chain[who], sort_keys=True, separators=(",", ":"))
                                   + "\n" for who in ("root", "op")), "utf-8")
        command = ["publish", objects, "--peer", "d.example", "--config", stranger.config]
        done = run("ams-directory", *command, "--work", 0, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{objects}:1: published", done.stderr)
        self.assertIn(f"{objects}:2: refused: publisher", done.stderr)
        self.assertNotIn("paid with work", done.stderr)
        done = run("ams-directory", *command)
        self.assertIn(f"{objects}:2: published\n1 beyond the quota, paid with work", done.stdout)
        objects.write_text("{}\n{ }\n", "utf-8")
        done = run("ams-directory", *command, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"{objects}:2: expected one object", done.stderr)

    def test_3_bad_command_lines(self):
        for args, why in ((["audit", "--peer", "nobody.example", *self.auditor], "--peer nobody"),
                          (["prove", "7", "--peer", "b.example", "--out", "x", *self.auditor],
                           "KID: expected"),
                          (["audit", "--peer", "a.example"], "--config")):
            done = run("ams-directory", *args, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(why, done.stderr)


if __name__ == "__main__":
    harness.main()
