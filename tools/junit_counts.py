#!/usr/bin/python3
"""Counts in ctest's JUnit record: prints "PASSED FAILED SKIPPED", or the failed names one a line.

usage: junit_counts.py [--failed] junit.xml
A test that ctest could not start counts as failed; one that asked to be skipped, or is disabled,
as skipped.
"""
import sys
import xml.etree.ElementTree


def outcome(case) -> str:
    if case.get("status") == "run" and case.find("failure") is None:
        return "passed"
    skip = case.find("skipped")
    if case.get("status") == "disabled":
        return "skipped"
    if skip is not None and skip.get("message", "").startswith(("SKIP_", "SKIPPED")):
        return "skipped"
    return "failed"


def main() -> int:
    cases = [(case.get("name"), outcome(case))
             for case in xml.etree.ElementTree.parse(sys.argv[-1]).iter("testcase")]
    if "--failed" in sys.argv:
        for name, what in cases:
            if what == "failed":
                print(name)
    else:
        print(*(sum(what == kind for _, what in cases) for kind in ("passed", "failed", "skipped")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
