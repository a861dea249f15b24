#!/usr/bin/python3
"""usage: codec_adapter.py : the codec adapter of ams_py. JSON lines on stdin and stdout: request
{"id","op","args"} -> {"id","ok"} or {"id","error":{"code","phase"}}; ops in vectors/README.md."""
import json
import sys

from ams_py import ops
from ams_py.errors import AmsError


def answer(line: str) -> dict:
    request = json.loads(line)
    try:
        return {"id": request["id"], "ok": ops.run(request["op"], request.get("args", {}))}
    except AmsError as error:
        return {"id": request["id"], "error": {"code": error.code, "phase": error.phase}}


def main() -> int:
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
