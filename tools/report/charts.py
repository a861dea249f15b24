"""SVG pictures of the report. Colours are CSS classes (page.css), so that light and dark both work;
every mark carries its numbers in data-tip, which page.js shows."""
import math

from markupsafe import Markup

WIDTH = 1000  # of every chart's coordinate system; the page scales it


def count(value) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}"


def big(value: float) -> str:
    """1234567 → 1.23 M"""
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if value >= limit:
            return f"{value / (1e3 if unit == ' k' else limit):.3g}{unit}"
    return f"{value:,.0f}" if value >= 10 else f"{value:.3g}"


def size(value: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
        value /= 1024
    return ""


def rounded(value: float, digits: int) -> str:
    """Three digits at most, and never 1e+03."""
    return f"{value:.0f}" if value >= 10 ** digits else f"{value:.{digits}g}"


def duration_ms(value: float, digits: int = 3) -> str:
    """Milliseconds for people: 250 ms, 1.5 s, 4 min, 2.3 h, 6.9 days."""
    for limit, divisor, unit in ((1000, 1, "ms"), (60_000, 1000, "s"), (3_600_000, 60_000, "min"),
                                 (2 * 86_400_000, 3_600_000, "h")):
        if value < limit:
            return f"{rounded(value / divisor, digits)} {unit}"
    return f"{rounded(value / 86_400_000, digits)} days"


def nice_ticks(top: float, wanted: int = 4) -> list:
    """0 … top in steps of 1, 2 or 5 times a power of ten; the last tick is at least top."""
    top = max(top, 1)
    step = 10 ** math.floor(math.log10(top / wanted))
    step = next(step * factor for factor in (1, 2, 5, 10) if step * factor * wanted >= top)
    step = max(1, int(step))
    return [step * i for i in range(math.ceil(top / step) + 1)]


def tip(*lines) -> Markup:
    return Markup('data-tip="{}"').format("\n".join(str(line) for line in lines))


def text(x, y, what, kind="", anchor="middle") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" class="{}" text-anchor="{}">{}</text>').format(
        x, y, kind, anchor, what)


def svg(height: float, parts: list, label: str, kind: str = "") -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" class="chart {}" role="img" aria-label="{}">{}</svg>'
                  ).format(WIDTH, height, kind, label, Markup("").join(parts))


def grid(ticks: list, left: float, y_of) -> list:
    parts = []
    for tick in ticks:
        y = y_of(tick)
        parts.append(Markup('<line x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}" class="{}"/>').format(
            left, WIDTH, y, y, "axis" if tick == 0 else "grid"))
        parts.append(text(left - 8, y + 4, count(tick), "tick", "end"))
    return parts


def percentile(bins: list, share: float):
    """Upper edge of the bin that holds this share of all; None without data, or past all edges."""
    total, seen = sum(b["count"] for b in bins), 0
    for b in bins:
        seen += b["count"]
        if total and seen >= share * total:
            return b["le"]
    return None


def trim(bins: list) -> list:
    used = [i for i, b in enumerate(bins) if b["count"]]
    return bins[used[0]:used[-1] + 1] if used else []


def delay_histogram(bins: list, marks: dict) -> Markup:
    """bins: [{le: ms or None for no limit, count}], neighbours; marks: {"median": ms, …}."""
    first = next((i for i, b in enumerate(bins) if b["count"]), 0)
    shown = trim(bins)
    height, left, bottom, top = 330, 62, 40, 34
    ticks = nice_ticks(max(b["count"] for b in shown))
    step = (WIDTH - left) / len(shown)

    def y_of(value):
        return height - bottom - value / ticks[-1] * (height - bottom - top)
    parts = grid(ticks, left, y_of)
    total, low = sum(b["count"] for b in shown), bins[first - 1]["le"] if first else 0
    every, so_far = math.ceil(len(shown) / 12), 0
    edges = [low]
    for i, b in enumerate(shown):
        so_far += b["count"]
        x, y = left + i * step, y_of(b["count"])
        above = b["le"] is None
        what = f"over {duration_ms(edges[-1])}" if above else (
            f"{duration_ms(edges[-1])} – {duration_ms(b['le'])}")
        parts.append(Markup(
            '<g class="hit" {}><rect x="{:.1f}" y="{}" width="{:.1f}" height="{}" class="ghost"/>'
            '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2" class="bar"/></g>'
        ).format(tip(what, f"{count(b['count'])} messages ({b['count'] / total:.1%})",
                     f"{so_far / total:.1%} by then"), x, top, step, height - bottom - top,
                 x + min(2, step * .1), y, step - min(4, step * .2), height - bottom - y))
        if (len(shown) - 1 - i) % every == 0:
            parts.append(text(x + step, height - bottom + 20, "∞" if above else
                              duration_ms(b["le"], 2), "tick",
                              "end" if i == len(shown) - 1 else "middle"))
        edges.append(edges[-1] if above else b["le"])
    parts += histogram_marks(edges, marks, left, step, top, height - bottom)
    return svg(height, parts, "Distribution of delivery delays")


def histogram_marks(edges, marks, left, step, top, base) -> list:
    parts, last_x = [], -1e9
    for name, value in marks.items():
        i = next((k for k in range(1, len(edges)) if value <= edges[k]), None)
        if i is None:
            continue
        inside = (value - edges[i - 1]) / max(1e-9, edges[i] - edges[i - 1])
        x = left + (i - 1 + max(0, min(1, inside))) * step
        row = 14 if x - last_x > 150 else 30
        last_x = x
        anchor = "end" if x > WIDTH - 150 else "start"
        parts.append(Markup('<line x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}" class="mark"/>'
                            ).format(x, row - 10, base))
        parts.append(text(x + (-6 if anchor == "end" else 6), row, f"{name} {duration_ms(value)}",
                          "marktext", anchor))
    return parts


def thin(points: list, buckets: int = 480) -> list:
    """At most this many (t, depth): the highest of each stretch, so that no peak is lost."""
    if len(points) <= buckets:
        return points
    per = math.ceil(len(points) / buckets)
    return [max(points[i:i + per], key=lambda p: p[1]) for i in range(0, len(points), per)]


def time_ticks(end_s: float) -> list:
    """[(seconds, label)] in days, hours or minutes."""
    unit, name = next((u, n) for u, n in ((86400, "day"), (3600, "h"), (60, "min"), (1, "s"))
                      if end_s >= 2 * u or u == 1)
    step = max(1, math.ceil(end_s / unit / 10))
    return [(i * unit, f"{name} {i}" if name == "day" else f"{i} {name}")
            for i in range(0, int(end_s / unit) + 1, step)]


def bands(timeline: list, end_s: float) -> list:
    """(from, to, what) of partitions: each lasts to the next heal."""
    found, start = [], None
    for event in timeline:
        if event["kind"] == "partition" and start is None:
            start = event
        elif event["kind"] == "heal" and start is not None:
            found.append((start["t_s"], event["t_s"], start["what"]))
            start = None
    return found + ([(start["t_s"], end_s, start["what"])] if start else [])


def queue_chart(queue: list, timeline: list, end_s: float) -> Markup:
    points = thin([(p["t_s"], p["depth"]) for p in queue])
    height, left, bottom, top = 300, 62, 58, 26
    end_s = max(end_s, points[-1][0], 1)
    ticks = nice_ticks(max(depth for _, depth in points))
    base = height - bottom

    def y_of(value):
        return base - value / ticks[-1] * (base - top)

    def x_of(t_s):
        return left + t_s / end_s * (WIDTH - left)
    parts = []
    for begin, end, what in bands(timeline, end_s):
        parts.append(Markup('<rect x="{:.1f}" y="{}" width="{:.1f}" height="{}" class="band" {}/>'
                            ).format(x_of(begin), top, max(2, x_of(end) - x_of(begin)), base - top,
                                     tip(what, f"for {duration_ms((end - begin) * 1000)}")))
        parts.append(text((x_of(begin) + x_of(end)) / 2, top - 8, "partition", "bandtext"))
    parts += grid(ticks, left, y_of)
    line = " ".join(f"{x_of(t):.1f},{y_of(d):.1f}" for t, d in points)
    parts.append(Markup('<polygon points="{:.1f},{} {} {:.1f},{}" class="area"/>').format(
        x_of(points[0][0]), base, line, x_of(points[-1][0]), base))
    parts.append(Markup('<polyline points="{}" class="line"/>').format(line))
    for (t, depth), (later, _) in zip(points, points[1:] + [(end_s, 0)]):
        parts.append(Markup('<rect x="{:.1f}" y="{}" width="{:.2f}" height="{}" class="ghost hit" '
                            '{}/>').format(x_of(t), top, max(.5, x_of(later) - x_of(t)), base - top,
                                           tip(clock(t), f"{count(depth)} messages waiting")))
    for t, label in time_ticks(end_s):
        parts.append(text(x_of(t), base + 18, label, "tick", "start" if t == 0 else
                          "end" if t >= end_s else "middle"))
    y = base + 36
    for event in timeline:
        if event["kind"] == "crash":
            x = x_of(event["t_s"])
            parts.append(Markup('<path d="M{0:.1f} {1} l6 10 h-12 z" class="crash" {2}/>').format(
                x, y - 8, tip(event["what"], clock(event["t_s"]))))
    parts.append(text(left - 8, y + 2, "crashes", "tick", "end"))
    return svg(height, parts, "Messages waiting in outboxes and queues over time")


def clock(t_s: float) -> str:
    day, rest = divmod(int(t_s), 86400)
    return f"day {day}, {rest // 3600:02d}:{rest % 3600 // 60:02d}"


def placed(domains: list) -> dict:
    """{name: (x, y)} within 0…1; on a circle when the scenario gives no places."""
    if any("x" not in d or "y" not in d for d in domains):
        return {d["name"]: (.5 + .48 * math.sin(2 * math.pi * i / len(domains)),
                            .5 - .48 * math.cos(2 * math.pi * i / len(domains)))
                for i, d in enumerate(domains)}
    xs, ys = [d["x"] for d in domains], [d["y"] for d in domains]
    return {d["name"]: ((d["x"] - min(xs)) / max(1e-9, max(xs) - min(xs)),
                        (d["y"] - min(ys)) / max(1e-9, max(ys) - min(ys))) for d in domains}


def merged_links(links: list) -> dict:
    both = {}
    for link in links:
        if link["a"] != link["b"]:
            key = tuple(sorted((link["a"], link["b"])))
            both[key] = both.get(key, 0) + link["messages"]
    return both


def network_map(data: dict) -> Markup:
    """data: {domains, links, partition?}; hovering a domain shows its own links (page.js)."""
    height, margin = 560, 40
    spots = {name: (margin + x * (WIDTH - 2 * margin), margin + y * (height - 2 * margin))
             for name, (x, y) in placed(data["domains"]).items()}
    links = {key: n for key, n in merged_links(data["links"]).items()
             if key[0] in spots and key[1] in spots}
    most = max(links.values(), default=1)
    side = set((data.get("partition") or {}).get("side", []))
    traffic = {name: 0 for name in spots}
    parts = [Markup('<g class="links">')]
    for (a, b), n in sorted(links.items(), key=lambda item: (item[1], item[0])):
        traffic[a] += n
        traffic[b] += n
        share = n / most
        cut = " cut" if (a in side) != (b in side) and side else ""
        parts.append(Markup('<line x1="{:.0f}" y1="{:.0f}" x2="{:.0f}" y2="{:.0f}" data-a="{}" '
                            'data-b="{}" class="link{}" stroke-width="{:.2f}" opacity="{:.2f}"/>'
                            ).format(*spots[a], *spots[b], a, b, cut, .5 + 2.5 * share,
                                     .06 + .6 * share ** 1.5))
    parts.append(Markup("</g>"))
    users_max = max(d.get("users", 1) for d in data["domains"])
    busiest = sorted(traffic, key=lambda name: (-traffic[name], name))[:6]
    labels = []
    for d in sorted(data["domains"], key=lambda d: -d.get("users", 1)):
        x, y = spots[d["name"]]
        radius = 4 + 9 * math.sqrt(d.get("users", 1) / max(1, users_max))
        peer = d.get("full_directory")
        notes = [d["name"], f"{count(d.get('users', 0))} users",
                 f"{count(traffic[d['name']])} messages with others"]
        notes += ["full directory peer"] * bool(peer) + ["cut off by the partition"] * (
            d["name"] in side)
        ring = Markup('<circle cx="{:.0f}" cy="{:.0f}" r="{:.1f}" class="ring"/>').format(
            x, y, radius + 4) if peer else ""
        parts.append(Markup('<g class="node{}" data-name="{}" tabindex="0" {}>{}'
                            '<circle cx="{:.0f}" cy="{:.0f}" r="{:.1f}"/></g>').format(
            " side" if d["name"] in side else "", d["name"], tip(*notes), ring, x, y, radius))
        if d["name"] in busiest or len(spots) <= 12:
            near_end = x > WIDTH - 160
            labels.append(text(x + (-radius - 7 if near_end else radius + 7), y + 4, d["name"],
                               "nodetext", "end" if near_end else "start"))
    return svg(height, parts + labels, "Map of domains and the mail between them", "map")


def pair_bars(ours: float, theirs: float, unit: str) -> Markup:
    """Two bars on one scale: ours above what openssl speed measured."""
    top = max(ours, theirs) or 1
    rows = []
    for value, kind, who in ((ours, "bar", "AMS"), (theirs, "bar2", "openssl speed")):
        rows.append(Markup('<div class="hbar" {}><i class="{}" style="width:{:.2f}%"></i>'
                           '<span>{}</span></div>').format(
            tip(who, f"{big(value)}{unit}"), kind, max(.6, 78 * value / top),
            f"{big(value)}{unit}"))
    return Markup("").join(rows)


