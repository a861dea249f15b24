#!/usr/bin/python3
"""Goal: `ams keys …` does what its help says: keys are made, shown, compared, changed, ended, put
away under a passphrase and brought back; mail sealed to an old key opens; nothing private shows.
Method: real programs against a real amsd on loopback; fingerprints and key files judged by Python
on its own; the QR code read by zbarimg from the picture that a terminal shows.
"""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import time
import unittest
import zlib

import harness
from harness import User, World

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
PASSPHRASE = "vier Wörter sind genug"


def words_of(fp: bytes) -> str:
    """KEY-12, written from the spec."""
    covered = fp[:22]
    check = hashlib.sha256(b"AMS-WORDS/1\0" + covered).digest()[:2]
    words = []
    for number in struct.unpack(">12H", covered + check):
        word, left = "", 16
        for alphabet, bits in (("bdfghjklmnprstvz", 4), ("aiou", 2)) * 3:
            if left:
                left -= bits
                word += alphabet[number >> left & (1 << bits) - 1]
        words.append(word)
    return "-".join(words)


def open_key_file(content: bytes, passphrase: str) -> bytes:
    """KFL-1 and KFL-2, written from the spec; the private halves with what surrounds them."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    def canonical(value) -> bytes:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    value = json.loads(content)
    box, kdf = raw(value.pop("box")), value["kdf"]
    key = hashlib.scrypt(passphrase.encode(), salt=raw(kdf["salt"]), n=kdf["n"], r=kdf["r"],
                         p=kdf["p"], dklen=32, maxmem=1 << 30)
    context = b"AMS1-KEYFILE" + hashlib.sha256(canonical(value)).digest()
    prk = hmac.digest(box[:24], key, "sha256")
    expand = [HKDFExpand(SHA256(), 32, label + context).derive(prk)
              for label in (b"AMS-STREAM-KEY\0", b"AMS-STREAM-COMMIT\0")]
    assert expand[1] == box[24:56]
    cipher = {"a256gcm": AESGCM, "c20p1305": ChaCha20Poly1305}[value["aead"]](expand[0])
    plain, chunks = b"", box[56:]
    for number in range(len(chunks) // 16400 + 1):
        chunk = chunks[16400 * number:16400 * (number + 1)]
        nonce = bytes([len(chunk) < 16400, 0, 0, 0]) + struct.pack(">Q", number)
        plain += cipher.decrypt(nonce, chunk, b"")
    return plain


def picture_of(code: str) -> bytes:
    """The PNG of a QR code as a terminal shows it: light characters on dark ground."""
    rows = []
    for line in code.splitlines():
        upper = [255 * (char in "█▀") for char in line]
        lower = [255 * (char in "█▄") for char in line]
        rows += [upper, lower]
    scale, margin = 6, 4
    width = (len(rows[0]) + 2 * margin) * scale
    pixels = [[255] * width] * (margin * scale)
    for row in rows:
        line = [255] * (margin * scale) + [p for p in row for _ in range(scale)]
        pixels += [line + [255] * (margin * scale)] * scale
    pixels += [[255] * width] * (margin * scale)

    def block(kind: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    data = zlib.compress(b"".join(b"\0" + bytes(line) for line in pixels))
    return (b"\x89PNG\r\n\x1a\n" + block(b"IHDR", struct.pack(">IIBBBBB", width, len(pixels), 8, 0,
                                                             0, 0, 0))
            + block(b"IDAT", data) + block(b"IEND", b""))


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.__exit__)
        cls.server = cls.world.add("a.example")
        cls.server.start()
        cls.alice, cls.bob = (User(cls.world, cls.server, name) for name in ("alice", "bob"))
        cls.secret = cls.world.folder / "passphrase"
        cls.secret.write_text(PASSPHRASE + "\nnot this\n", "utf-8")

    def setUp(self):
        self.folder = self.world.folder / self.id().rsplit(".", maxsplit=1)[-1]
        self.folder.mkdir()

    def keys(self, user, command, *args, code=0, text=""):
        done = user.ams("keys", command, *args, check=False, text=text)
        self.assertEqual(done.returncode, code, (args, done.stdout, done.stderr))
        return done

    def fresh(self, name: str, *args) -> User:
        user = User(self.world, self.server, name, enrol=False)
        user.enrol(self.server.add_account(user.addr), *args)
        return user

    def shown(self, user, *who) -> dict:
        return json.loads(self.keys(user, "show", *who, "--json").stdout)

    def listed(self, user) -> list:
        return json.loads(self.keys(user, "list", "--json").stdout)["keys"]

    # --- showing and comparing ------------------------------------------------------------------

    def test_a_key_is_shown_as_the_spec_says(self):
        record = json.loads(self.keys(self.alice, "export-record").stdout)
        signed = {name: value for name, value in record.items() if name != "sig"}
        fp = hashlib.sha256(b"AMS-KEY/1\0" + json.dumps(signed, sort_keys=True, separators=(
            ",", ":")).encode()).digest()
        shown = self.shown(self.alice)
        self.assertEqual(shown["fp"], fp.hex())
        self.assertEqual(shown["words"], words_of(fp))
        self.assertEqual((shown["profile"], shown["custody"], shown["whose"], shown["addr"]),
                         ("modern", "client", "in use", "alice@a.example"))
        text = self.keys(self.alice, "show").stdout
        for expected in (shown["kid"], *shown["words"].split("-"), "alice@a.example",
                         "ed25519, x25519", "on this device, in use"):
            self.assertIn(expected, text)
        self.assertIn(shown["kid"], self.keys(self.alice, "list").stdout)

    def test_a_telephone_reads_the_qr_code(self):
        shown = self.keys(self.alice, "show", "--qr").stdout
        code = "\n".join(line for line in shown.splitlines() if line and line[0] in "█▀▄ "
                         and "█" in line and ":" not in line)
        picture = self.folder / "code.png"
        picture.write_bytes(picture_of(code))
        read = subprocess.run(["zbarimg", "--quiet", "--raw", picture], capture_output=True,
                              text=True, timeout=30, check=False).stdout.strip()
        self.assertEqual(read, "AMS1-FP:" + self.shown(self.alice)["fp"].upper())
        self.keys(self.alice, "verify", "alice@a.example", read)

    def test_comparing_says_same_different_or_mistyped(self):
        own, other = self.shown(self.alice), self.shown(self.bob)
        record = self.folder / "alice.json"
        record.write_text(self.keys(self.alice, "export-record").stdout)
        for theirs in ([own["words"]], own["words"].upper().split("-"), [own["fp"]], [record]):
            done = self.keys(self.alice, "verify", "alice@a.example", *theirs)
            self.assertIn("the same key", done.stdout)
        for theirs in (other["words"], other["fp"]):
            done = self.keys(self.alice, "verify", record, theirs, code=1)
            self.assertIn("DIFFERENT", done.stdout)
        first = "d" if own["words"][0] == "b" else "b"
        mistyped = self.keys(self.alice, "verify", record, first + own["words"][1:], code=2)
        self.assertIn("mistyped", mistyped.stderr)
        for nonsense in ("hello", own["fp"][1:], own["words"][:-6]):
            self.keys(self.alice, "verify", record, nonsense, code=2)

    def test_a_lookup_shows_what_a_sender_would_use_and_a_change_since_it_was_compared(self):
        carol = self.fresh("carol")
        found = json.loads(self.keys(self.alice, "lookup", carol.addr, "--json").stdout)
        own = self.shown(carol)
        self.assertEqual([found[name] for name in ("fp", "version", "policy", "binding_custody")],
                         [own["fp"], 1, "isp", "client"])
        self.keys(self.alice, "verify", carol.addr, own["words"])
        self.assertIn("the same", self.keys(self.alice, "lookup", carol.addr).stdout)
        traced = self.keys(self.alice, "lookup", carol.addr, "--verbose").stdout
        for step in (f"binding of {carol.addr}: signed by the op key", "checkpoint of the log",
                     "the binding is what the log commits to", "fingerprint recomputed"):
            self.assertIn(step, traced)
        self.assertNotIn("FAILED", traced)
        self.keys(carol, "rotate")
        changed = self.keys(self.alice, "lookup", carol.addr, code=1)
        self.assertIn("the old key vouches for it", changed.stderr)
        self.assertIn("NOT this key", changed.stdout)
        self.assertIn("Version:     2", changed.stdout)
        unknown = self.keys(self.alice, "lookup", "nobody@a.example", code=1)
        self.assertIn("no_such_address", unknown.stderr)
        self.keys(self.alice, "lookup", "Nobody", code=2)

    # --- changing ------------------------------------------------------------------------------

    def test_after_a_rotation_old_mail_and_old_files_open(self):
        dave, file = self.fresh("dave"), self.folder / "plan"
        file.write_bytes(b"to the first key")
        self.alice.send(dave.addr, "one", "to the first key\n")  # alice keeps that key for an hour
        record, sender = self.folder / "dave.json", self.folder / "alice.json"
        record.write_text(self.keys(dave, "export-record").stdout)
        sender.write_text(self.keys(self.alice, "export-record").stdout)
        self.alice.ams("seal", file, "--to", record)
        before = self.shown(dave)
        done = self.keys(dave, "rotate", "--profile", "rsa2048")
        after = self.shown(dave)
        self.assertIn(after["kid"], done.stdout)
        self.assertEqual([(key["kid"], key["whose"], key["profile"]) for key in self.listed(dave)],
                         [(after["kid"], "in use", "rsa2048"), (before["kid"], "former", "modern")])
        self.alice.send(dave.addr, "two", "to the first key, which alice remembers\n")
        self.bob.send(dave.addr, "three", "to the second key\n")
        dave.send(dave.addr, "four", "to myself\n")
        self.assertEqual(sorted(set(dave.fetch(5))), ["four", "one", "three", "two"])
        self.assertNotIn("UNREADABLE", dave.ams("list").stdout.upper())
        out = self.folder / "out"
        dave.ams("open", f"{file}.ams", "-o", out, "--from", sender)
        self.assertEqual(out.read_bytes(), b"to the first key")
        dave.send(self.bob.addr, "signed by the second key", "hello\n")
        self.assertIn("signed by the second key", self.bob.fetch(1))

    def test_a_rotation_without_a_server_goes_on_with_the_next_sync(self):
        erin = self.fresh("erin")
        before = self.shown(erin)
        self.server.stop()
        try:
            self.keys(erin, "rotate", code=3)
            self.assertEqual(self.shown(erin)["kid"], before["kid"])
        finally:
            self.server.start()
        erin.ams("sync")
        self.assertNotEqual(self.shown(erin)["kid"], before["kid"])

    def test_who_has_a_key_that_ends_soon_is_told(self):
        ivan = self.fresh("ivan")
        self.assertNotIn("ends on", ivan.ams("sync").stderr)
        self.keys(ivan, "rotate", "--days", 20)
        self.assertIn("your key ends on", ivan.ams("sync").stderr)
        self.keys(ivan, "rotate", "--days", 399, code=2)

    # --- key files ------------------------------------------------------------------------------

    def test_an_account_comes_back_from_its_recovery_file(self):
        file = self.folder / "frank.amskeys"
        frank = self.fresh("frank", "--recovery", file, "--passphrase-file", self.secret)
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
        self.alice.send(frank.addr, "before the loss", "hello\n")
        lost = self.shown(frank)
        again = User(self.world, self.server, "frank", enrol=False)
        again.home = self.folder / "new device"
        token = harness.run("amsd", "account", "token", frank.addr, "--config",
                            self.server.config).stdout.strip()
        again.enrol(token, "--recover", file, "--passphrase-file", self.secret)
        self.assertEqual(self.shown(again)["kid"], lost["kid"])
        self.assertIn("before the loss", again.fetch(1))

    def test_a_key_file_is_what_the_spec_says_and_shows_nothing(self):
        file = self.folder / "alice.amskeys"
        self.keys(self.alice, "export", file, "--passphrase-file", self.secret)
        content = file.read_bytes()
        plain = open_key_file(content, PASSPHRASE)
        size = struct.unpack(">I", plain[:4])[0]
        inside = json.loads(plain[4:4 + size])
        record = json.loads(self.keys(self.alice, "export-record").stdout)
        self.assertEqual((inside["addr"], inside["pairs"][0]["record"]), (self.alice.addr, record))
        self.assertNotIn(plain[4 + size:4 + size + 32], content)
        for what in (record["sk"], record["ek"], "alice"):
            self.assertNotIn(what.encode(), content)

    def test_wrong_passphrases_and_files_are_refused_and_named(self):
        file, wrong = self.folder / "bob.amskeys", self.folder / "wrong"
        self.keys(self.bob, "export", file, "--passphrase-file", self.secret)
        wrong.write_text("another passphrase\n")
        refused = self.keys(self.bob, "import", file, "--passphrase-file", wrong, code=1)
        self.assertIn("passphrase", refused.stderr)
        foreign = self.keys(self.alice, "import", file, "--passphrase-file", self.secret, code=2)
        self.assertIn("has the keys of bob@a.example", foreign.stderr)
        short = self.folder / "short"
        short.write_text("1234567\n")
        self.assertIn("fewer than 8", self.keys(self.bob, "export", self.folder / "x",
                                                "--passphrase-file", short, code=2).stderr)
        self.assertIn("exists", self.keys(self.bob, "export", file, "--passphrase-file",
                                          self.secret, code=2).stderr)
        self.assertIn("no terminal", self.unattended("keys", "export", self.folder / "y"))
        file.write_text("{}")
        self.keys(self.bob, "import", file, "--passphrase-file", self.secret, code=1)
        self.assertEqual(sorted(os.listdir(self.folder)), ["bob.amskeys", "short", "wrong"])

    def unattended(self, *args) -> str:
        """Without a terminal at all; what it says."""
        done = subprocess.run([harness.BIN / "ams", *map(str, args), "--home", self.bob.home],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              start_new_session=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def test_a_passphrase_is_asked_for_twice_and_not_shown(self):
        file = self.folder / "alice.amskeys"
        child, terminal = pty.fork()
        if child == 0:
            os.execv(harness.BIN / "ams", ["ams", "keys", "export", str(file), "--home",
                                           str(self.alice.home)])
        seen = b""
        for prompt in (b"alice.amskeys: ", b"once more: "):
            while prompt not in seen:
                self.assertTrue(select.select([terminal], [], [], harness.DEADLINE_S)[0], seen)
                seen += os.read(terminal, 1000)
            os.write(terminal, PASSPHRASE.encode() + b"\n")
        while select.select([terminal], [], [], harness.DEADLINE_S)[0]:
            try:
                seen += os.read(terminal, 1000)
            except OSError:
                break
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0, seen)
        self.assertNotIn("Wörter".encode(), seen)
        self.assertTrue(open_key_file(file.read_bytes(), PASSPHRASE))

    def test_a_key_of_no_account_seals_and_opens(self):
        file, plan, out = (self.folder / name for name in ("own.amskeys", "plan", "out"))
        made = self.keys(self.alice, "create", file, "--profile", "rsa3072", "--passphrase-file",
                         self.secret)
        self.assertRegex(made.stdout, UUID)
        plan.write_bytes(b"for nobody else")
        own = ["--keys", file, "--passphrase-file", self.secret]
        nowhere = User(self.world, self.server, "nobody", enrol=False)
        nowhere.home = self.folder / "no account"
        nowhere.ams("seal", plan, *own)
        nowhere.ams("open", f"{plan}.ams", "-o", out, *own)
        self.assertEqual(out.read_bytes(), b"for nobody else")
        self.assertEqual(nowhere.ams("seal", plan, "--force", check=False).returncode, 2)

    def test_a_second_device_opens_with_imported_keys(self):
        grace, file = self.fresh("grace"), self.folder / "grace.amskeys"
        self.keys(grace, "export", file, "--passphrase-file", self.secret)
        before = self.shown(grace)["kid"]
        self.keys(grace, "rotate")
        done = self.keys(grace, "import", file, "--passphrase-file", self.secret)
        self.assertIn("0 new, 1 known already", done.stdout)
        self.assertIn(before, done.stdout)

    # --- ending ---------------------------------------------------------------------------------

    def test_a_revocation_can_be_put_away_and_asks_before_it_ends_a_key(self):
        heidi, file = self.fresh("heidi"), self.folder / "rev.json"
        kid = self.shown(heidi)["kid"]
        self.keys(heidi, "revoke", kid, "--print", file)
        revocation = json.loads(file.read_bytes())
        self.assertEqual((revocation["ams"], revocation["kid"]), ("rev/1", kid))
        self.assertIn("--yes", self.keys(heidi, "revoke", kid, code=2).stderr)
        self.assertIn("no key of this account", self.keys(heidi, "revoke", "0" * 8, code=2).stderr)

    def test_nobody_seals_to_a_revoked_key(self):
        judy = self.fresh("judy")
        kid = self.shown(judy)["kid"]
        self.assertIn("is revoked", self.keys(judy, "revoke", kid, "--yes").stdout)
        self.assertIn("key_revoked", self.keys(self.alice, "lookup", judy.addr, code=1).stderr)
        refused = self.alice.send(judy.addr, "to a key that is ended", "hello\n", check=False)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("key_revoked", refused.stderr)
        self.assertEqual(judy.send(self.bob.addr, "by it", "hello\n", check=False).returncode, 1)
        self.keys(judy, "rotate")
        self.keys(self.alice, "lookup", judy.addr)
        self.alice.send(judy.addr, "to the next one", "hello\n")
        self.assertIn("to the next one", judy.fetch(1))

    # --- help -----------------------------------------------------------------------------------

    def test_each_help_teaches_with_an_example_and_says_the_exit_codes(self):
        for command in ("create", "list", "show", "verify", "export", "import", "rotate", "revoke",
                        "lookup", "card", "export-record"):
            text = harness.run("ams", "keys", command, "--help").stdout
            self.assertIn(f"Example:\n  ams keys {command}", text)
            self.assertIn("Exit codes: 0 done", text)
        self.assertIn("unencrypted", harness.run("ams", "keys", "--help").stdout)


class Interrupted(unittest.TestCase):
    """A run that is ended half-way leaves no file behind, under no name."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.__exit__)
        cls.secret = cls.world.folder / "passphrase"
        cls.secret.write_text(PASSPHRASE + "\n", "utf-8")
        cls.file = cls.world.folder / "own.amskeys"
        harness.run("ams", "keys", "create", cls.file, "--passphrase-file", cls.secret)

    def command(self, *args) -> list:
        return [str(arg) for arg in (harness.BIN / "ams", *args, "--keys", self.file,
                                     "--passphrase-file", self.secret)]

    def end_half_way(self, folder: pathlib.Path, data: bytes, number: int, *args) -> None:
        """Feeds half of what it waits for, then the signal."""
        child = subprocess.Popen(self.command(*args), stdin=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL)
        child.stdin.write(data)
        child.stdin.flush()
        harness.until("a file in the making", lambda: list(folder.glob("*.partial-*")))
        child.send_signal(number)
        self.assertEqual(child.wait(harness.DEADLINE_S), -number)
        child.stdin.close()

    def test_no_signal_leaves_a_file(self):
        whole = os.urandom(1 << 20)
        sealed = subprocess.run(self.command("seal", "-"), input=whole, capture_output=True,
                                check=True).stdout
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for command, data in (("seal", whole), ("open", sealed)):
                with self.subTest(number=number, command=command):
                    folder = self.world.folder / f"{command}-{number}"
                    folder.mkdir()
                    self.end_half_way(folder, data[:len(data) // 2], number, command, "-", "-o",
                                      folder / "out")
                    self.assertEqual(os.listdir(folder), [])

    def test_a_full_disk_leaves_no_file(self):
        folder = self.world.folder / "full"
        folder.mkdir()
        limited = ["bash", "-c", "ulimit -f 64; trap '' XFSZ; exec \"$@\"", "bash"]
        done = subprocess.run([*limited, *self.command("seal", "-", "-o", folder / "out")],
                              input=os.urandom(1 << 20), capture_output=True, timeout=30,
                              check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(b"cannot write", done.stderr)
        self.assertEqual(os.listdir(folder), [])

    def test_readers_of_every_kind_in_one_container(self):
        folder = self.world.folder / "mixed"
        folder.mkdir()
        plan, readers = folder / "plan", {}
        plan.write_bytes(os.urandom(70_000))
        for profile in ("modern", "rsa2048", "rsa3072"):
            readers[profile] = folder / f"{profile}.amskeys"
            harness.run("ams", "keys", "create", readers[profile], "--profile", profile,
                        "--passphrase-file", self.secret)
        records = []
        for profile, file in readers.items():
            shown = harness.run("ams", "keys", "export-record", "--keys", file,
                                "--passphrase-file", self.secret)
            records.append(folder / f"{profile}.json")
            records[-1].write_text(shown.stdout)
        to = [part for record in records for part in ("--to", record)]
        subprocess.run(self.command("seal", plan, *to), check=True, capture_output=True)
        sender = folder / "sender.json"
        sender.write_text(harness.run("ams", "keys", "export-record", "--keys", self.file,
                                      "--passphrase-file", self.secret).stdout)
        for profile, file in readers.items():
            out = folder / f"{profile}.out"
            harness.run("ams", "open", f"{plan}.ams", "-o", out, "--from", sender, "--keys", file,
                        "--passphrase-file", self.secret)
            self.assertEqual(out.read_bytes(), plan.read_bytes())


if __name__ == "__main__":
    harness.main()
