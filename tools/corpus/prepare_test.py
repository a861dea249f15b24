#!/usr/bin/python3
"""Goal: what a mail says arrives in mails.jsonl unchanged, whatever its encoding, and nothing that
cannot be read is dropped silently. Method: the hand-written mails of sample/ with known contents,
planted broken files, and the program run as people run it."""
import base64
import collections
import json
import pathlib
import subprocess
import tempfile
import unittest

import prepare

HERE = pathlib.Path(__file__).resolve().parent


def run(out, *more, data=HERE / "sample"):
    return subprocess.run([str(HERE / "prepare.py"), "--data", str(data), "--out", str(out), *more],
                          capture_output=True, text=True, check=False)


def load(out):
    lines = (pathlib.Path(out) / "mails.jsonl").read_text("utf-8").split("\n")
    assert lines.pop() == ""
    return {mail["source"]: mail for mail in map(json.loads, lines)}


class Sample(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.result = run(cls.folder.name)
        cls.mails = load(cls.folder.name)
        cls.summary = json.loads((pathlib.Path(cls.folder.name) / "summary.json").read_text())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def mail(self, name):
        return self.mails["sample/" + name]

    def test_every_mail_is_there_in_order(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        names = sorted(path.stem for path in (HERE / "sample").glob("*.eml"))
        self.assertEqual(len(names), 12)
        self.assertEqual(list(self.mails), ["sample/" + name for name in names])
        self.assertEqual((self.summary["mails"], self.summary["unparsed"]), (12, 0))
        self.assertIn("again", self.summary["note"])

    def test_plain(self):
        self.assertEqual(self.mail("01-plain"), {
            "source": "sample/01-plain", "group": "sample",
            "from": "Ada Moreau <ada@example.org>", "to": "ben@example.net",
            "subject": "Tomatoes on the balcony", "date_ms": 1714979700000,
            "parts": [{"type": "text/plain", "text": "Dear Ben,\n\nthe first three are ripe. "
                       "Come by on Thursday, and bring salt.\n\nAda\n"}], "att": []})

    def test_html_alternative(self):
        mail = self.mail("02-html-alternative")
        self.assertEqual(mail["to"], "ada@example.org, Carla <carla@example.com>")
        self.assertEqual([part["type"] for part in mail["parts"]], ["text/plain", "text/html"])
        self.assertEqual(mail["parts"][1]["text"],
                         "<p>Thursday it is. I bring <b>salt</b> and bread.</p>")

    def test_attachments_keep_every_byte(self):
        mail = self.mail("03-attachment")
        self.assertEqual(len(mail["parts"]), 1)
        binary, note = mail["att"]
        self.assertEqual((binary["name"], binary["type"], binary["size"]),
                         ("bytes.bin", "application/octet-stream", 768))
        self.assertEqual(base64.b64decode(binary["data_b64"]), bytes(range(256)) * 3)
        self.assertEqual((note["name"], note["type"]), ("note.txt", "text/plain"))
        self.assertEqual(base64.b64decode(note["data_b64"]), b"This text stays an attachment.")

    def test_encoded_words(self):
        mail = self.mail("04-encoded-words")
        self.assertEqual(mail["subject"], "Grüße aus Köln 🍀 und bis nächste Woche")
        self.assertEqual(mail["from"], "Zoë Müller <zoe@example.org>")
        self.assertIn("Søren", mail["to"])

    def test_transfer_encodings_and_charsets(self):
        expected = {
            "05-quoted-printable": "Le café est prêt à huit heures. Une ligne assez longue pour "
                                   "que l'encodage doive la couper en deux morceaux = oui.\n",
            "06-base64": "Ελληνικά, עברית, 日本語 and plain English.\n",
            "07-utf8": "Zażółć gęślą jaźń. The headers of this mail are raw UTF-8 as well "
                       "(RFC 6532).\n",
            "08-iso-8859-1": "Für die Übersetzung: 120 £, zahlbar bis März. Größe: ½ Seite.\n"}
        for name, text in expected.items():
            with self.subTest(name):
                self.assertEqual(self.mail(name)["parts"], [{"type": "text/plain", "text": text}])
        self.assertEqual(self.mail("07-utf8")["subject"], "Zażółć gęślą jaźń")
        self.assertEqual(self.mail("07-utf8")["from"], "Łukasz <lukasz@example.org>")

    def test_nested_multiparts_flatten_in_order(self):
        mail = self.mail("09-nested")
        self.assertEqual([part["text"] for part in mail["parts"]],
                         ["one", '<p>one <img src="cid:dot"></p>', "two"])
        self.assertEqual([(att["name"], att["type"]) for att in mail["att"]],
                         [("dot.gif", "image/gif")])

    def test_empty_body_and_unreadable_date(self):
        mail = self.mail("10-empty-body")
        self.assertEqual((mail["parts"], mail["date_ms"]),
                         ([{"type": "text/plain", "text": ""}], 0))
        self.assertEqual(self.summary["counts"]["date_unreadable"], 1)
        self.assertEqual(self.summary["counts"]["without_text"], 1)

    def test_long_lines_and_crlf(self):
        mail = self.mail("11-long-lines")
        first, short, rest = mail["parts"][0]["text"].split("\n")
        self.assertEqual((len(first), short, rest), (60 * 75, "short", ""))
        self.assertEqual(mail["to"].count("@"), 40)
        self.assertEqual(mail["date_ms"], 946702799000)

    def test_forwarded_message_is_an_attachment(self):
        mail = self.mail("12-forwarded")
        self.assertEqual(len(mail["parts"]), 1)
        (att,) = mail["att"]
        self.assertEqual((att["name"], att["type"]), ("tomatoes.eml", "message/rfc822"))
        self.assertIn(b"Subject: Tomatoes\n", base64.b64decode(att["data_b64"]))
        self.assertIn(b"They are still green.", base64.b64decode(att["data_b64"]))


class BadInput(unittest.TestCase):
    def convert(self, raw):
        notes = collections.Counter()
        return prepare.convert("x", "g", raw, notes), notes

    def test_unreadable_mail_is_counted_and_named(self):
        with tempfile.TemporaryDirectory() as folder:
            data, out = pathlib.Path(folder, "data"), pathlib.Path(folder, "out")
            data.mkdir()
            (data / "good.eml").write_bytes(b"From: a@b.example\n\nhello\n")
            (data / "noise.eml").write_bytes(b"\x00\x01\x02 no header here\n")
            result = run(out, data=data)
            summary = json.loads((out / "summary.json").read_text())
            self.assertEqual((summary["mails"], summary["unparsed"]), (1, 1))
            self.assertEqual(summary["unparsed_list"][0]["source"], "sample/noise")
            self.assertIn("not parsed: sample/noise", result.stdout)

    def test_wrong_and_unknown_charsets(self):
        for charset, raw, text in [("utf-8", b"caf\xe9", "café"), ("x-klingon", b"caf\xe9", "café"),
                                   ("hex", b"caf\xc3\xa9", "café"), ("us-ascii", b"\x80", "€")]:
            with self.subTest(charset):
                mail, notes = self.convert(
                    b"From: a@b\nContent-Type: text/plain; charset=" + charset.encode() +
                    b"\n\n" + raw)
                self.assertEqual(mail["parts"][0]["text"], text)
                self.assertEqual(notes["charset_wrong"], charset != "us-ascii")

    def test_nul_and_surrogates_are_removed(self):
        mail, notes = self.convert(b"From: a@b\nSubject: x\xff\n\nA\x00B")
        self.assertEqual((mail["parts"][0]["text"], mail["subject"]), ("AB", "xÿ"))
        self.assertEqual(notes["characters_removed"], 1)
        mail, _ = self.convert(b"From: a@b\nContent-Type: text/plain; charset=utf-16-le\n"
                               b"Content-Transfer-Encoding: base64\n\nANg=\n")
        json.dumps(mail, ensure_ascii=False).encode("utf-8")  # raises on a lone surrogate

    def test_large_attachment_is_cut_and_counted(self):
        raw = b"x" * (prepare.ATTACHMENT_SIZE_MAX + 5)
        mail, notes = self.convert(
            b"From: a@b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n" +
            base64.encodebytes(raw))
        (att,) = mail["att"]
        self.assertEqual(att["size"], len(raw))
        self.assertEqual(len(base64.b64decode(att["data_b64"])), prepare.ATTACHMENT_SIZE_MAX)
        self.assertEqual(notes["attachments_cut"], 1)

    def test_multipart_without_boundary_stays_text(self):
        mail, notes = self.convert(b"From: a@b\nContent-Type: multipart/mixed\n\nhello\n")
        self.assertEqual(mail["parts"], [{"type": "text/plain", "text": "hello\n"}])
        self.assertEqual(notes["multipart_unsplit"], 1)


class Running(unittest.TestCase):
    def test_result_does_not_depend_on_jobs_and_is_kept(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            run(one, "--jobs", "1")
            run(two, "--jobs", "2")
            for name in ("mails.jsonl", "summary.json"):
                self.assertEqual(pathlib.Path(one, name).read_bytes(),
                                 pathlib.Path(two, name).read_bytes())
            self.assertIn("up to date", run(one).stdout)
            with open(pathlib.Path(one, "mails.jsonl"), "ab") as lines:  # damage is noticed
                lines.write(b"x")
            self.assertNotIn("up to date", run(one).stdout)
            self.assertEqual(len(load(one)), 12)

    def test_exit_codes(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(run(folder, data=pathlib.Path(folder, "none")).returncode, 2)
            self.assertEqual(run(folder, data=folder).returncode, 1)


if __name__ == "__main__":
    unittest.main()
