#!/usr/bin/python3
"""Goal: a sample can be read in one sitting. Method: one file each, its lines and columns
counted.

usage: samples_test.py"""
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = {"cpp": "adapter.cpp", "node": "adapter.mjs", "python": "adapter.py",
           "proofs": "adapter.py", "checkpoints": "adapter.py"}
LINES_MAX, COLUMNS_MAX = 150, 100


class Samples(unittest.TestCase):
    def test_each_is_one_file_of_at_most_150_lines(self):
        for folder, name in SAMPLES.items():
            files = [path.name for path in (HERE / folder).iterdir()
                     if path.name != "__pycache__"]
            self.assertEqual(files, [name], folder)
            lines = (HERE / folder / name).read_text("utf-8").splitlines()
            self.assertLessEqual(len(lines), LINES_MAX, folder)
            self.assertLessEqual(max(map(len, lines)), COLUMNS_MAX, folder)

    def test_there_is_no_other_sample(self):
        self.assertEqual({path.name for path in HERE.iterdir() if path.is_dir()}, set(SAMPLES))


if __name__ == "__main__":
    sys.exit(unittest.main())
