// The page of the admin port: numbers as text, up to an hour of history as small plots.
#include <algorithm>
#include <cstdio>
#include <functional>

#include "daemon/status.h"

namespace ams::daemon {
namespace {

constexpr int plot_width = 320, plot_height = 72;

constexpr std::string_view head = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #667080; --rule: #d8dde3;
  --line: #1a6fb5; --back: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #98a2b0; --rule: #39414b;
  --line: #69b1ee; --back: #15181c; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--back);
  margin: 2rem auto; max-width: 46rem; padding: 0 1rem; }
h1 { font-size: 1.35rem; margin: 0; } h2 { font-size: 1rem; margin: 1.8rem 0 .5rem; }
p, caption, figcaption { color: var(--soft); margin: .2rem 0; text-align: left; }
table { border-collapse: collapse; width: 100%; }
td, th { border-top: 1px solid var(--rule); padding: .3rem .5rem .3rem 0; text-align: left;
  font-weight: normal; }
td:last-child { text-align: right; font-variant-numeric: tabular-nums; }
code { font-size: .78em; overflow-wrap: anywhere; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1rem; }
figure { margin: 0; } svg { width: 100%; height: auto; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
.axis { stroke: var(--rule); } .curve { fill: none; stroke: var(--line); stroke-width: 1.6; }
</style>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string row(std::string_view name, const std::string& value) {
  return "<tr><th>" + escaped(name) + "</th><td>" + value + "</td></tr>\n";
}
std::string row(std::string_view name, std::uint64_t value) {
  return row(name, std::to_string(value));
}

std::string fixed(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

using Value = std::function<std::optional<double>(const Sample&)>;

/// What the plots show: all samples, and never less than five minutes.
Duration window(const std::deque<Sample>& samples) {
  const Duration least = std::chrono::minutes(5);
  return samples.empty() ? least : std::max(samples.back().at - samples.front().at, least);
}

/// The highest value is at the top; a sample without a value breaks the line.
std::string plot(const std::string& title, const std::deque<Sample>& samples, const Value& value) {
  double most = 0;
  std::size_t known = 0;
  std::optional<double> last;
  for (const Sample& sample : samples) {
    const auto v = value(sample);
    if (!v) continue;
    most = std::max(most, *v);
    last = v;
    ++known;
  }
  std::string out = "<figure><figcaption>" + escaped(title) + ": " +
                    (last ? std::to_string(static_cast<std::int64_t>(*last)) : "unknown") +
                    "</figcaption>\n<svg viewBox=\"0 0 " + std::to_string(plot_width) + ' ' +
                    std::to_string(plot_height + 16) + "\" role=\"img\" aria-label=\"" +
                    escaped(title) + " over time\">\n<line class=\"axis\" x1=\"0\" x2=\"" +
                    std::to_string(plot_width) + "\" y1=\"" + std::to_string(plot_height) +
                    "\" y2=\"" + std::to_string(plot_height) + "\"/>\n";
  const Duration shown = window(samples);
  const Instant end = samples.empty() ? Instant{} : samples.back().at;
  const auto span = static_cast<double>(shown.count());
  std::string path;
  bool pen_down = false;
  for (const Sample& sample : samples) {
    const auto v = value(sample);
    if (v) {
      const double x = plot_width * (1 - static_cast<double>((end - sample.at).count()) / span);
      const double y = plot_height - (most > 0 ? *v / most : 0) * (plot_height - 14);
      path += (pen_down ? " L" : " M") + fixed(x) + ' ' + fixed(y);
    }
    pen_down = v.has_value();
  }
  if (known > 0) out += "<path class=\"curve\" d=\"" + path.substr(1) + "\"/>\n";
  if (most > 0) {
    out +=
        "<text x=\"0\" y=\"11\">" + std::to_string(static_cast<std::int64_t>(most)) + "</text>\n";
  }
  const std::string under = std::to_string(plot_height + 13);
  return out + "<text x=\"0\" y=\"" + under + "\">" + text_of(shown) + " ago</text><text x=\"" +
         std::to_string(plot_width) + "\" y=\"" + under +
         "\" text-anchor=\"end\">now</text>\n</svg></figure>\n";
}

std::string plots(const Status& status, const std::deque<Sample>& samples) {
  std::string out = "<h2>Lately</h2>\n<div class=\"plots\">\n";
  out += plot("Keys held", samples, [](const Sample& s) { return static_cast<double>(s.keys); });
  if (status.full && status.directory.peers > 0) {
    out += plot("Peers that agree", samples,
                [](const Sample& s) { return static_cast<double>(s.peers_agreeing); });
    out += plot("Gossip lag, seconds", samples, [](const Sample& s) -> std::optional<double> {
      if (!s.lag) return std::nullopt;
      return static_cast<double>(std::chrono::duration_cast<std::chrono::seconds>(*s.lag).count());
    });
  }
  if (status.mail) {
    out +=
        plot("Mail waiting", samples, [](const Sample& s) { return static_cast<double>(s.queue); });
  }
  return out + "</div>\n";
}

std::string directory_table(const Status& status) {
  const directory::Stats& d = status.directory;
  std::string out = "<h2>Directory</h2>\n<table>\n";
  out += row("keys held", std::to_string(d.keys) + (status.full ? "" : " (a light peer)"));
  out += row("root", "<code>" + to_hex(d.root) + "</code>");
  if (status.full) {
    out += row("peers with this root at the last gossip",
               std::to_string(d.peers_agreeing) + " of " + std::to_string(d.peers));
    const auto lag = gossip_lag(status);
    out += row("gossip lag: since all peers agreed", lag ? text_of(*lag) : "never seen");
    out += row("peers evicted, shown to lie", d.peers_evicted);
    for (const directory::PeerInUse& peer : d.in_use)
      out += row(peer.domain + (peer.learned ? ", learned" : ", configured"),
                 (peer.block.empty() ? "not reached yet" : "in " + peer.block) +
                     (peer.evicted    ? ", evicted"
                      : peer.agreeing ? ", with this root"
                                      : ", with another root"));
    if (d.peers_waiting > 0) out += row("names of peers that wait for a try", d.peers_waiting);
    out += row("roots in the log / cosignatures of witnesses",
               std::to_string(d.epochs) + " / " + std::to_string(d.cosignatures));
    out += row("checkpoints of domains' binding logs cosigned", d.witnessed);
  } else {
    out += row("full peers to ask and to publish to", d.peers);
  }
  out += row("objects published here", d.published);
  out += row("entries pulled from peers", d.pulled);
  out += row("objects pushed to peers", d.pushed);
  return out + "</table>\n";
}

std::string refused_table(const directory::Stats& directory) {
  std::string out = "<h2>Refused publications</h2>\n";
  if (directory.refused.empty()) return out + "<p>None since the start.</p>\n";
  out += "<table>\n";
  for (const auto& [code, times] : directory.refused) {
    const CodeInfo& info = code_info(code);
    out += row(std::string(info.name) + " (" + std::string(info.clause) + ")", times);
  }
  return out + "</table>\n";
}

std::string server_table(const Status& status) {
  const server::Stats& s = status.server;
  std::string out = "<h2>Server</h2>\n<table>\n";
  out += row("open connections", s.connections);
  out += row("peers that did not prove who they are", s.auth_failures);
  out += row("commits of the store / batches in them",
             std::to_string(status.driver.commits) + " / " + std::to_string(status.driver.batches));
  if (status.mail) {
    out += row("messages submitted", s.submitted);
    out += row("delivered here / elsewhere",
               std::to_string(s.delivered_in) + " / " + std::to_string(s.delivered_out));
    out += row("waiting for other domains", s.queue_depth);
    out += row("attempts to be made again", s.retries);
    out += row("deliveries refused", s.refused_in);
    out += row("notices to senders", s.notices);
  }
  return out + "</table>\n";
}

}  // namespace

std::string status_page(const Status& status, const std::deque<Sample>& samples) {
  const std::string title = escaped(status.program + ' ' + status.domain);
  return std::string(head) + "<title>" + title + "</title></head>\n<body>\n<h1>" + title +
         "</h1>\n<p>Up " + text_of(status.now - status.started) +
         ". Counts are since the start. Prometheus reads <a href=\"/metrics\">/metrics</a>.</p>\n" +
         directory_table(status) + plots(status, samples) + refused_table(status.directory) +
         server_table(status) + "</body></html>\n";
}

}  // namespace ams::daemon
