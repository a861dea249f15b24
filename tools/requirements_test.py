#!/usr/bin/python3
"""Goal: no sentence of the spec can be added, changed or left unproven unseen. Method: a small tree
in a temporary folder, changed in one way at a time."""
import json
import pathlib
import tempfile
import unittest

import requirements

CHAPTER = """# Encoding

- **ENC-1** A text MUST be one text,
  in one form.
- **ENC-2** It MUST be short.

Not a sentence.
"""
TEST = "TEST(Encoding, one_form) {}\nTEST_F(Encoding, is_short) {}\n"


class Requirements(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        (self.root / "reference/spec").mkdir(parents=True)
        (self.root / "vectors").mkdir()
        self.chapter = self.root / "reference/spec/01-encoding.md"
        self.chapter.write_text(CHAPTER)
        (self.root / "reference/encoding_test.cpp").write_text(TEST)
        (self.root / "vectors/v.json").write_text('{"tests":[{"id":"enc-77aa"}]}')
        self.assertEqual(requirements.update(self.root, []), [])

    def edit(self, name, **changes):
        spec = self.root / "reference/spec"
        listed = requirements.load(spec)
        listed[name].update(changes)
        requirements.save(spec, listed)

    def problems(self):
        return requirements.check(self.root)

    def test_update_lists_new_sentences_as_not_yet_keyed(self):
        listed = json.loads((self.root / "reference/spec/requirements.json").read_text())
        self.assertEqual(list(listed), ["ENC-1", "ENC-2"])
        self.assertEqual(listed["ENC-1"]["sha256"],
                         requirements.text_hash("A text MUST be one text, in one form."))
        self.assertEqual(listed["ENC-1"]["reason"], "not yet keyed")
        self.assertEqual(self.problems(), [])

    def test_unlisted(self):
        self.chapter.write_text(CHAPTER + "- **ENC-3** New.\n")
        self.assertIn("ENC-3: not in requirements.json", self.problems()[0])

    def test_drift_stays_until_the_id_is_named(self):
        self.chapter.write_text(CHAPTER.replace("MUST be short", "SHOULD be short"))
        self.assertIn("ENC-2: the sentence has changed", self.problems()[0])
        requirements.update(self.root, [])
        self.assertEqual(len(self.problems()), 1)
        requirements.update(self.root, ["ENC-2"])
        self.assertEqual(self.problems(), [])

    def test_folding_of_lines_is_no_change(self):
        self.chapter.write_text(CHAPTER.replace("text,\n  in", "text, in"))
        self.assertEqual(self.problems(), [])

    def test_vanished_and_doubled(self):
        self.chapter.write_text(CHAPTER.replace("- **ENC-2** It MUST be short.\n", ""))
        self.assertEqual(self.problems(), ["ENC-2: listed, but no chapter has this sentence"])
        self.chapter.write_text(CHAPTER + "- **ENC-2** It MUST be short.\n")
        self.assertIn("ENC-2 is given twice", self.problems()[0])

    def test_names_must_exist(self):
        for by in ("Encoding.one_form", "Encoding.is_short", "enc-77aa",
                   "reference/encoding_test.cpp"):
            self.edit("ENC-1", status="tested", by=[by])
            self.assertEqual(self.problems(), [], by)
        for by in ("Encoding.other", "enc-77ab", "reference/none_fuzz.cpp", "ENC-1"):
            self.edit("ENC-1", status="tested", by=[by])
            self.assertEqual(self.problems(),
                             [f'ENC-1: "by" names {by}, which is nowhere in the tree'])

    def test_status_needs_its_proof(self):
        self.edit("ENC-1", status="tested", by=[])
        self.assertIn("names nothing", self.problems()[0])
        self.edit("ENC-1", status="excluded", by=[], reason="")
        self.assertIn("without a reason", self.problems()[0])
        self.edit("ENC-1", status="maybe")
        self.assertIn("expected one of", self.problems()[0])


if __name__ == "__main__":
    unittest.main()
