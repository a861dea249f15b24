#!/usr/bin/python3
"""Goal: tools/test's closing line never says more than ctest saw. Method: real ctest on a project
without compiler, with a test of every outcome."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(outcomes LANGUAGES NONE)
enable_testing()
add_test(NAME good COMMAND ${CMAKE_COMMAND} -E true)
add_test(NAME bad COMMAND ${CMAKE_COMMAND} -E false)
add_test(NAME missing COMMAND ./no-such-program)
add_test(NAME slow COMMAND ${CMAKE_COMMAND} -E sleep 9)
set_tests_properties(slow PROPERTIES TIMEOUT 0.2)
add_test(NAME skip COMMAND ${CMAKE_COMMAND} -E false)
set_tests_properties(skip PROPERTIES SKIP_RETURN_CODE 1)
add_test(NAME disabled COMMAND ${CMAKE_COMMAND} -E true)
set_tests_properties(disabled PROPERTIES DISABLED ON)
"""


class Counts(unittest.TestCase):
    def test_every_outcome(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "CMakeLists.txt").write_text(PROJECT)
            build, junit = folder + "/build", folder + "/junit.xml"
            subprocess.run(["cmake", "-S", folder, "-B", build], check=True, capture_output=True)
            subprocess.run(["ctest", "--test-dir", build, "--output-junit", junit],
                           check=False, capture_output=True)

            def counts(*more):
                return subprocess.run([sys.executable, str(HERE / "junit_counts.py"), *more, junit],
                                      check=True, capture_output=True, text=True).stdout.split()

            self.assertEqual(counts(), ["1", "3", "2"])
            self.assertEqual(counts("--failed"), ["bad", "missing", "slow"])


if __name__ == "__main__":
    unittest.main()
