#!/usr/bin/python3
"""Fails when an archive of a PURE room refers to a clock, a socket, a file or an entropy source.

usage: pure.py libams_NAME.a
"""
import re
import subprocess
import sys

FORBIDDEN = re.compile(
    r"^(clock_gettime|gettimeofday|time|nanosleep|socket|connect|bind|listen|accept4?|"
    r"recv(from|msg)?|send(to|msg)?|open(at)?(64)?|fopen(64)?|read|write|pthread_create|"
    r"getrandom|getentropy|arc4random\w*|rand|srand|random|RAND_(priv_)?bytes(_ex)?|getenv|system)$"
    r"|std::chrono::_V2::(system|steady)_clock::now|std::random_device|std::basic_[io]?fstream"
    r"|std::thread")


def main() -> int:
    symbols = subprocess.run(["nm", "-uC", sys.argv[1]], capture_output=True, text=True,
                             check=True).stdout
    bad = set()
    for line in symbols.splitlines():
        name = line.strip().removeprefix("U ").strip()
        name = re.sub(r"@.*$", "", name)
        if FORBIDDEN.search(name):
            bad.add(name)
    for name in sorted(bad):
        print(f"{sys.argv[1]}: a PURE room must not use {name}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
