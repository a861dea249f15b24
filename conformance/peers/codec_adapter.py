#!/usr/bin/python3
"""usage: codec_adapter.py : the codec adapter of ams_py. JSON lines on stdin and stdout, as
conformance/adapter/adapter.schema.json says; ops in vectors/README.md."""
import json
import sys

from ams_py import ops
from ams_py.errors import AmsError


def answer(line: str) -> dict:
    try:
        request = json.loads(line)
        number = request["id"]
    except (ValueError, TypeError, KeyError):
        return {"id": None, "fault": "no request"}
    try:
        return {"id": number, "ok": ops.run(request["op"], request["args"])}
    except AmsError as error:
        return {"id": number, "error": {"code": error.code, "phase": error.phase}}
    except (KeyError, TypeError) as error:  # of the request: AmsError is what the input deserves
        return {"id": number, "fault": f"{type(error).__name__}: {error}"}


def main() -> int:
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
