#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "sim_run/report_json.h"
#include "sim_run/run.h"

namespace ams::sim {
namespace {

using nlohmann::json;

constexpr std::int64_t delay_edges_ms[] = {
    100,    200,     500,     1'000,     2'000,     5'000,      10'000,     30'000,
    60'000, 300'000, 900'000, 3'600'000, 7'200'000, 21'600'000, 43'200'000, 86'400'000};

std::int64_t percentile(const std::vector<std::int64_t>& ascending, std::size_t percent) {
  return ascending.empty()
             ? 0
             : ascending[std::min(ascending.size() - 1, ascending.size() * percent / 100)];
}

json summary(const RunResult& result, const Costs& costs) {
  const Scenario& s = result.world->scenario;
  const Totals& totals = result.judgement.totals;
  std::uint64_t crashes = 0, lies = 0;
  json failures = json::object();
  for (const Ledger& ledger : result.ledgers) {
    crashes += ledger.crashes;
    lies += ledger.lies;
    for (const auto& [what, count] : ledger.command_failures)
      failures[what] = failures.value(what, std::uint64_t{0}) + count;
  }
  const double virtual_seconds =
      static_cast<double>(s.total_time() / std::chrono::milliseconds{1}) / 1e3;
  return {{"schema", "ams-sim-summary/1"},
          {"scenario", s.name},
          {"seed", s.seed},
          {"domains", s.domains},
          {"users", s.users},
          {"written", totals.written},
          {"acknowledged", totals.acknowledged},
          {"refused", totals.refused},
          {"refusals", totals.refusals},
          {"undecided", totals.undecided},
          {"messages", totals.due},
          {"delivered", totals.delivered},
          {"failed", totals.failed},
          {"undetermined", totals.undetermined},
          {"delay_ms",
           {{"p50", percentile(totals.delays_ms, 50)},
            {"p90", percentile(totals.delays_ms, 90)},
            {"p99", percentile(totals.delays_ms, 99)},
            {"max", totals.delays_ms.empty() ? 0 : totals.delays_ms.back()}}},
          {"virtual_seconds", virtual_seconds},
          {"wall_seconds", costs.wall_seconds},
          {"events", result.events},
          {"events_per_second",
           costs.wall_seconds > 0 ? static_cast<double>(result.events) / costs.wall_seconds : 0.0},
          {"peak_rss_bytes", costs.peak_rss_bytes},
          {"trace_hash", to_text(result.hash)},
          {"command_failures", failures},
          {"invariants", to_json(result.judgement.invariants)},
          {"faults",
           {{"server crashes", crashes},
            {"partitions", s.partitions.size()},
            {"segments lost", result.net.lost},
            {"segments duplicated", result.net.duplicated},
            {"connections reset or timed out", result.net.resets},
            {"connections refused", result.net.refused},
            {"answers tampered with", lies}}},
          {"network",
           {{"connections", result.net.connects},
            {"segments", result.net.segments},
            {"bytes", result.net.bytes}}}};
}

json histogram(const std::vector<std::int64_t>& delays) {
  json out = json::array();
  auto from = delays.begin();
  for (const std::int64_t edge : delay_edges_ms) {
    const auto to = std::upper_bound(from, delays.end(), edge);
    out.push_back({{"le", edge}, {"count", to - from}});
    from = to;
  }
  out.push_back({{"le", nullptr}, {"count", delays.end() - from}});
  return out;
}

json queue(const RunResult& result) {
  std::map<Instant, std::uint64_t> depth;
  for (const Ledger& ledger : result.ledgers)
    for (const QueueSample& sample : ledger.queue) depth[sample.at] += sample.depth;
  json out = json::array();
  for (const auto& [at, total] : depth) out.push_back({{"t_s", seconds(at)}, {"depth", total}});
  return out;
}

json map_of(const RunResult& result) {
  json domains = json::array(), links = json::array(), side = json::array();
  for (const DomainInfo& domain : result.world->domains)
    domains.push_back({{"name", domain.name},
                       {"x", domain.x},
                       {"y", domain.y},
                       {"users", domain.users},
                       {"full_directory", domain.full_directory},
                       {"lies", domain.lies}});
  for (const auto& [pair, count] : result.judgement.flows)
    if (pair.first != pair.second)
      links.push_back({{"a", result.world->domains[pair.first].name},
                       {"b", result.world->domains[pair.second].name},
                       {"messages", count}});
  if (!result.world->scenario.partitions.empty())
    for (std::int64_t i = 0; i < result.world->scenario.partitions.front().domains; ++i)
      side.push_back(result.world->domains[static_cast<std::size_t>(i)].name);
  json out{{"domains", domains}, {"links", links}};
  if (!side.empty()) out["partition"] = {{"side", side}};
  return out;
}

json timeline(const RunResult& result) {
  std::multimap<Instant, std::pair<std::string, std::string>> all;
  for (const PartitionSpec& spec : result.world->scenario.partitions) {
    const Instant from = world_start + std::chrono::hours{spec.from_hour};
    const std::string what = std::to_string(spec.domains) + " domains cut off from the others";
    all.emplace(from, std::pair{"partition", what});
    all.emplace(from + std::chrono::hours{spec.hours}, std::pair{"heal", what});
  }
  for (const Ledger& ledger : result.ledgers)
    for (const Happening& happening : ledger.happenings)
      all.emplace(happening.at, std::pair{happening.kind, happening.what});
  json out = json::array();
  for (const auto& [at, happening] : all)
    out.push_back({{"t_s", seconds(at)}, {"kind", happening.first}, {"what", happening.second}});
  return out;
}

}  // namespace

tl::expected<void, FileError> write_report(const RunResult& result, const Costs& costs,
                                           const std::string& dir) {
  const json metrics{{"schema", "ams-sim-metrics/1"},
                     {"delay_ms_histogram", histogram(result.judgement.totals.delays_ms)},
                     {"queue", queue(result)},
                     {"map", map_of(result)},
                     {"timeline", timeline(result)}};
  return write_files(dir, {{"summary.json", summary(result, costs).dump(1) + "\n"},
                           {"metrics.json", metrics.dump(1) + "\n"}});
}

}  // namespace ams::sim
