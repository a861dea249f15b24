#!/usr/bin/python3
"""Goal: the reference's client adapter says what client.schema.json says, and never hangs or dies.
Method: one process, requests good, unknown and unusable; each answer is held to the schema. What
its client does with a server is judged by `ams-conform run --role client`.

usage: client_test.py PATH_OF_AMS_CLIENT
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import jsonschema

SCHEMA = json.loads((pathlib.Path(__file__).parent / "client.schema.json").read_text("utf-8"))
PROGRAM = ""
NOWHERE = ("conform.test 127.0.0.1 1 01234567-89ab-8def-8101-020304050607 " + "0" * 64 +
           " pin=" + "0" * 64)


def ask(*lines) -> list:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    done = subprocess.run([PROGRAM], input=text, capture_output=True, text=True, timeout=60,
                          check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for answer in answers:
        jsonschema.validate(answer, {"$ref": "#/$defs/answer", "$defs": SCHEMA["$defs"]})
    return answers


def request(number: int, op: str, **args) -> dict:
    return {"id": number, "op": op, "args": args}


class Adapter(unittest.TestCase):
    def test_hello_lists_the_ops_of_the_schema(self):
        [answer] = ask(request(1, "hello"))
        described = [one["properties"]["op"]["const"]
                     for one in SCHEMA["$defs"]["request"]["oneOf"]]
        self.assertEqual(sorted(described), sorted(answer["ok"]["ops"] + ["hello"]))
        jsonschema.validate(answer["ok"], {"$ref": "#/$defs/ok_hello", "$defs": SCHEMA["$defs"]})

    def test_unknown_op_is_unsupported(self):
        [answer] = ask(request(7, "no.such.op"))
        self.assertEqual((answer["id"], answer["error"]["code"]), (7, "unsupported"))

    def test_unusable_requests_are_faults(self):
        with tempfile.TemporaryDirectory() as folder:
            opened = {"addr": "u@conform.test", "token": "A" * 43, "hosts": [], "state": folder}
            answers = ask("not json", request(1, "client.lookup", addr="a@b.example"),
                          request(2, "client.open", **{**opened, "token": "short"}),
                          request(3, "client.open", **{**opened, "hosts": ["no line"]}),
                          request(4, "client.open", addr="u@conform.test"))
        self.assertEqual(["fault" in answer for answer in answers], [True] * 5)
        self.assertEqual([answer["id"] for answer in answers], [None, 1, 2, 3, 4])

    def test_a_server_that_is_not_there_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       text=True)
            opening = request(1, "client.open", addr="u@conform.test", token="A" * 43,
                              hosts=[NOWHERE], state=folder)
            print(json.dumps(opening), file=process.stdin, flush=True)
            answer = json.loads(process.stdout.readline())
            process.communicate(timeout=60)
        self.assertEqual(answer["error"]["code"], "peer_unreachable")
        self.assertEqual(process.returncode, 0)

    def test_wrong_command_line(self):
        self.assertEqual(subprocess.run([PROGRAM, "--no"], capture_output=True).returncode, 2)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop()
    unittest.main()
