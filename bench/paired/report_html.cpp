// One self-contained page: tables, and for each a plot of inline SVG. No script, no network.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "paired/report.h"

namespace ams::paired {
namespace {

constexpr const char* style = R"(
:root { color-scheme: light dark; --ink: #1c2430; --dim: #667085; --line: #d7dce3;
  --paper: #fff; --good: #137a4b; --bad: #b42318 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --dim: #98a2b3; --line: #39414d;
  --paper: #14181f; --good: #4cc38a; --bad: #f97066 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem }
h3 { margin: 2rem 0 .2rem }
p { margin: .2rem 0 .6rem; color: var(--dim) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left }
small { color: var(--dim); display: block }
.yes { color: var(--good) }
.no { color: var(--bad); font-weight: 600 }
svg { width: 100%; height: auto; margin: .5rem 0 }
svg text { fill: var(--dim); font: 11px system-ui, sans-serif }
.grid { stroke: var(--line); stroke-width: 1 }
)";
constexpr std::array colours{"#2563eb", "#0891b2", "#98a2b3", "#dc6803", "#7a5af8", "#c11574"};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

/// Positions in the plot: both axes logarithmic.
struct Scale {
  double low = 0, high = 1, from = 0, to = 1;
  double operator()(double value) const {
    if (high <= low) return (from + to) / 2;
    return from + (std::log10(value) - low) / (high - low) * (to - from);
  }
};

double rate(const MeasuredRow& row, double seconds) {
  return (row.bytes > 0 ? row.bytes : 1) / seconds;
}

/// Rate over x: one line a contestant, with its quartiles as bars.
std::string plot(const MeasuredTable& table) {
  constexpr double width = 760, height = 280, left = 70, right = 590, top = 12, bottom = 246;
  std::vector<const MeasuredRow*> rows;
  for (const MeasuredRow& row : table.rows)
    if (row.x > 0) rows.push_back(&row);
  if (rows.size() < 2) return {};
  double rate_low = 1e300, rate_high = 0;
  for (const MeasuredRow* row : rows) {
    for (const Series& series : row->series) {
      const double value = rate(*row, spread_of(series.seconds).median);
      rate_low = std::min(rate_low, value);
      rate_high = std::max(rate_high, value);
    }
  }
  const Scale x{std::log10(static_cast<double>(rows.front()->x)),
                std::log10(static_cast<double>(rows.back()->x)), left + 20, right - 20};
  const Scale y{std::floor(std::log10(rate_low)), std::ceil(std::log10(rate_high)), bottom, top};
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\"><title>{}</title>", width,
                                height, escaped(table.title));
  for (double decade = y.low; decade <= y.high; ++decade) {
    const double at = y(std::pow(10, decade));
    MeasuredRow like = *rows.front();
    like.bytes = like.bytes > 0 ? 1 : 0;
    out += fmt::format(
        "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
        left, right, at, at, left - 6, at + 4, rate_text(like, std::pow(10, -decade)));
  }
  for (const MeasuredRow* row : rows)
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                       x(static_cast<double>(row->x)), bottom + 18, x_text(table, *row));
  std::size_t number = 0;
  for (const std::string& name : contestants_of(table)) {
    const char* const colour = colours[number % colours.size()];
    std::string points;
    for (const MeasuredRow* row : rows) {
      const Series* series = row->find(name);
      if (series == nullptr) continue;
      const Spread spread = spread_of(series->seconds);
      const double at_x = x(static_cast<double>(row->x));
      const double at_y = y(rate(*row, spread.median));
      points += fmt::format("{:.1f},{:.1f} ", at_x, at_y);
      out += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>"
          "<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" "
          "stroke=\"{}\"/>",
          at_x, at_y, colour, at_x, at_x, y(rate(*row, spread.low)), y(rate(*row, spread.high)),
          colour);
    }
    const double legend = top + 12 + 18 * static_cast<double>(number);
    out += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\"/>"
        "<rect x=\"{}\" y=\"{}\" width=\"10\" height=\"10\" fill=\"{}\"/>"
        "<text x=\"{}\" y=\"{}\">{}</text>",
        points, colour, right + 14, legend - 9, colour, right + 30, legend, escaped(name));
    ++number;
  }
  return out + "</svg>";
}

std::string cell(const MeasuredTable& table, const MeasuredRow& row, const std::string& name) {
  const Series* series = row.find(name);
  if (series == nullptr) return "<td>–</td>";
  const Spread spread = spread_of(series->seconds);
  std::string note = fmt::format("±{:.1f} %", (spread.high - spread.low) / 2 / spread.median * 100);
  const Series* base = row.find(table.base);
  if (base != nullptr && name != table.base) {
    const Spread ratio = speed_ratio(*series, *base);
    note = fmt::format("{:.2f}× ({:.2f}…{:.2f})", ratio.median, ratio.low, ratio.high);
  }
  return fmt::format("<td>{}<small>{}</small></td>", rate_text(row, spread.median), note);
}

std::string table_html(const MeasuredTable& table) {
  const auto names = contestants_of(table);
  std::string out = fmt::format(
      "<h3 id=\"{}\">{}</h3><p>{}{}</p>{}", table.id, escaped(table.title), escaped(table.question),
      table.base.empty() ? "" : fmt::format(" Ratios are to {}.", escaped(table.base)),
      plot(table));
  out += fmt::format("<table><tr><th>{}</th>", table.axis);
  for (const std::string& name : names) out += fmt::format("<th>{}</th>", escaped(name));
  out += "</tr>";
  for (const MeasuredRow& row : table.rows) {
    out += fmt::format("<tr><td>{}</td>", x_text(table, row));
    for (const std::string& name : names) out += cell(table, row, name);
    out += "</tr>";
  }
  std::string exponents;
  bool any = false;
  for (const std::string& name : names) {
    const auto exponent = growth(table, name);
    any = any || exponent;
    exponents += exponent ? fmt::format("<td>{}<sup>{:.2f}</sup></td>", table.axis, *exponent)
                          : "<td>–</td>";
  }
  if (any) out += "<tr><td>time grows as</td>" + exponents + "</tr>";
  return out + "</table>";
}

}  // namespace

std::string to_html(const Report& report) {
  std::string out = fmt::format(
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>{}</title><style>{}</style>"
      "<h1>{}</h1><table>",
      escaped(report.title), style, escaped(report.title));
  for (const auto& [name, value] : report.context)
    out += fmt::format("<tr><td>{}</td><td>{}</td></tr>", escaped(name), escaped(value));
  out += "</table>";
  for (const std::string& note : report.notes) out += fmt::format("<p>{}</p>", escaped(note));
  const auto judged = verdicts(report);
  if (!judged.empty()) {
    out += "<h2>Targets</h2><table><tr><th>target</th><th>found</th><th>holds</th></tr>";
    for (const Verdict& verdict : judged)
      out += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"{}\">{}</td></tr>",
                         escaped(verdict.what), escaped(verdict.found),
                         verdict.holds ? "yes" : "no", verdict.holds ? "yes" : "no");
    out += "</table>";
  }
  out += "<h2>Tables</h2>";
  for (const MeasuredTable& table : report.tables) out += table_html(table);
  return out + "</html>\n";
}

}  // namespace ams::paired
