#!/usr/bin/python3
"""Goal: the README's walk-through works as it stands there.
Method: its commands in a shell, in an empty folder; only the ports are others.
"""
import pathlib
import re
import subprocess
import tempfile
import unittest

import harness

README = pathlib.Path(__file__).resolve().parents[3] / "README.md"


class Readme(unittest.TestCase):
    def test_two_domains_on_one_machine(self):
        section = README.read_text("utf-8").split("## Two domains on one machine")[1]
        commands = re.search(r"```\n(.*?)```", section, re.S)[1]
        commands = commands.replace("$PWD/build/dev/bin", str(harness.BIN))
        for port in ("7747", "7748"):
            self.assertIn(port, commands)
            commands = commands.replace(port, str(harness.free_port()))
        self.assertIn("\nkill %1 %2", commands)
        script = "set -e -m\ntrap 'kill $(jobs -p) 2> /dev/null' EXIT\n" + commands
        with tempfile.TemporaryDirectory(prefix="ams-e2e-") as folder:
            done = subprocess.run(["bash", "-c", script], cwd=folder, text=True,
                                  capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("1 new letters", done.stdout)
        self.assertTrue(done.stdout.endswith("See you at nine.\n"), done.stdout)


if __name__ == "__main__":
    harness.main()
