#!/usr/bin/python3
"""Goal: no adapter passes that does not judge. Method: lying adapters, each with its exit code."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent
PEER = TOOLS.parent / "conformance/peers"
ANSWER = """import json, sys
for line in sys.stdin:
    r = json.loads(line)
    print(json.dumps({}))
"""
REFUSED = '{{"id": r["id"], "error": {{"code": "{}", "phase": "{}"}}}}'


class RunVectors(unittest.TestCase):
    def run_with(self, program: str, *options) -> tuple:
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write(program)
            file.flush()
            done = subprocess.run([TOOLS / "run_vectors.py", *options, "/usr/bin/python3",
                                   file.name],
                                  capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    def answer(self, expression: str, *options) -> tuple:
        return self.run_with(ANSWER.format(expression), *options)

    def test_an_adapter_that_accepts_all_fails(self):
        code, text = self.answer('{"id": r["id"], "ok": {}}')
        self.assertEqual(code, 1)
        self.assertIn("MSG-27", text)  # the clause stands beside what fails

    def test_refusing_all_is_not_exercised_beside_its_twin(self):
        code, text = self.answer(REFUSED.format("signature", "crypto"),
                                 "--op", "key.verify")
        self.assertEqual(code, 1)
        self.assertIn("not exercised: its valid twin", text)

    def test_an_adapter_that_supports_nothing_ran_nothing(self):
        code, _ = self.answer(REFUSED.format("unsupported", "schema"))
        self.assertEqual(code, 3)

    def test_a_mute_adapter_is_an_adapter_error(self):
        self.assertEqual(self.run_with("import sys\nsys.stdin.read()\n")[0], 4)

    def test_an_adapter_that_dies_is_an_adapter_error(self):
        self.assertEqual(self.run_with("import sys\nsys.stdin.readline()\nsys.exit(9)\n")[0], 4)

    def test_what_is_no_json_is_an_adapter_error(self):
        self.assertEqual(self.run_with("import sys\nsys.stdin.read()\nprint('hello')\n")[0], 4)

    def test_no_vector_is_nothing(self):
        self.assertEqual(self.run_with("", "--flag", "there_is_no_such_flag")[0], 3)

    def test_each_check_disabled_is_seen(self):
        """ams_py with one check disabled at a time: its vectors must fail."""
        program = ("import sys\nsys.path.insert(0, {!r})\nimport codec_adapter\n"
                   "from ams_py import errors\n"
                   "with errors.without({!r}):\n    codec_adapter.main()\n")
        for check, flag in (("signature@asig", "signature_context"),
                            ("from_binding@from.binding.addr", "from_binding"),
                            ("deliver_to@letter.deliver_to", "deliver_to"),
                            ("duplicate_name@text", "duplicate_member"),
                            ("kid_mismatch@key", "kid_mismatch"),
                            ("key_commitment@stream", "commitment")):
            code, text = self.run_with(program.format(str(PEER), check), "--flag", flag)
            self.assertEqual(code, 1, check)
            self.assertIn("was accepted", text, check)


if __name__ == "__main__":
    sys.exit(unittest.main())
