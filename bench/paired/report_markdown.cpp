#include <fmt/format.h>

#include "paired/report.h"

namespace ams::paired {
namespace {

std::string text_cell(const MeasuredTable& table, const MeasuredRow& row, const std::string& name) {
  const Series* series = row.find(name);
  if (series == nullptr) return " – |";
  const Spread spread = spread_of(series->seconds);
  const double half_spread = (spread.high - spread.low) / 2 / spread.median * 100;
  std::string out = fmt::format(" {} ±{:.1f} %", rate_text(row, spread.median), half_spread);
  const Series* base = row.find(table.base);
  if (base != nullptr && name != table.base)
    out += fmt::format(", {:.2f}×", speed_ratio(*series, *base).median);
  return out + " |";
}

std::string table_text(const MeasuredTable& table) {
  const auto names = contestants_of(table);
  std::string out = fmt::format("\n### {}\n\n{}", table.title, table.question);
  if (!table.base.empty()) out += fmt::format(" × is relative to {}.", table.base);
  out += fmt::format("\n\n| {} |", table.axis);
  for (const std::string& name : names) out += fmt::format(" {} |", name);
  out += "\n| --- |";
  for (std::size_t i = 0; i < names.size(); ++i) out += " --- |";
  for (const MeasuredRow& row : table.rows) {
    out += fmt::format("\n| {} |", x_text(table, row));
    for (const std::string& name : names) out += text_cell(table, row, name);
  }
  std::string exponents = "\n| time grows as |";
  bool any = false;
  for (const std::string& name : names) {
    const auto exponent = growth(table, name);
    any = any || exponent;
    exponents += exponent ? fmt::format(" {}^{:.2f} |", table.axis, *exponent) : " – |";
  }
  return out + (any ? exponents : "") + "\n";
}

}  // namespace

std::string to_markdown(const Report& report) {
  std::string out = fmt::format("# {}\n\n", report.title);
  for (const auto& [name, value] : report.context) out += fmt::format("- {}: {}\n", name, value);
  for (const std::string& note : report.notes) out += fmt::format("- {}\n", note);
  const auto judged = verdicts(report);
  if (!judged.empty()) {
    out += "\n## Targets\n\n| target | found | holds |\n| --- | --- | --- |\n";
    for (const Verdict& verdict : judged)
      out += fmt::format("| {} | {} | {} |\n", verdict.what, verdict.found,
                         verdict.holds ? "yes" : "**no**");
  }
  out += "\n## Tables\n";
  for (const MeasuredTable& table : report.tables) out += table_text(table);
  return out;
}

}  // namespace ams::paired
