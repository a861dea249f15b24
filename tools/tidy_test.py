#!/usr/bin/python3
"""Goal: each rule of tidy.py can fail, and only where it should. Method: a tree in a temporary
folder with one file of each kind."""
import pathlib
import tempfile
import unittest

import tidy

WORD = "FIX" + "ME"
CASES = [  # path, line, rule expected ("" = none)
    ("reference/wire/a.cpp", "x" * 100, ""),
    ("reference/wire/a.cpp", "é" * 100, ""),
    ("reference/wire/a.cpp", "x" * 101, "line-length"),
    ("cmake/a.cmake", "x" * 101, "line-length"),
    ("reference/CMakeLists.txt", "x" * 101, "line-length"),
    ("tools/a.py", "x" * 101, "line-length"),
    ("tools/a.py", "# " + WORD, "words"),
    ("sim/a.cpp", f"// {WORD}: later", "words"),
    ("sim/a.cpp", f"int {WORD}S;", ""),
    ("sim/a.cpp", "int x = ra" + "nd();", "random"),
    ("sim/a.cpp", "int x = std::ra" + "nd();", "random"),
    ("sim/a.cpp", "int x = stream.rand(3);", ""),
    ("sim/a.cpp", "int x = operand(3);", ""),
    ("bench/a.cpp", "std::random" + "_device d;", "random"),
    ("reference/wire/a.h", "using namespace std;", "using-namespace"),
    ("reference/wire/a.cpp", "using namespace std::literals;", ""),
    ("reference/mail/a.cpp", "#include <openssl/evp.h>", "include"),
    ("reference/crypto/a.cpp", "#include <openssl/evp.h>", ""),
    ("sim/rand/a.cpp", "#include <openssl/evp.h>", ""),
    ("reference/mail/a.cpp", "#include <nlohmann/json.hpp>", "include"),
    ("reference/mail/a_test.cpp", "#include <nlohmann/json.hpp>", ""),
    ("reference/wire/a.cpp", "#include <nlohmann/json.hpp>", ""),
    ("reference/server/a.cpp", "#include <boost/asio.hpp>", "include"),
    ("reference/server/a_test.cpp", "#include <boost/asio/ip/tcp.hpp>", "include"),
    ("reference/net/a.cpp", "#include <boost/asio.hpp>", ""),
    ("sim/a.cpp", "#include <sqlite3.h>", "include"),
    ("reference/client/a.cpp", "#include <thread>", "include"),
    ("reference/client/a_test.cpp", "#include <thread>", ""),
    ("reference/store/a.cpp", "#include <thread>", ""),
    ("reference/server/a.h", "std::unordered_map<int, int> x;", "unordered"),
    ("reference/server/a.h", "int x;  // no unordered_map here", ""),
    ("sim/a.cpp", "std::unordered_set<int> x;", "unordered"),
    ("reference/net/a.cpp", "std::unordered_set<int> x;", ""),
]


class Tidy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, "utf-8")

    def test_rules_of_one_line(self):
        for path, line, rule in CASES:
            with self.subTest(path=path, line=line):
                self.write(path, "\n" + line + "\n")
                found = [v for v in tidy.check(self.root) if v[2] != "unused-header"]
                expected = [(path, 2, rule)] if rule else []
                self.assertEqual([v[:3] for v in found], expected)
                (self.root / path).unlink()

    def test_headers_that_nobody_includes(self):
        self.write("reference/wire/used.h", "")
        self.write("reference/wire/lost.h", "")
        self.write("reference/mail/a.cpp", '#include "wire/used.h"\n')
        self.assertEqual([v[:3] for v in tidy.check(self.root)],
                         [("reference/wire/lost.h", 1, "unused-header")])

    def test_tables_of_one_storage_have_numbers_of_their_own(self):
        line = "inline constexpr storage::Table table_%s{%s};\n"
        self.write("reference/directory/a.cpp", line % ("a", "0x4e") + line % ("b", "0x4f"))
        self.write("reference/server/b.cpp", "\n" + line % ("c", "0x4E"))
        self.write("reference/client/c.cpp", line % ("d", "0x4e"))
        self.write("reference/server/d_test.cpp", line % ("e", "0x4e"))
        self.assertEqual([v[:3] for v in tidy.check(self.root)],
                         [("reference/server/b.cpp", 2, "table")])

    def test_error_registry_names_clauses_of_the_spec(self):
        self.write("reference/spec/01.md", "- **ENC-1** One MUST.\n")
        self.write("reference/spec/errors.json", """{"errors": [
 {"code": "good", "clause": "ENC-1"},
 {"code": "lost", "clause": "ENC-2"},
 {"code": "bare", "clause": ""}
]}""")
        self.assertEqual([(v[1], v[2]) for v in tidy.check(self.root)],
                         [(3, "registry"), (4, "registry")])


if __name__ == "__main__":
    unittest.main()
