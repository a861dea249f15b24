#!/usr/bin/python3
"""Goal: the page shows what the runs said, the bad as loudly as the good, and loads nothing from
anywhere. Method: made-up results of every part, whole, damaged, missing; the page's text is read.
`make_report_test.py --sample DIR` writes the same results to DIR, to look at the page."""
import html.parser
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

import make_report

HERE = pathlib.Path(__file__).resolve().parent
OPENSSL = """+H:16384
+F:25:AES-256-GCM:5293260800.00
+F2:2:2048:4753.191489:80146.464646
+F5:22:253:43176.000000:0.000023
+F6:0:253:Ed25519:45298.989899:17043.000000
"""


def sample() -> dict:
    """Results as the programs would write them; always the same."""
    draw = random.Random(7)
    names = [f"d{i:02d}.example" for i in range(50)]
    domains = [{"name": n, "x": draw.randrange(1000), "y": draw.randrange(600),
                "users": draw.choice([2, 5, 10, 20, 60, 120]), "full_directory": i % 10 == 0}
               for i, n in enumerate(names)]
    links = [{"a": a, "b": b, "messages": draw.randrange(1, 40) ** 2 // 20} for a in names
             for b in names if a < b and draw.random() < .35]
    edges = [10 * 2 ** i for i in range(24)] + [None]
    bins = [{"le": e, "count": int(2600 * math.exp(-((i - 4.2) / 1.5) ** 2)) +
             int(190 * math.exp(-((i - 17) / 1.8) ** 2))} for i, e in enumerate(edges)]
    total = sum(b["count"] for b in bins)
    queue = [{"t_s": t, "depth": max(0, int(12 + 9 * math.sin(t / 13750) + draw.randrange(8) + (
        (t - 250000) / 330 if 250000 < t < 340000 else 273 * math.exp(-(t - 340000) / 5000)
        if t >= 340000 else 0)))} for t in range(0, 604800, 900)]
    timeline = [{"t_s": 250000, "kind": "partition", "what": "12 domains are cut off"},
                {"t_s": 340000, "kind": "heal", "what": "the partition heals"}]
    timeline += [{"t_s": draw.randrange(604800), "kind": "crash",
                  "what": f"{draw.choice(names)} crashes"} for _ in range(10)]
    kinds = ("positive", "negative", "malformed", "limit")
    cases = [{"id": f"{c[:3].lower()}-{i:03d}", "chapter": c, "kind": kinds[i % 4],
              "verdict": "PASS", "ms": 1 + i % 7}
             for c, n in (("Encoding", 18), ("Framing", 14), ("Keys", 9), ("Message", 12),
                          ("Mail", 11)) for i in range(n)]
    bench = [{"name": n, "run_name": n, "run_type": "iteration", "real_time": 1e9 / v,
              "time_unit": "ns", "label": f"vs={k}" if k else "",
              **({"bytes_per_second": v} if k and "gcm" in k else {})} for n, v, k in (
                  ("stream_seal/1MiB", 2.9e9, "aes-256-gcm"),
                  ("stream_open/1MiB", 3.1e9, "aes-256-gcm"),
                  ("sign/modern", 41000, "ed25519-sign"),
                  ("verify/modern", 16200, "ed25519-verify"),
                  ("sign/rsa2048", 1720, "rsa2048-sign"), ("codec_decode/4KiB", 88000, ""),
                  ("crypto/sha256/1048576", 990, ""))]
    bench.append({"name": "engine/10000", "real_time": 166, "time_unit": "ms",
                  "deliveries/s": 12.4e6})
    return {
        "sim/summary.json": {
            "scenario": "first-light", "seed": 1, "domains": 50, "users": 1000, "messages": total,
            "delivered": total - 14, "failed": 14, "undetermined": 0, "virtual_seconds": 604800,
            "wall_seconds": 21.37, "events": 4_812_345, "events_per_second": 225_000,
            "peak_rss_bytes": 312 << 20, "trace_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
            "invariants": [{"name": n, "checked": c, "violations": 0} for n, c in (
                ("acknowledged mail is not lost", 10412), ("nothing is delivered twice", 10398),
                ("content equals what was sent", 10398),
                ("no private key leaves its client", 1_934_000),
                ("no unverified key is used", 10412))],
            "faults": {"crashes": 10, "partitions": 1, "packets_lost": 41_226,
                       "duplicated": 9_120}},
        "sim/metrics.json": {
            "delay_ms_histogram": bins, "queue": queue, "timeline": timeline,
            "map": {"domains": domains, "links": links, "partition": {"side": names[:12]}}},
        "conform-sim.json": {"suite": "ams-1", "sut": "reference", "cases": cases, "summary": {}},
        "conform-tls.json": {"suite": "ams-1", "sut": "amsd", "cases": cases, "summary": {}},
        "conform-directory.json": {"suite": "ams-1", "sut": "ams-directory", "cases": cases,
                                   "summary": {}},
        "conform-client.json": {"suite": "ams-1", "sut": "ams-client", "cases": cases,
                                "summary": {}},
        "bench.json": {"context": {}, "benchmarks": bench},
        "run.json": {"commit": "0123456789abcdef", "date": "2030-01-01 12:00 UTC",
                     "machine": {"cpu": "a processor", "cores": 2, "compiler": "g++ 12.2"},
                     "stages": [{"name": "build", "seconds": 71, "status": "ok"},
                                {"name": "simulation", "seconds": 22, "status": "ok"}]},
        "openssl.txt": OPENSSL}


def write(folder: pathlib.Path, results: dict) -> pathlib.Path:
    for name, content in results.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return folder


class Page(html.parser.HTMLParser):
    """The visible text, the tooltips, and whatever could reach out of the page."""

    def __init__(self, source: str):
        super().__init__()
        self.words, self.tips, self.outside, self.open = [], [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.tips += [named["data-tip"]] if "data-tip" in named else []
        self.outside += [(tag, k, v) for k, v in attrs if k in ("src", "href", "srcset", "action")]
        if tag not in ("meta", "line", "rect", "circle", "path", "polyline", "polygon"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


class Report(unittest.TestCase):
    def page(self, results):
        with tempfile.TemporaryDirectory() as folder:
            data = make_report.read_all(write(pathlib.Path(folder), results))
            self.lines = make_report.summary_lines(data)
            source = make_report.render(data)
            page = Page(source)
            self.assertEqual(page.open, [], "unclosed elements")
            self.assertEqual(page.outside, [])
            self.assertNotRegex(source, r"url\(|@import|fetch\(|https?://")
            return page

    def test_figures_of_every_part(self):
        results = sample()
        total = results["sim/summary.json"]["messages"]
        page = self.page(results)
        for words in (f"{total - 14:,}", "0 open", "first-light", "nothing is delivered twice",
                      "Every message arrived exactly once", "1,934,000", "64 PASS", "55 %",
                      "stream_seal/1MiB", "engine/10000", "12.4 M deliveries/s", "packets lost",
                      "28.3 k×"):
            self.assertIn(words, page.text)
        self.assertTrue(any(t.startswith("12 domains are cut off") for t in page.tips))
        self.assertEqual(sum(t.split("\n")[0].endswith("crashes") for t in page.tips), 10)
        self.assertEqual(sum("· PASS ·" in t for t in page.tips), 256)
        self.assertEqual(sum("messages with others" in t for t in page.tips), 50)
        self.assertEqual((len(self.lines), self.lines[-1]), (5, "all is well"))

    def test_histogram_tells_every_message(self):
        results = sample()
        page = self.page(results)
        shown = sum(int(t.split("\n")[1].split(" ")[0].replace(",", "")) for t in page.tips
                    if "by then" in t)
        self.assertEqual(shown, results["sim/summary.json"]["messages"])

    def test_bad_results_are_said_first(self):
        results = sample()
        results["sim/summary.json"]["invariants"][1]["violations"] = 3
        results["sim/summary.json"]["invariants"][1]["examples"] = [
            {"t_s": 90_000, "what": "mail 17 stands twice in a mailbox"}]
        results["sim/summary.json"]["undetermined"] = 2
        results["conform-tls.json"]["cases"][5].update(verdict="HANG", why="no answer <in> 5 s")
        results["run.json"]["stages"][0]["status"] = "exit 1"
        page = self.page(results)
        for words in ("“nothing is delivered twice” was violated 3 times",
                      "2 messages neither arrived", "do not add up", "exit 1",
                      "1 conformance cases did not pass over TLS", "no answer <in> 5 s", "1 HANG",
                      "day 1, 01:00", "mail 17 stands twice in a mailbox"):
            self.assertIn(words, page.text)
        self.assertNotIn("Every message arrived exactly once", page.text)
        self.assertTrue(self.lines[-1].startswith("LOOK AT"))

    def test_missing_parts_are_named(self):
        full = sample()
        for gone, words in (("sim/summary.json", "the simulation was not run"),
                            ("conform-tls.json",
                             "no conformance case was run over TLS, against amsd"),
                            ("conform-directory.json",
                             "no conformance case was run over TLS, against ams-directory"),
                            ("conform-client.json",
                             "no conformance case was run over TLS, against the client"),
                            ("conform-sim.json", "no conformance case was run in the simulator"),
                            ("bench.json", "the benchmarks were not run")):
            page = self.page({name: content for name, content in full.items() if name != gone})
            self.assertIn(words, page.text)
        self.assertIn("6 things need a look", self.page({}).text)
        none_ran = dict(full, **{"conform-sim.json": {"cases": [], "summary": {}}})
        self.assertIn("no conformance case was run in the simulator", self.page(none_ran).text)

    def test_names_are_escaped(self):
        results = sample()
        results["sim/metrics.json"]["map"]["domains"][0]["name"] = '<script>"x"</script>'
        results["sim/summary.json"]["scenario"] = "<b>"
        page = self.page(results)
        self.assertIn('<script>"x"</script>\n', "\n".join(page.tips))
        self.assertIn("Scenario <b>", page.text)

    def test_small_and_odd_data(self):
        results = sample()
        results["sim/metrics.json"] = {
            "delay_ms_histogram": [{"le": 10, "count": 0}, {"le": None, "count": 1}],
            "queue": [{"t_s": 0, "depth": 0}], "timeline": [],
            "map": {"domains": [{"name": "a.example"}, {"name": "b.example"}], "links": []}}
        self.assertIn("over 10 ms", "\n".join(self.page(results).tips))
        results["sim/metrics.json"] = {}
        self.page(results)

    def test_openssl_speed(self):
        found = make_report.openssl_speed(OPENSSL)
        self.assertEqual(found["aes-256-gcm"], 5293260800)
        self.assertEqual(found["rsa2048-sign"], 4753.191489)
        self.assertEqual(found["ed25519-verify"], 17043)
        self.assertEqual(found["x25519"], 43176)

    def test_medians_replace_repetitions(self):
        rows = make_report.benchmarks({"benchmarks": [
            {"name": "a/r:0", "run_name": "a", "real_time": 1, "time_unit": "ms"},
            {"name": "a_mean", "run_name": "a", "aggregate_name": "mean", "real_time": 9,
             "time_unit": "ms"},
            {"name": "a_median", "run_name": "a", "aggregate_name": "median", "real_time": 2,
             "time_unit": "ms"}]})
        self.assertEqual([(row["name"], row["value"]) for row in rows], [("a", 500)])

    def test_program(self):
        with tempfile.TemporaryDirectory() as name:
            folder = write(pathlib.Path(name), sample())
            run = subprocess.run([str(HERE / "make_report.py"), name], capture_output=True,
                                 text=True, check=True)
            self.assertEqual(run.stdout.strip(), str(folder / "report.html"))
            self.assertGreater((folder / "report.html").stat().st_size, 20_000)
            run = subprocess.run([str(HERE / "make_report.py"), name, "--summary"],
                                 capture_output=True, text=True, check=True)
            self.assertEqual(len(run.stdout.splitlines()), 5)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--sample"]:
        write(pathlib.Path(sys.argv[2]), sample())
    else:
        unittest.main()
