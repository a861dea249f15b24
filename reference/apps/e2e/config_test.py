#!/usr/bin/python3
"""Goal: a wrong configuration or command line ends with exit code 2 and names file, line, field and
what was expected, in every command that reads it; nothing is served or created.
Method: a good folder, broken in one place at a time.
"""
import re
import unittest

import harness
from harness import World, run


class Config(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.daemon = self.world.add("a.example")
        self.good = self.daemon.config.read_text("utf-8")

    def refused(self, *messages):
        """By all commands alike."""
        config = self.daemon.config
        for args in (["--config", config], ["check-config", config],
                     ["hosts-line", "--config", config],
                     ["account", "add", "alice@a.example", "--config", config]):
            done = run("amsd", *args, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            for message in messages:
                self.assertIn(message, done.stderr, args)
        self.assertFalse((self.daemon.folder / "data/store.sqlite").exists())

    def line_of(self, text: str) -> int:
        return next(n for n, line in enumerate(self.daemon.config.read_text().splitlines(), 1)
                    if text in line)

    def test_good(self):
        done = run("amsd", "check-config", self.daemon.config)
        self.assertEqual(done.stdout, f"{self.daemon.config}: good\n")

    def test_every_problem_is_named_with_its_line(self):
        self.daemon.set("port", '"seven"')
        self.daemon.set("level", '"loud"')
        self.daemon.append("[store]\nbites = 1\n")
        path = self.daemon.config
        self.refused(
            f'{path}:{self.line_of("port =")}: listen.port: expected an integer from 0 to 65535, '
            'found "seven"',
            f'{path}:{self.line_of("level =")}: log.level: expected one of debug, info',
            f'{path}:{self.line_of("bites")}: store.bites: expected no such field')

    def test_no_toml_and_no_file(self):
        self.daemon.config.write_text("domain = \n")
        self.refused(f"{self.daemon.config}:1")
        self.daemon.config.unlink()
        self.refused(f"{self.daemon.config}: cannot be read")

    def test_what_it_names_is_checked_too(self):
        hosts = self.world.hosts
        lines = hosts.read_text()
        hosts.write_text("# comment\n" + re.sub(" [0-9]+ ", " seven ", lines, count=1))
        done = run("amsd", "check-config", self.daemon.config, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"{hosts}:2: port: expected", done.stderr)
        hosts.write_text(lines)
        (self.daemon.folder / "server.key").write_text("no key")
        done = run("amsd", "--config", self.daemon.config, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(str(self.daemon.folder / "server.key"), done.stderr)

    def test_the_command_line(self):
        for args, message in (
                ([], "--config: expected a configuration file"),
                (["--prot", "1"], "--prot"),
                (["init", "--domain", "a.example"], "--dir is required"),
                (["account", "add", "ALICE@a.example", "--config", self.daemon.config],
                 "address_syntax"),
                (["account", "add", "alice@b.example", "--config", self.daemon.config],
                 "not_local"),
                (["account", "add", "alice@a.example", "--token", "ff", "--config",
                  self.daemon.config], "--token: expected 64 hexadecimal digits")):
            done = run("amsd", *args, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            self.assertIn(message, done.stderr, args)
        for program in ("amsd", "ams-directory"):
            done = run(program, "--help")
            self.assertIn(f"  {program} init --domain a.example", done.stdout)
            self.assertIn("Exit codes:", done.stdout)


if __name__ == "__main__":
    harness.main()
