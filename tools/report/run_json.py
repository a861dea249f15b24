#!/usr/bin/python3
"""Prints run.json for make_report.py: when, which commit, which machine, how each stage ended.

usage: run_json.py STAGES.tsv          lines of name, seconds, status
"""
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys


def output(*command: str) -> str:
    """First line of what a command prints; "" when it cannot run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return (done.stdout.splitlines() or [""])[0]


def cpu() -> str:
    found = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def commit() -> str:
    changed = "+changes" if output("git", "status", "--porcelain", "--untracked-files=no") else ""
    return output("git", "rev-parse", "--short=12", "HEAD") + changed


def main() -> int:
    stages = []
    for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
        name, seconds, status = line.split("\t")
        stages.append({"name": name, "seconds": int(seconds), "status": status})
    now = datetime.datetime.now(datetime.timezone.utc)
    print(json.dumps({
        "date": now.strftime("%Y-%m-%d %H:%M UTC"), "commit": commit(), "stages": stages,
        "machine": {"cpu": cpu(), "cores": os.cpu_count(), "compiler": output("c++", "--version"),
                    "openssl": output("openssl", "version"),
                    "load at the end": f"{os.getloadavg()[0]:.1f}"}}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
