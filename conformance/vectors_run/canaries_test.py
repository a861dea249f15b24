#!/usr/bin/python3
"""Goal: no adapter passes that does not judge. Method: lying adapters, each with its exit code.

usage: canaries_test.py PATH_OF_AMS_CONFORM
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PEER = pathlib.Path(__file__).resolve().parent.parent / "peers"
PROGRAM = ""
OPS = ["codec.decode", "frame.parse", "key.verify", "message.open"]
HELLO = {"impl": "liar", "roles": ["codec"], "spec_versions": ["0.1"], "ops": OPS}
ANSWER = f"""import json, sys
hello = {HELLO!r}
for line in sys.stdin:
    r = json.loads(line)
    print(json.dumps({{}}), flush=True)
"""
HONEST_HELLO = '{"id": r["id"], "ok": hello} if r["op"] == "hello" else '
SILENT = "import sys\nsys.stdin.read()\n"
WITHOUT = ("import sys\nsys.path.insert(0, {!r})\nimport codec_adapter\n"
           "from ams_py import errors\n"
           "with errors.without({!r}):\n    codec_adapter.main()\n")


def run(command: str, program: str, *options) -> tuple:
    """(exit code, stdout and stderr) of ams-conform against a Python program."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(program)
        file.flush()
        sut = f"/usr/bin/python3 {file.name}"
        done = subprocess.run([PROGRAM, command, "--sut", sut, *options],
                              capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def refused(code: str, phase: str) -> str:
    return f'{{"id": r["id"], "error": {{"code": "{code}", "phase": "{phase}"}}}}'


def lie(expression: str) -> str:
    """An adapter with an honest hello."""
    return ANSWER.replace("{}", HONEST_HELLO + expression)


ACCEPTS = '{"id": r["id"], "ok": {}}'


class Vectors(unittest.TestCase):
    def test_an_adapter_that_accepts_all_fails(self):
        code, text = run("vectors", lie(ACCEPTS))
        self.assertEqual(code, 1)
        self.assertIn("MSG-27", text)  # the clause stands beside what fails

    def test_what_fails_says_why_it_matters(self):
        code, text = run("vectors", lie(ACCEPTS), "--flag", "kid_mismatch")
        self.assertEqual(code, 1)
        for part in ("IDENTITY", "A key takes another's place.", "KEY-3",
                     "must be refused with crypto/kid_mismatch, was accepted"):
            self.assertIn(part, text)

    def test_refusing_all_is_not_exercised_beside_its_twin(self):
        code, text = run("vectors", lie(refused("signature", "crypto")), "--op", "key.verify")
        self.assertEqual(code, 1)
        self.assertIn("not exercised: its valid twin", text)

    def test_an_adapter_that_supports_nothing_ran_nothing(self):
        code, _ = run("vectors", ANSWER.replace("{}", refused("unsupported", "schema")))
        self.assertEqual(code, 3)

    def test_a_declared_op_may_not_be_unsupported(self):
        code, _ = run("vectors", lie(refused("unsupported", "schema")))
        self.assertEqual(code, 1)

    def test_with_all_an_op_that_is_not_declared_is_too_little(self):
        program = (f"import sys\nsys.path.insert(0, {str(PEER)!r})\nimport codec_adapter\n"
                   "from ams_py import ops\ndel ops.OPS['stream.open']\ncodec_adapter.main()\n")
        some = ("--flag", "commitment")  # of stream.open and of others
        code, text = run("vectors", program, *some)
        self.assertEqual(code, 0)
        self.assertIn("stream.open       unsupported", text)
        self.assertEqual(run("vectors", program, *some, "--all")[0], 3)

    def test_hello_that_declares_no_ops_is_an_adapter_error(self):
        self.assertEqual(run("vectors", ANSWER.replace("{}", ACCEPTS))[0], 4)

    def test_a_mute_adapter_is_an_adapter_error(self):
        self.assertEqual(run("vectors", SILENT, "--timeout", "1")[0], 4)

    def test_an_adapter_that_dies_is_an_adapter_error(self):
        code, text = run("vectors", "import sys\nsys.stdin.readline()\nsys.exit(9)\n")
        self.assertEqual(code, 4)
        self.assertIn("exit 9", text)

    def test_an_adapter_that_dies_half_way_is_an_adapter_error(self):
        self.assertEqual(run("vectors", lie(ACCEPTS + ' if r["id"] < 99 else sys.exit(9)'))[0], 4)

    def test_an_exit_code_at_the_end_is_an_adapter_error(self):
        code, text = run("vectors", lie(ACCEPTS) + "sys.exit(5)\n")
        self.assertEqual(code, 4)
        self.assertIn("exit 5", text)

    def test_what_is_no_json_is_an_adapter_error(self):
        self.assertEqual(run("vectors", "print('hello', flush=True)\n" + SILENT)[0], 4)

    def test_two_answers_under_one_id_are_an_adapter_error(self):
        code, text = run("vectors", lie(ACCEPTS.replace('r["id"]', "7")))
        self.assertEqual(code, 4)
        self.assertIn("two answers to id 7", text)

    def test_a_line_that_nobody_asked_for_is_an_adapter_error(self):
        self.assertEqual(run("vectors", lie(ACCEPTS) + "print('bye')\n")[0], 4)

    def test_no_vector_is_nothing(self):
        self.assertEqual(run("vectors", lie(ACCEPTS), "--flag", "there_is_no_such_flag")[0], 3)

    def test_the_report_holds_every_vector(self):
        with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
            run("vectors", lie(ACCEPTS), "--op", "frame.parse", "--json", file.name)
            report = json.load(file)
        self.assertEqual(sum(report["counts"].values()), len(report["tests"]))
        self.assertEqual({test["op"] for test in report["tests"]}, {"frame.parse"})
        bad = [test for test in report["tests"] if test["verdict"] == "fail" and test["flags"]]
        self.assertTrue(bad and all("effect" in test["note"] for test in bad))

    def test_junit_says_of_each_failure_why_it_matters(self):
        with tempfile.NamedTemporaryFile("r", suffix=".xml") as file:
            run("vectors", lie(ACCEPTS), "--op", "frame.parse", "--junit", file.name)
            suite = xml.etree.ElementTree.parse(file.name).getroot()
        cases = suite.findall("testcase")
        self.assertEqual(int(suite.get("tests")), len(cases))
        failures = suite.findall("testcase/failure")
        self.assertEqual(int(suite.get("failures")), len(failures))
        text = "".join(failure.text for failure in failures)
        for part in ("frame_too_large", "DENIAL_OF_SERVICE", "WIR-7"):
            self.assertIn(part, text)

    def test_a_vector_or_flag_is_explained(self):
        def explain(name):
            done = subprocess.run([PROGRAM, "explain", name], capture_output=True, text=True,
                                  check=False)
            return done.returncode, done.stdout
        code, text = explain("frame_kind")
        self.assertEqual(code, 0)
        for part in ("A frame has an unknown kind.", "Old and new sides lose step."):
            self.assertIn(part, text)
        vector = text.split("\n")[2].split()[0]
        code, text = explain(vector)
        self.assertEqual(code, 0)
        for part in (vector, "must be refused with encoding/frame_kind", "WIR-4",
                     "valid twin: frm-", "raw_b64: "):
            self.assertIn(part, text)
        self.assertEqual(explain("frm-nothing")[0], 2)

    def test_each_check_disabled_is_seen(self):
        """ams_py with one check disabled at a time: its vectors must fail."""
        for check, flag in (("signature@asig", "signature_context"),
                            ("from_binding@from.binding.addr", "from_binding"),
                            ("deliver_to@letter.deliver_to", "deliver_to"),
                            ("duplicate_name@text", "duplicate_member"),
                            ("kid_mismatch@key", "kid_mismatch"),
                            ("key_commitment@stream", "commitment")):
            code, text = run("vectors", WITHOUT.format(str(PEER), check), "--flag", flag)
            self.assertEqual(code, 1, check)
            self.assertIn("was accepted", text, check)


class AdapterCheck(unittest.TestCase):
    def failed(self, program: str, *options) -> tuple:
        """(exit code, the names of the checks that fail)"""
        code, text = run("adapter-check", program, *options)
        return code, [line[6:] for line in text.splitlines() if line.startswith("FAIL  ")]

    def test_accepting_all_fails(self):
        code, names = self.failed(lie(ACCEPTS).replace("json.loads(line)", "parse(line)").replace(
            "hello =", "def parse(line):\n    try:\n        return {'op': '', **json.loads(line)}\n"
            "    except ValueError:\n        return {'id': 0, 'op': ''}\nhello ="))
        self.assertEqual(code, 1)
        self.assertIn("an unknown op is answered `unsupported`", names)
        self.assertIn("key.verify: refuses an invalid vector", names)

    def test_accepting_all_with_no_hello_fails(self):
        self.assertEqual(self.failed(ANSWER.replace("{}", ACCEPTS)),
                         (4, ["hello declares its ops"]))

    def test_supporting_nothing_fails(self):
        code, names = self.failed(ANSWER.replace("{}", refused("unsupported", "schema")))
        self.assertNotEqual(code, 0)
        self.assertIn("hello declares its ops", names)

    def test_a_mute_adapter_fails(self):
        self.assertEqual(self.failed(SILENT, "--timeout", "1"), (4, ["hello declares its ops"]))

    def test_dying_of_a_line_that_is_no_json_fails(self):
        code, names = self.failed(lie(refused("unsupported", "schema")))
        self.assertEqual((code, names),
                         (4, ["a line that is no JSON is a fault under id null"]))

    def test_ids_that_do_not_come_back_fail(self):
        code, names = self.failed(
            f"import sys\nsys.path.insert(0, {str(PEER)!r})\nimport codec_adapter, json\n"
            "for line in sys.stdin:\n    a = codec_adapter.answer(line)\n"
            "    if a['id'] and a['id'] > 2**53 - 2: a['id'] += 1\n"
            "    print(json.dumps(a), flush=True)\n")
        self.assertEqual((code, names), (4, ["ids come back as they were"]))

    def test_the_peer_passes(self):
        code, names = self.failed(f"import sys\nsys.path.insert(0, {str(PEER)!r})\n"
                                  "import codec_adapter\ncodec_adapter.main()\n")
        self.assertEqual((code, names), (0, []))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop()
    sys.exit(unittest.main())
