#!/usr/bin/python3
"""Makes report.html, one page without network access, from what tools/demo left in a folder.

usage: make_report.py DIR [--out FILE]        (FILE: DIR/report.html)
       make_report.py DIR --summary           prints the five lines for the console

Read, each optional; a part whose file is missing is shown as "not run", and counts as a problem:
DIR/run.json          {"commit","date","machine":{"cpu","cores","os","compiler","openssl","load"},
                       "stages":[{"name","seconds","status"}]}                    by tools/demo
DIR/sim/summary.json  {"scenario","seed","domains","users","messages","delivered","failed",
                       "undetermined","virtual_seconds","wall_seconds","events","events_per_second",
                       "peak_rss_bytes","trace_hash","invariants":[{"name","checked","violations"}],
                       "faults":{name: count}}                                    by ams-sim run
                       messages: copies due, one for each recipient of an accepted message;
                       failed: answered by a failure notice; delivered + failed + undetermined =
                       messages. Optional: "written", "refused": what users tried to send;
                       "delay_ms":{"p50","p90","p99","max"}, exact percentiles; in an invariant
                       "examples":[{"t_s","what"}]
DIR/sim/metrics.json  {"delay_ms_histogram":[{"le","count"}],   le: upper edge in ms, ascending, the
                       last may be null (no limit); count: of this bin alone
                       "queue":[{"t_s","depth"}],               all queues of all servers together
                       "map":{"domains":[{"name","x","y","users","full_directory"}],
                              "links":[{"a","b","messages"}],
                              "partition":{"side":[domain names]}?},   x, y in any unit, or left out
                       "timeline":[{"t_s","kind","what"}]}      kind: partition, heal, crash,
                                                                restart or other
DIR/conform-sim.json, DIR/conform-tls.json, DIR/conform-directory.json, DIR/conform-client.json
                      {"suite","sut","cases":[{"id","chapter","kind","verdict","ms","why"?}],
                       "summary":{"PASS": n, …}}                                  by ams-conform run
DIR/bench.json        Google Benchmark's JSON. A benchmark in the table BESIDE below, or one whose
                      label is "vs=KEY", is drawn beside that figure of openssl speed:
                      aes-256-gcm, chacha20-poly1305, sha256, x25519, ed25519-sign,
                      ed25519-verify, rsa2048-sign, rsa2048-verify
DIR/openssl.txt       output of `openssl speed -mr …`, several runs in one file
"""
import argparse
import json
import pathlib
import re
import sys

import jinja2
from markupsafe import Markup

import charts

HERE = pathlib.Path(__file__).resolve().parent
GOOD = {"PASS", "XFAIL", "UNSUPPORTED", "NOT_APPLICABLE"}
KINDS = {"PASS": "pass", "FAIL": "fail", "WARN": "warn", "XFAIL": "na", "UNSUPPORTED": "na",
         "NOT_APPLICABLE": "na", "AMBIGUOUS": "warn"}  # anything else is drawn as a failure
BESIDE = {  # benchmark of bench/crypto → the primitive that bounds it
    "crypto/sign/ed25519": "ed25519-sign", "crypto/verify/ed25519": "ed25519-verify",
    "crypto/sign/rsa2048pss": "rsa2048-sign", "crypto/verify/rsa2048pss": "rsa2048-verify",
    "crypto/wrap/x25519": "x25519", "crypto/unwrap/x25519": "x25519",
    "crypto/wrap/rsa2048kem": "rsa2048-verify", "crypto/unwrap/rsa2048kem": "rsa2048-sign",
    "crypto/stream_seal/a256gcm/1048576": "aes-256-gcm",
    "crypto/stream_open/a256gcm/1048576": "aes-256-gcm",
    "crypto/stream_seal/c20p1305/1048576": "chacha20-poly1305",
    "crypto/stream_open/c20p1305/1048576": "chacha20-poly1305",
    "crypto/sha256/1048576": "sha256"}
IN_SUMMARY = ("crypto/stream_seal/a256gcm/1048576", "crypto/sign/ed25519")
SUITES = (("conform-sim", "in the simulator"), ("conform-tls", "over TLS, against amsd"),
          ("conform-directory", "over TLS, against ams-directory"),
          ("conform-client", "over TLS, against the client of ams"))


def read_json(path: pathlib.Path):
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        sys.exit(f"{path}: {error}")


def read_all(folder: pathlib.Path) -> dict:
    data = {"run": read_json(folder / "run.json") or {},
            "sim": read_json(folder / "sim/summary.json"),
            "metrics": read_json(folder / "sim/metrics.json"),
            "bench": read_json(folder / "bench.json")}
    for name, _ in SUITES:
        data[name] = read_json(folder / f"{name}.json")
    speed = folder / "openssl.txt"
    data["openssl"] = openssl_speed(speed.read_text("utf-8")) if speed.exists() else {}
    return data


def openssl_speed(text: str) -> dict:
    """{"aes-256-gcm": bytes/s, "ed25519-sign": operations/s, …} from `openssl speed -mr`."""
    found = {}
    for line in text.split("\n"):
        kind, *fields = line.split(":")
        if kind == "+F" and len(fields) >= 3:
            found[fields[1].lower()] = float(fields[-1])
        elif kind == "+F2":
            found[f"rsa{fields[1]}-sign"] = float(fields[2])
            found[f"rsa{fields[1]}-verify"] = float(fields[3])
        elif kind == "+F5" and fields[1] == "253":
            found["x25519"] = float(fields[2])
        elif kind == "+F6":
            found[fields[2].lower() + "-sign"] = float(fields[3])
            found[fields[2].lower() + "-verify"] = float(fields[4])
    return found


def delays(data: dict) -> dict:
    """{"p50": ms, …}: exact where the simulator says so, else the edge of the histogram's bin."""
    exact = (data["sim"] or {}).get("delay_ms")
    if exact:
        return {name: exact[name] for name in ("p50", "p90", "p99") if name in exact}
    bins = (data["metrics"] or {}).get("delay_ms_histogram", [])
    edges = {f"p{share}": charts.percentile(bins, share / 100) for share in (50, 90, 99)}
    return {name: edge for name, edge in edges.items() if edge is not None}


def violations(sim: dict) -> int:
    return sum(invariant["violations"] for invariant in sim["invariants"])


def verdict_counts(cases: list) -> dict:
    found = {}
    for case in cases:
        found[case["verdict"]] = found.get(case["verdict"], 0) + 1
    return dict(sorted(found.items(), key=lambda item: (item[0] not in GOOD, item[0])))


def problems(data: dict) -> list:
    """What a reader must know before believing the rest of the page."""
    found = []
    if sim := data["sim"]:
        found += [f"invariant “{i['name']}” was violated {i['violations']} times"
                  for i in sim["invariants"] if i["violations"]]
        if not sim["delivered"]:
            found.append("nothing was delivered")
        if sim["undetermined"]:
            found.append(f"{sim['undetermined']} messages neither arrived nor were answered")
        if sim["delivered"] + sim["failed"] + sim["undetermined"] != sim["messages"]:
            found.append("the simulator's message counts do not add up")
    else:
        found.append("the simulation was not run")
    for name, where in SUITES:
        if not data[name] or not data[name]["cases"]:
            found.append(f"no conformance case was run {where}")
        else:
            bad = sum(case["verdict"] not in GOOD for case in data[name]["cases"])
            found += [f"{bad} conformance cases did not pass {where}"] * bool(bad)
    if not data["bench"]:
        found.append("the benchmarks were not run")
    found += [f"stage “{stage['name']}” ended with {stage['status']}"
              for stage in data["run"].get("stages", []) if stage["status"] != "ok"]
    return found


def tiles(data: dict) -> list:
    """[(caption, figure, small print)]"""
    found = []
    if sim := data["sim"]:
        due = f"of {charts.count(sim['messages'])} copies due"
        if "written" in sim:
            due += f" from {charts.count(sim['written'])} mails"
        found.append(("copies delivered", charts.count(sim["delivered"]),
                      f"{due}; {charts.count(sim['failed'])} answered by a notice, "
                      f"{charts.count(sim['undetermined'])} open"))
        delay = delays(data)
        if "p50" in delay:
            found.append(("median delivery", charts.duration_ms(delay["p50"]),
                          " · ".join(f"{name[1:]} % within {charts.duration_ms(delay[name])}"
                                     for name in ("p90", "p99") if name in delay)))
        checked = sum(i["checked"] for i in sim["invariants"])
        found.append(("invariant violations", charts.count(violations(sim)),
                      f"in {charts.big(checked)} checks of {len(sim['invariants'])} invariants"))
    runs = [data[name] for name, _ in SUITES if data[name]]
    if runs:
        passed = sum(c["verdict"] == "PASS" for run in runs for c in run["cases"])
        found.append(("conformance cases passed", charts.count(passed),
                      f"of {charts.count(sum(len(run['cases']) for run in runs))} runs"))
    if sim:
        found.append(("faster than real time",
                      charts.big(sim["virtual_seconds"] / max(.001, sim["wall_seconds"])) + "×",
                      f"{charts.duration_ms(sim['virtual_seconds'] * 1000)} in "
                      f"{sim['wall_seconds']:.3g} s, "
                      f"{charts.big(sim['events_per_second'])} events/s"))
        found.append(("peak memory", charts.size(sim["peak_rss_bytes"]),
                      f"{charts.count(sim['domains'])} domains, "
                      f"{charts.count(sim['users'])} users"))
    return found


def chapters(data: dict) -> list:
    """[(chapter, {suite: [case]})] in the order of the ids."""
    found = {}
    for name, _ in SUITES:
        for case in sorted((data[name] or {"cases": []})["cases"], key=lambda c: c["id"]):
            found.setdefault(case["chapter"], {}).setdefault(name, []).append(case)
    return sorted(found.items())


def case_cell(case: dict) -> Markup:
    kind = KINDS.get(case["verdict"], "fail")
    glyph = {"pass": "", "fail": "×", "warn": "!", "na": "–"}[kind]
    note = [case["id"], f"{case['kind']} · {case['verdict']} · {case['ms']:.3g} ms"]
    note += [case["why"]] if case.get("why") else []
    return Markup('<i class="cell {}" {}>{}</i>').format(kind, charts.tip(*note), glyph)


def benchmarks(bench: dict) -> list:
    """[{name, value, unit, vs}]; the median where a benchmark was repeated."""
    rows, medians = [], set()
    entries = bench["benchmarks"]
    for entry in entries:
        if entry.get("aggregate_name") == "median":
            medians.add(entry["run_name"])
    for entry in entries:
        name = entry.get("run_name", entry["name"])
        aggregate = entry.get("aggregate_name")
        if entry.get("error_occurred") or (aggregate != "median" if name in medians else aggregate):
            continue
        counter = next((key for key in entry if key.endswith("/s")), None)
        if counter:  # what the benchmark itself counts, as "deliveries/s"
            value, unit = entry[counter], " " + counter
        elif "bytes_per_second" in entry:
            value, unit = entry["bytes_per_second"], "B/s"
        elif "items_per_second" in entry:
            value, unit = entry["items_per_second"], "/s"
        else:
            per_second = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1}[entry["time_unit"]]
            value, unit = per_second / entry.get("cpu_time", entry["real_time"]), "/s"
        label = re.search(r"\bvs=(\S+)", entry.get("label", ""))
        rows.append({"name": name, "value": value, "unit": unit,
                     "vs": label[1] if label else BESIDE.get(name)})
    return rows


def bench_rows(data: dict) -> tuple:
    """(rows drawn beside openssl speed, the others)"""
    paired, alone = [], []
    for row in benchmarks(data["bench"]) if data["bench"] else []:
        theirs = data["openssl"].get(row["vs"])
        if theirs:
            row.update(ratio=row["value"] / theirs,
                       bars=charts.pair_bars(row["value"], theirs, row["unit"]))
        (paired if theirs else alone).append(row)
    return paired, alone


def histogram_rows(bins: list) -> list:
    return [("more" if b["le"] is None else charts.duration_ms(b["le"]), b["count"])
            for b in charts.trim(bins)]


def render(data: dict) -> str:
    metrics, sim = data["metrics"] or {}, data["sim"]
    bins = metrics.get("delay_ms_histogram", [])
    pictures = {}
    if any(b["count"] for b in bins):
        names = {"p50": "median", "p90": "90 %", "p99": "99 %"}
        pictures["delay"] = charts.delay_histogram(
            bins, {names[k]: v for k, v in delays(data).items()})
    if metrics.get("queue"):
        pictures["queue"] = charts.queue_chart(metrics["queue"], metrics.get("timeline", []),
                                               sim["virtual_seconds"] if sim else 0)
    if metrics.get("map", {}).get("domains"):
        pictures["map"] = charts.network_map(metrics["map"])
    paired, alone = bench_rows(data)
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(count=charts.count, big=charts.big, size=charts.size,
                               duration_ms=charts.duration_ms, clock=charts.clock)
    bad = [(where, case) for name, where in SUITES
           for case in (data[name] or {"cases": []})["cases"] if case["verdict"] not in GOOD]
    return environment.get_template("page.html.j2").render(
        css=Markup((HERE / "page.css").read_text("utf-8")),
        js=Markup((HERE / "page.js").read_text("utf-8")),
        run=data["run"], sim=sim, metrics=metrics, pictures=pictures, problems=problems(data),
        tiles=tiles(data), suites=[(n, w, data[n]) for n, w in SUITES], chapters=chapters(data),
        cell=case_cell, verdicts=verdict_counts, bad=bad, paired=paired, alone=alone,
        histogram_rows=histogram_rows(bins),
        violated=[i for i in (sim or {"invariants": []})["invariants"] if i.get("examples")],
        partition=(metrics.get("map") or {}).get("partition") or {})


def summary_lines(data: dict) -> list:
    """The demo's closing five lines."""
    sim, delay, lines = data["sim"], delays(data), []
    if sim:
        lines.append(f"simulation   {charts.count(sim['messages'])} copies due among "
                     f"{charts.count(sim['domains'])} domains: {charts.count(sim['delivered'])} "
                     f"delivered, {charts.count(sim['failed'])} answered by a notice, "
                     f"{charts.count(sim['undetermined'])} open")
        lines.append(f"             median {charts.duration_ms(delay.get('p50', 0))}; "
                     f"{charts.duration_ms(sim['virtual_seconds'] * 1000)} in "
                     f"{sim['wall_seconds']:.3g} s; {violations(sim)} invariant violations; trace "
                     f"{sim['trace_hash'][:16]}")
    else:
        lines += ["simulation   not run", "             –"]
    parts = []
    for name, where in SUITES:
        cases = (data[name] or {"cases": []})["cases"]
        passed = sum(case["verdict"] == "PASS" for case in cases)
        parts.append(f"{passed} of {len(cases)} {where}" if cases else f"none {where}")
    lines.append("conformance  passed " + "; ".join(parts))
    paired, _ = bench_rows(data)
    first = [row for row in paired if row["name"] in IN_SUMMARY] or paired[:3]
    lines.append("benchmarks   " + ("; ".join(
        f"{row['name']} {charts.big(row['value'])}{row['unit']}, {row['ratio']:.0%} of openssl's"
        for row in first) or ("run" if data["bench"] else "not run")))
    found = problems(data)
    lines.append("all is well" if not found else "LOOK AT     " + "; ".join(found))
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--summary", action="store_true")
    options = parser.parse_args()
    data = read_all(options.folder)
    if options.summary:
        print("\n".join(summary_lines(data)))
        return 1 if problems(data) else 0
    out = options.out or options.folder / "report.html"
    out.write_text(render(data), "utf-8")
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
