#!/usr/bin/python3
"""Shows changed vectors to an adapter and to ams_py, which must say the same of each: so two
readers are compared where nobody thought of a vector.

usage: differ.py ADAPTER [--seed N] [--count N]
Each request is a valid vector with one to three changes in the object that is judged: bits, cuts,
repeated bytes; members dropped, added, of another type. Same seed, same requests. Ops that the
adapter does not declare are left out. Exit 0 both say the same of all, 1 they differ (the requests
are printed), 2 bad usage, 3 nothing was asked.
"""
import argparse
import json
import pathlib
import random
import shlex
import subprocess
import sys

from ams_py import encoding, ops
from ams_py.errors import AmsError

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUBJECTS = {"raw_b64", "plain_b64", "objects_b64", "proof_b64", "note_b64", "evidence_b64",
            "answers_b64", "state_b64", "epoch_b64", "a_b64", "header_b64", "container_b64",
            "sealed_b64", "stanzas_b64", "addr", "key"}
# A request costs what a hundred others do; a reader may know other forms than words.
LEFT_OUT = {"keyfile.open", "fingerprint.read"}
CONTEXTS = {("vouch.verify", "header_b64")}  # what an adapter reads first of two texts is its own
TEXTS = {"address.parse": "addr", "notekey.read": "key"}
SIZE_MAX, SHOWN_MAX = 20_000, 10


class Changer:
    def __init__(self, seed: int):
        self.draw = random.Random(seed)

    def octets(self, raw: bytes) -> bytes:
        out = bytearray(raw)
        for _ in range(self.draw.choice((1, 1, 1, 2, 3))):
            at = self.draw.randrange(len(out) + 1)
            how = self.draw.randrange(6)
            if how == 0 and at < len(out):
                out[at] ^= 1 << self.draw.randrange(8)
            elif how == 1:
                del out[at:at + self.draw.choice((1, 2, 32, 48))]
            elif how == 2:
                out[at:at] = self.draw.choice((b"\n", b"\n\n", b" ", b"\0", b"+", b"=", bytes(32)))
            elif how == 3:
                out[at:at] = out[at:at + self.draw.choice((1, 4, 32, 48, 100))]
            elif how == 4 and self.draw.random() < 0.3:
                del out[at:]
            elif at < len(out):
                out[at] = self.draw.choice(b"\n +=0\x7f\xe2-_A")
        return bytes(out)

    def text(self, text: str) -> str:
        raw = encoding.unb64(text)
        if raw and self.draw.random() < 0.6:
            return encoding.b64(self.octets(raw))
        return self.octets(text.encode("utf-8", "replace")).decode("utf-8", "replace")

    def _places(self, value, found: list) -> list:
        """(the array or object, its name or number) of everything inside."""
        if isinstance(value, (dict, list)):
            for name in (list(value) if isinstance(value, dict) else range(len(value))):
                found.append((value, name))
                self._places(value[name], found)
        return found

    def tree(self, value):
        for _ in range(self.draw.choice((1, 1, 2, 3))):
            places = self._places(value, [])
            if not places:
                return value
            holder, name = self.draw.choice(places)
            how, old = self.draw.randrange(6), holder[name]
            if how == 0:
                holder[name] = self.draw.choice((1, -1, "", "x", True, [], {}, [1], {"a": 1}))
            elif how == 1 and isinstance(holder, dict):
                del holder[name]
            elif how == 2 and isinstance(holder, dict):
                holder[self.draw.choice(("a", "x_a", "zz"))] = 1
            elif how == 3 and isinstance(holder, list):
                holder.insert(name, self.draw.choice(holder))
            elif how == 4 and isinstance(holder, list):
                self.draw.shuffle(holder)
            elif isinstance(old, str):
                holder[name] = self.text(old)
            elif isinstance(old, int):
                holder[name] = int(old) + self.draw.choice((1, -1, 2**32, -int(old)))
        return value

    def subject(self, text: str) -> str:
        raw = encoding.unb64(text)
        try:
            value = encoding.decode(raw)
        except AmsError:
            return encoding.b64(self.octets(raw))
        if self.draw.random() < 0.1 or not isinstance(value, (dict, list)):
            return encoding.b64(self.octets(raw))
        return encoding.b64(encoding.encode(self.tree(value)))

    def args(self, op: str, args: dict):
        """With its subject changed; None: it has none."""
        out = json.loads(json.dumps(args))
        names = sorted(name for name in out
                       if name in SUBJECTS and out[name] and (op, name) not in CONTEXTS and
                       (name.endswith("_b64") or TEXTS.get(op) == name))
        if not names:
            return None
        name = self.draw.choice(names)
        if not name.endswith("_b64"):
            out[name] = self.octets(out[name].encode()).decode("utf-8", "replace")
        elif isinstance(out[name], str):
            out[name] = self.subject(out[name])
        else:
            at = self.draw.randrange(len(out[name]))
            out[name][at] = self.subject(out[name][at])
        return out


def valid_vectors() -> dict:
    """{op: [args of its valid vectors]}."""
    out = {}
    for path in sorted((ROOT / "vectors").glob("*/*.json")):
        value = json.loads(path.read_text("utf-8"))
        for group in value.get("groups", []):
            for test in group["tests"]:
                if test["result"] == "valid" and len(json.dumps(test["input"])) <= SIZE_MAX:
                    out.setdefault(value["op"], []).append(test["input"])
    return {op: listed for op, listed in sorted(out.items()) if op not in LEFT_OUT}


def requests(seed: int, count: int, declared: set) -> list:
    vectors, changer = valid_vectors(), Changer(seed)
    names = [op for op, listed in vectors.items()
             if op in declared and any(changer.args(op, one) for one in listed)]
    made = []
    while names and len(made) < count:
        op = changer.draw.choice(names)
        args = changer.args(op, changer.draw.choice(vectors[op]))
        if args is not None:
            made.append((op, args))
    return made


def own_answer(op: str, args: dict) -> dict:
    try:
        return {"ok": ops.run(op, args)}
    except AmsError as error:
        return {"error": {"code": error.code, "phase": error.phase}}
    except (TypeError, ValueError, KeyError):  # the request's fault
        return {"fault": ""}


def said(answer: dict, names=()) -> tuple:
    """What is compared of an answer; names: the members of an ok that count."""
    if "error" in answer:
        return answer["error"]["phase"], answer["error"]["code"]
    if "fault" in answer:
        return ("fault",)
    return "ok", json.dumps({name: answer["ok"].get(name) for name in names}, sort_keys=True)


def answers_of(adapter: str, asked: list) -> dict:
    lines = "".join(json.dumps({"id": at, "op": op, "args": args}) + "\n"
                    for at, (op, args) in enumerate(asked, 1))
    done = subprocess.run(shlex.split(adapter), input=lines, capture_output=True, text=True,
                          check=True)
    return {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines())}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.
                                     RawDescriptionHelpFormatter)
    parser.add_argument("adapter")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=5000)
    options = parser.parse_args()
    hello = answers_of(options.adapter, [("hello", {})])[1]
    asked = requests(options.seed, options.count, set(hello["ok"]["ops"]))
    answers = answers_of(options.adapter, asked)
    differ, refused = 0, 0
    for at, (op, args) in enumerate(asked, 1):
        mine = own_answer(op, args)
        names = mine.get("ok", ())
        own, theirs = said(mine, names), said(answers.get(at, {"fault": ""}), names)
        refused += own[0] not in ("ok", "fault")
        if theirs != own:
            differ += 1
            if differ <= SHOWN_MAX:
                print(f"{op}: the adapter {theirs}, ams_py {own}\n  {json.dumps(args)}")
    print(f"{len(asked)} requests, {refused} refused, {differ} differences")
    return 3 if not asked else 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
