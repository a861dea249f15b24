// A run's results as files: Google Benchmark's JSON, so that its tools and ours can read it, and a
// page and a text for people.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "paired/measure.h"
#include "paired/stats.h"

namespace ams::paired {

struct Report {
  std::string name;  // of the command: what the names in the JSON begin with
  std::string title;
  std::vector<std::pair<std::string, std::string>> context;  // machine, versions, load
  std::vector<std::string> notes;                            // absent peers, how to read it
  std::vector<MeasuredTable> tables;
};

std::string to_json(const Report& report);
std::string to_markdown(const Report& report);
std::string to_html(const Report& report);

// --- what both texts say -------------------------------------------------------------------------
/// How many times as fast as `base` the series is: quartiles of the ratios turn by turn.
Spread speed_ratio(const Series& series, const Series& base);
/// How the time grows with x, over the rows that stand on the axis; none for fewer than three.
std::optional<double> growth(const MeasuredTable& table, const std::string& contestant);
/// "5.4 k/s" or "2.6 GB/s".
std::string rate_text(const MeasuredRow& row, double seconds);
std::string x_text(const MeasuredTable& table, const MeasuredRow& row);
/// All contestants, in the order in which they first appear.
std::vector<std::string> contestants_of(const MeasuredTable& table);

struct Verdict {
  std::string what, found;
  bool holds = false;
};
/// One for each target whose row and contestants were measured.
std::vector<Verdict> verdicts(const Report& report);

}  // namespace ams::paired
