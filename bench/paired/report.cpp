#include "paired/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ams::paired {
namespace {

std::string run_name(const Report& report, const MeasuredTable& table, const MeasuredRow& row,
                     const Series& series) {
  const std::string x = row.label.empty() ? fmt::format("{}:{}", table.axis, row.x) : row.label;
  return fmt::format("{}/{}/{}/{}", report.name, table.id, x, series.name);
}

const MeasuredRow* row_at(const MeasuredTable& table, std::int64_t x) {
  const auto found = std::find_if(table.rows.begin(), table.rows.end(),
                                  [&](const MeasuredRow& row) { return row.x == x; });
  return found == table.rows.end() ? nullptr : &*found;
}

std::optional<Verdict> judge(const MeasuredTable& table, const Target& target) {
  const MeasuredRow* row = row_at(table, target.x);
  const Series* ours = row == nullptr ? nullptr : row->find(target.contestant);
  if (ours == nullptr) return std::nullopt;
  if (target.against.empty()) {
    const double seconds = spread_of(ours->seconds).median;
    const double rate = (row->bytes > 0 ? row->bytes : 1) / seconds;
    return Verdict{target.what, rate_text(*row, seconds), rate >= target.at_least};
  }
  const Series* theirs = row->find(target.against);
  if (theirs == nullptr) return std::nullopt;
  const Spread ratio = speed_ratio(*ours, *theirs);
  return Verdict{target.what,
                 fmt::format("{:.3f} ({:.3f} … {:.3f})", ratio.median, ratio.low, ratio.high),
                 ratio.median >= target.at_least};
}

std::string with_unit(double value, const char* unit) {
  constexpr std::array prefixes{"", "k", "M", "G"};
  std::size_t prefix = 0;
  while (value >= 1000 && prefix + 1 < prefixes.size()) {
    value /= 1000;
    ++prefix;
  }
  const int digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return fmt::format("{:.{}f} {}{}", value, digits, prefixes[prefix], unit);
}

}  // namespace

Spread speed_ratio(const Series& series, const Series& base) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(series.seconds.size(), base.seconds.size()); ++i)
    ratios.push_back(base.seconds[i] / series.seconds[i]);
  return spread_of(std::move(ratios));
}

std::optional<double> growth(const MeasuredTable& table, const std::string& contestant) {
  if (table.axis == "threads") return std::nullopt;
  std::vector<double> x, y;
  for (const MeasuredRow& row : table.rows) {
    const Series* series = row.find(contestant);
    if (series == nullptr || row.x <= 0) continue;
    x.push_back(static_cast<double>(row.x));
    y.push_back(spread_of(series->seconds).median);
  }
  if (x.size() < 3) return std::nullopt;
  return fitted_exponent(x, y);
}

std::string rate_text(const MeasuredRow& row, double seconds) {
  return row.bytes > 0 ? with_unit(row.bytes / seconds, "B/s") : with_unit(1 / seconds, "/s");
}

std::string x_text(const MeasuredTable& table, const MeasuredRow& row) {
  if (!row.label.empty()) return row.label;
  if (table.axis != "bytes") return fmt::format("{} {}", row.x, table.axis);
  if (row.x % (1 << 20) == 0) return fmt::format("{} MiB", row.x >> 20);
  if (row.x % 1024 == 0) return fmt::format("{} KiB", row.x >> 10);
  return with_unit(static_cast<double>(row.x), "B");
}

std::vector<std::string> contestants_of(const MeasuredTable& table) {
  std::vector<std::string> out;
  for (const MeasuredRow& row : table.rows)
    for (const Series& series : row.series)
      if (std::find(out.begin(), out.end(), series.name) == out.end()) out.push_back(series.name);
  return out;
}

std::vector<Verdict> verdicts(const Report& report) {
  std::vector<Verdict> out;
  for (const MeasuredTable& table : report.tables)
    for (const Target& target : table.targets)
      if (auto verdict = judge(table, target)) out.push_back(std::move(*verdict));
  return out;
}

std::string to_json(const Report& report) {
  nlohmann::ordered_json out;
  for (const auto& [name, value] : report.context) out["context"][name] = value;
  out["context"]["notes"] = report.notes;
  out["benchmarks"] = nlohmann::json::array();
  for (const MeasuredTable& table : report.tables) {
    for (const MeasuredRow& row : table.rows) {
      for (const Series& series : row.series) {
        for (std::size_t round = 0; round < series.seconds.size(); ++round) {
          const double seconds = series.seconds[round];
          nlohmann::ordered_json each{{"name", run_name(report, table, row, series)},
                                      {"run_name", run_name(report, table, row, series)},
                                      {"run_type", "iteration"},
                                      {"repetitions", series.seconds.size()},
                                      {"repetition_index", round},
                                      {"threads", row.threads},
                                      {"iterations", series.iterations},
                                      {"real_time", seconds * 1e9},
                                      {"cpu_time", seconds * 1e9},
                                      {"time_unit", "ns"},
                                      {"clock", row.clock == Clock::cpu ? "cpu" : "wall"}};
          if (row.bytes > 0) each["bytes_per_second"] = row.bytes / seconds;
          out["benchmarks"].push_back(std::move(each));
        }
      }
    }
  }
  out["targets"] = nlohmann::json::array();
  for (const Verdict& verdict : verdicts(report))
    out["targets"].push_back(
        {{"what", verdict.what}, {"found", verdict.found}, {"holds", verdict.holds}});
  return out.dump(1) + "\n";
}

}  // namespace ams::paired
