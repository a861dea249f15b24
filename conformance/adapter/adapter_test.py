#!/usr/bin/python3
"""Goal: the reference's codec adapter says what adapter.schema.json says, and never hangs or dies.
Method: one process, requests good, unknown and unusable; each answer is held to the schema.

usage: adapter_test.py PATH_OF_AMS_CODEC
"""
import base64
import json
import pathlib
import subprocess
import sys
import unittest

import jsonschema

SCHEMA = json.loads((pathlib.Path(__file__).parent / "adapter.schema.json").read_text("utf-8"))
PROGRAM = ""


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def ask(lines: list) -> list:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    done = subprocess.run([PROGRAM], input=text, capture_output=True, text=True, timeout=60,
                          check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def one(op: str, **args) -> dict:
    [answer] = ask([{"id": 5, "op": op, "args": args}])
    schema = {"$ref": "#/$defs/answer", "$defs": SCHEMA["$defs"]}
    jsonschema.validate(answer, schema)
    assert answer["id"] == 5
    if "ok" in answer:
        jsonschema.validate(answer["ok"], {"$ref": f"#/$defs/ok_{op}", "$defs": SCHEMA["$defs"]})
    return answer


class Adapter(unittest.TestCase):
    def test_hello_lists_the_ops_of_the_schema(self):
        ops = one("hello")["ok"]["ops"]
        described = [request["properties"]["op"]["const"]
                     for request in SCHEMA["$defs"]["request"]["oneOf"]]
        self.assertEqual(sorted(described), sorted(ops + ["hello"]))

    def test_unknown_op_is_unsupported(self):
        self.assertEqual(one("no.such.op")["error"]["code"], "unsupported")

    def test_decode(self):
        self.assertEqual(one("codec.decode", raw_b64=b64(b'{"a":1}'))["ok"]["canonical_b64"],
                         b64(b'{"a":1}'))
        error = one("codec.decode", raw_b64=b64(b'{"a":1,"a":1}'))["error"]
        self.assertEqual((error["code"], error["phase"]), ("duplicate_name", "encoding"))

    def test_frames(self):
        frame = b"\0\0\0\2\1{}"
        self.assertEqual(one("frame.parse", raw_b64=b64(frame + b"x"))["ok"],
                         {"kind": 1, "payload_b64": b64(b"{}"), "consumed": 7})
        self.assertEqual(one("frame.parse", raw_b64=b64(frame[:-1]))["ok"], {"more": True})
        self.assertEqual(one("frame.parse", raw_b64=b64(b"\0\0\0\2\3"))["error"]["code"],
                         "frame_kind")

    def test_key_of_no_object_is_a_verdict(self):
        self.assertEqual(one("key.verify", raw_b64=b64(b"{}"))["error"]["phase"], "schema")

    def test_unusable_requests_are_faults(self):
        for op, args in (("codec.decode", {}), ("codec.decode", {"raw_b64": "="}),
                         ("codec.decode", {"raw_b64": 7}), ("key.verify", {"raw_b64": b64(b"{}"),
                                                                         "kid": "x"})):
            self.assertIn("fault", one(op, **args))
        answers = ask(["not json", {"op": "hello"}, {"id": 1, "op": "hello"}, "\u00ff",
                       {"id": 2, "op": "hello", "args": {}}])
        self.assertEqual(["fault" in answer for answer in answers],
                         [True, True, True, True, False])

    def test_wrong_command_line(self):
        self.assertEqual(subprocess.run([PROGRAM, "--no"], capture_output=True).returncode, 2)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop()
    unittest.main()
