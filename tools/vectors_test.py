#!/usr/bin/python3
"""Goal: vector files keep their form, and the spec's JSON Schemas say what the vectors show.
Method: python3-jsonschema over every file, and over every object that stands in a vector."""
import json
import pathlib
import sys
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "conformance/peers"))

from ams_py import crypto, encoding, ops
from ams_py.errors import AmsError

FILES = [path for path in sorted((ROOT / "vectors").glob("*/*.json"))
         if path.name != "rsa_test_keys.json"]
MEMBERS = {"header_b64": "env", "chain_b64": "chain", "own_record_b64": "key",
           "sender_record_b64": "key", "record_b64": "key"}
RAW = {"key.verify": "key", "binding.verify": "bind", "vouch.verify": "vouch",
       "receipt.verify": "receipt", "event.verify": "kev", "revocation.verify": "rev",
       "card.verify": "card", "cardstub.verify": "cardstub",
       "keystore.request": "ks-req", "keystore.capability": "ks-cap",
       "bindentry.verify": "bentry", "bindproof.verify": "bproof", "bindhistory.verify": "bhist",
       "bindlie.verify": "blie"}


def validator(path: pathlib.Path):
    schema = json.loads(path.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


SCHEMAS = {path.stem: validator(path)
           for path in sorted((ROOT / "reference/spec/schemas").glob("*.json"))}


def vectors():
    for path in FILES:
        value = json.loads(path.read_text("utf-8"))
        for group in value["groups"]:
            for test in group["tests"]:
                yield value, test


def letter_of(args: dict) -> dict:
    opened = ops._opened(args)
    plain = crypto.stream_open(opened.fields["aead"], opened.content_key, b"AMS1-BODY" + opened.h0,
                               encoding.unb64(args["body_b64"]))
    return encoding.decode(crypto.layout_open(plain, "body"))


def objects(op: str, test: dict):
    """[(schema's name, object)] that a vector's input holds."""
    args = test["input"]
    for member, name in MEMBERS.items():
        if member in args:
            yield name, encoding.decode(encoding.unb64(args[member]))
    if op in RAW:
        value = encoding.decode(encoding.unb64(args["raw_b64"]))
        yield RAW[op], value
        if "deny" in value:
            yield "bdeny", value["deny"]
    if op == "payload.shape":
        shape = test.get("output", {}).get("shape", "request")
        yield "answer" if shape == "error" else shape, encoding.decode(
            encoding.unb64(args["raw_b64"]))
    if "stanzas_b64" in args:
        for stanza in encoding.decode(encoding.unb64(args["stanzas_b64"])):
            yield "stanza", stanza


class Vectors(unittest.TestCase):
    def test_files_have_the_form_of_schema_json(self):
        form = validator(ROOT / "vectors/schema.json")
        for path in FILES:
            errors = [error.message[:200] for error
                      in form.iter_errors(json.loads(path.read_text()))]
            self.assertEqual(errors, [], path.name)

    def test_every_invalid_vector_has_a_valid_twin_and_its_flag_a_note(self):
        results = {test["id"]: test["result"] for _, test in vectors()}
        for value, test in vectors():
            self.assertLessEqual(set(test["flags"]), set(value["notes"]), test["id"])
            if test["result"] == "invalid":
                self.assertEqual(results.get(test["twin"]), "valid", test["id"])

    def test_ids_and_flags_are_many_and_clauses_exist(self):
        spec = "".join(path.read_text("utf-8") for path in (ROOT / "reference/spec").glob("*.md"))
        every = list(vectors())
        self.assertEqual(len({test["id"] for _, test in every}), len(every))
        self.assertGreaterEqual(len(every), 5_000)
        self.assertGreaterEqual(len({flag for _, test in every for flag in test["flags"]}), 60)
        invalid = sum(test["result"] == "invalid" for _, test in every)
        self.assertGreaterEqual(invalid / len(every), 0.45)
        # Some stand at a limit of the spec; the largest, a file of evidence, at 1 MiB.
        self.assertLessEqual(sum(path.stat().st_size for path in FILES), 32_000_000)
        for clause in {clause for _, test in every for clause in test["clauses"]}:
            self.assertIn(f"**{clause}**", spec)

    def test_objects_of_valid_vectors_fit_their_schemas(self):
        seen = set()
        for value, test in vectors():
            if test["result"] == "valid":
                for name, item in objects(value["op"], test):
                    seen.add(name)
                    errors = [error.message[:200] for error in SCHEMAS[name].iter_errors(item)]
                    self.assertEqual(errors, [], f"{test['id']} {name}")
                if value["op"] == "message.open":
                    seen.add("letter")
                    SCHEMAS["letter"].validate(letter_of(test["input"]))
        self.assertEqual(seen, set(SCHEMAS) - {"domain", "notice", "hello", "hello_ok",
                                                "dproof", "dfaces"})  # by e2e/evidence_test.py

    def test_objects_with_a_wrong_form_do_not_fit(self):
        """Not all that is refused can be said in JSON Schema; these flags can, but for the order
        of aeads and blobs, bytes of multi-byte strings and the length of a label."""
        flags = {"missing_member", "wrong_type", "unknown_member", "wrong_tag", "kid_form"}
        count = 0
        for value, test in vectors():
            if flags & set(test["flags"]) and value["op"] in (*RAW, "header.judge",
                "payload.shape"):
                try:
                    found = list(objects(value["op"], test))
                except AmsError:
                    continue
                fits = all(SCHEMAS[name].is_valid(item) for name, item in found)
                self.assertFalse(fits, f"{test['id']} {test['comment']}")
                count += 1
        self.assertGreater(count, 100)


if __name__ == "__main__":
    sys.exit(unittest.main())
