#!/usr/bin/python3
"""Writes the raw inputs of vectors/**/*.json as seed files for the fuzzers, named by content.

usage: seed_corpus.py OUT_DIR
Every string under a name that ends in "_b64" (base64, either alphabet) or "_hex" is a seed, if it
decodes and is at most 64 KiB. Without vectors the folder stays empty.
"""
import base64
import binascii
import hashlib
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEED_SIZE_MAX = 64 * 1024


def decode(name: str, text: str):
    try:
        if name.endswith("_hex"):
            return bytes.fromhex(text)
        standard = text.replace("-", "+").replace("_", "/").rstrip("=")
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None


def seeds(value):
    if isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, str) and name.endswith(("_b64", "_hex")):
                raw = decode(name, member)
                if raw is not None and len(raw) <= SEED_SIZE_MAX:
                    yield raw
            else:
                yield from seeds(member)
    elif isinstance(value, list):
        for member in value:
            yield from seeds(member)


def main() -> int:
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    names = set()
    for path in sorted((ROOT / "vectors").glob("**/*.json")):
        for raw in seeds(json.loads(path.read_text())):
            name = hashlib.sha256(raw).hexdigest()[:20]
            names.add(name)
            (out / name).write_bytes(raw)
    print(f"        {len(names)} seeds from vectors/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
