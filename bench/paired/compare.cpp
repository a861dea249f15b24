#include "paired/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "paired/stats.h"

namespace ams::paired {
namespace {

struct Samples {
  std::string name;
  std::vector<double> ns;
};

double unit_ns(const std::string& unit) {
  if (unit == "ns") return 1;
  if (unit == "us") return 1e3;
  if (unit == "ms") return 1e6;
  if (unit == "s") return 1e9;
  throw std::runtime_error("time_unit " + unit);
}

std::vector<Samples> read(const std::string& text, const std::string& which) {
  std::vector<Samples> out;
  try {
    const auto whole = nlohmann::json::parse(text);
    for (const auto& run : whole.at("benchmarks")) {
      if (run.value("run_type", "iteration") != "iteration") continue;  // means and medians
      if (run.value("error_occurred", false)) continue;
      const std::string name = run.value("run_name", run.at("name").get<std::string>());
      auto found = std::find_if(out.begin(), out.end(),
                                [&](const Samples& each) { return each.name == name; });
      if (found == out.end()) found = out.insert(out.end(), {name, {}});
      found->ns.push_back(run.at("cpu_time").get<double>() * unit_ns(run.at("time_unit")));
    }
  } catch (const std::exception& error) {
    throw std::runtime_error(which + ": not Google Benchmark's JSON: " + error.what());
  }
  return out;
}

}  // namespace

Comparisons compare(const std::string& before_text, const std::string& after_text) {
  const auto before = read(before_text, "A"), after = read(after_text, "B");
  Comparisons out;
  for (const Samples& old : before) {
    const auto now = std::find_if(after.begin(), after.end(),
                                  [&](const Samples& each) { return each.name == old.name; });
    if (now == after.end()) {
      out.only_before.push_back(old.name);
      continue;
    }
    out.both.push_back({old.name, spread_of(old.ns).median, spread_of(now->ns).median,
                        mann_whitney_p(old.ns, now->ns)});
  }
  for (const Samples& now : after) {
    const bool known = std::any_of(before.begin(), before.end(),
                                   [&](const Samples& each) { return each.name == now.name; });
    if (!known) out.only_after.push_back(now.name);
  }
  return out;
}

std::string to_text(const Comparisons& comparisons) {
  std::size_t width = 9;
  for (const Comparison& each : comparisons.both) width = std::max(width, each.name.size());
  std::string out = fmt::format("{:<{}}  {:>12} {:>12} {:>8} {:>8}\n", "benchmark", width, "A [ns]",
                                "B [ns]", "change", "p");
  for (const Comparison& each : comparisons.both) {
    const char* verdict = !each.differs()                  ? "noise"
                          : each.after_ns < each.before_ns ? "faster"
                                                           : "slower";
    out += fmt::format("{:<{}}  {:>12.1f} {:>12.1f} {:>+7.1f}% {:>8.4f}  {}\n", each.name, width,
                       each.before_ns, each.after_ns, (each.after_ns / each.before_ns - 1) * 100,
                       each.p, verdict);
  }
  for (const std::string& name : comparisons.only_before) out += "only in A: " + name + "\n";
  for (const std::string& name : comparisons.only_after) out += "only in B: " + name + "\n";
  return out;
}

}  // namespace ams::paired
