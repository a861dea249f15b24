#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sim_directory/run.h"
#include "sim_run/report_json.h"
#include "sim_world/internet.h"

namespace ams::sim {
namespace {

using nlohmann::json;

std::int64_t ms(Duration d) { return d / std::chrono::milliseconds{1}; }
json ms_or_null(const std::optional<Duration>& d) { return d ? json(ms(*d)) : json(nullptr); }
json seconds_or_null(const std::optional<Instant>& at) {
  return at ? json(seconds(*at)) : json(nullptr);
}

/// Of what was reached; nothing when something never was.
std::optional<std::int64_t> worst_ms(const std::vector<Reached>& reached,
                                     std::optional<Duration> Reached::*which) {
  std::int64_t worst = 0;
  for (const Reached& one : reached) {
    if (!(one.*which)) return std::nullopt;
    worst = std::max(worst, ms(*(one.*which)));
  }
  return worst;
}

std::string text(const std::optional<std::int64_t>& worst) {
  return worst ? std::to_string(*worst) + " ms" : "never";
}

std::map<std::string, std::uint64_t> sum(const DirectoryRun& run,
                                         std::map<std::string, std::uint64_t> PeerLedger::*which) {
  std::map<std::string, std::uint64_t> out;
  for (const PeerLedger& peer : run.peers)
    for (const auto& [name, count] : peer.*which) out[name] += count;
  return out;
}

std::uint64_t total(const DirectoryRun& run, std::uint64_t PeerLedger::*which) {
  std::uint64_t out = 0;
  for (const PeerLedger& peer : run.peers) out += peer.*which;
  return out;
}

json splits(const DirectoryRun& run) {
  json out = json::array();
  for (const Split& split : run.judgement.figures.splits) {
    const auto rounds = [&](const std::optional<Instant>& then) {
      const auto number = split.rounds_until(then, run.world->scenario.interval_s);
      return number ? json(*number) : json(nullptr);
    };
    out.push_back({{"peer", split.peer},
                   {"shown_to", split.to_clients ? "clients" : "half of the peers"},
                   {"two_faces_t_s", seconds_or_null(split.two_faces)},
                   {"noticed_t_s", seconds_or_null(split.noticed)},
                   {"noticed_by", split.noticed_by},
                   {"noticed_after_rounds", rounds(split.noticed)},
                   {"evicted_by_all_t_s", seconds_or_null(split.evicted)},
                   {"evicted_after_rounds", rounds(split.evicted)},
                   {"evicted_by", split.evicted_by},
                   {"proof_bytes", split.evidence.size()},
                   {"proof", split.evidence}});
  }
  return out;
}

/// Of learned peers; null where nobody learns.
json tables(const DirectoryRun& run) {
  const TablesFigures& t = run.judgement.figures.tables;
  if (t.samples.empty()) return nullptr;
  return {{"learned_min", run.world->scenario.targets.learned_min},
          {"learned_min_by_all_t_s", seconds_or_null(t.filled)},
          {"learned_least", t.least},
          {"learned_mean", t.mean},
          {"crowd_most", t.crowd_most},
          {"tables_with_one_of_a_crowd", t.crowd_tables}};
}

json summary(const DirectoryRun& run, const Costs& costs) {
  const DirectoryScenario& s = run.world->scenario;
  const DirectoryFigures& figures = run.judgement.figures;
  json healed = json::array();
  for (const auto& one : figures.healed) healed.push_back(ms_or_null(one));
  const auto most = worst_ms(figures.reached, &Reached::most);
  const auto all = worst_ms(figures.reached, &Reached::all);
  return {{"schema", "ams-sim-directory-summary/1"},
          {"scenario", s.name},
          {"seed", s.seed},
          {"peers", s.peers},
          {"virtual_seconds", s.seconds},
          {"wall_seconds", costs.wall_seconds},
          {"events", run.events},
          {"peak_rss_bytes", costs.peak_rss_bytes},
          {"trace_hash", to_text(run.hash)},
          {"healed_ms", healed},
          {"publications", figures.reached.size()},
          {"reach_permille", s.targets.reach_permille},
          {"reach_worst_ms", most ? json(*most) : json(nullptr)},
          {"reach_all_worst_ms", all ? json(*all) : json(nullptr)},
          {"splits", splits(run)},
          {"look_ups", figures.verdicts},
          {"tables", tables(run)},
          {"flood", sum(run, &PeerLedger::flood_answers)},
          {"refused", sum(run, &PeerLedger::refused)},
          {"asked", sum(run, &PeerLedger::asked_by_op)},
          {"unanswered", total(run, &PeerLedger::unanswered)},
          {"failed_on_purpose", total(run, &PeerLedger::failed_on_purpose)},
          {"invariants", to_json(run.judgement.invariants)},
          {"network",
           {{"connections", run.net.connects},
            {"segments", run.net.segments},
            {"bytes", run.net.bytes}}}};
}

json metrics(const DirectoryRun& run) {
  json agreement = json::array(), reached = json::array(), looks = json::array();
  for (const AgreementSample& sample : run.judgement.figures.agreement)
    agreement.push_back({{"t_s", seconds(sample.at)},
                         {"up", sample.up},
                         {"agreeing", sample.agreeing},
                         {"sets", sample.sets}});
  json learned = json::array();
  for (const TablesSample& sample : run.judgement.figures.tables.samples)
    learned.push_back({{"t_s", seconds(sample.at)},
                       {"least", sample.least},
                       {"mean", sample.mean},
                       {"crowd_most", sample.crowd}});
  for (const Reached& one : run.judgement.figures.reached) {
    const Publication& asked = run.world->publications[one.number];
    reached.push_back({{"t_s", seconds(asked.at)},
                       {"what", asked.what},
                       {"peer", run.world->names[asked.peer]},
                       {"most_ms", ms_or_null(one.most)},
                       {"all_ms", ms_or_null(one.all)}});
  }
  for (std::size_t client = 0; client < run.looks.size(); ++client)
    for (const Look& look : run.looks[client].looks) {
      json answers = json::array();
      for (const LookAnswer& answer : look.answers)
        answers.push_back({{"peer", answer.peer},
                           {"state", answer.state},
                           {"refused", answer.code},
                           {"where", answer.where}});
      looks.push_back({{"client", client},
                       {"t_s", seconds(look.at)},
                       {"verdict", look.verdict},
                       {"answers", answers}});
    }
  return {{"schema", "ams-sim-directory-metrics/1"},
          {"agreement", agreement},
          {"publications", reached},
          {"learned", learned},
          {"look_ups", looks}};
}

std::string counted(const std::map<std::string, std::uint64_t>& counts) {
  std::string out;
  for (const auto& [name, count] : counts)
    out += (out.empty() ? "" : ", ") + name + " " + std::to_string(count);
  return out;
}

}  // namespace

std::vector<std::string> figure_lines(const DirectoryRun& run) {
  const DirectoryScenario& s = run.world->scenario;
  const DirectoryFigures& figures = run.judgement.figures;
  std::vector<std::string> out;
  for (const auto& healed : figures.healed)
    out.push_back("cut healed, all of " + std::to_string(s.peers) + " peers agree after " +
                  text(healed ? std::optional(ms(*healed)) : std::nullopt));
  if (!figures.reached.empty())
    out.push_back(std::to_string(figures.reached.size()) + " publications; with " +
                  std::to_string(s.targets.reach_permille) + " of 1,000 peers after at most " +
                  text(worst_ms(figures.reached, &Reached::most)) + ", with all after at most " +
                  text(worst_ms(figures.reached, &Reached::all)));
  for (const Split& split : figures.splits) {
    const auto after = [&](const std::optional<Instant>& then) {
      const auto rounds = split.rounds_until(then, s.interval_s);
      return rounds ? std::to_string(*rounds) + " rounds" : std::string("never");
    };
    if (split.to_clients) {
      out.push_back(split.peer + " shows its clients a log of its own from " +
                    std::to_string(ms(split.from - world_start) / 1'000) + " s on");
      continue;
    }
    out.push_back(split.peer + " has two faces: noticed after " + after(split.noticed) +
                  (split.noticed ? " by " + split.noticed_by : "") + ", evicted by " +
                  (split.evicted ? "all after " + after(split.evicted)
                                 : std::to_string(split.evicted_by) + " honest peers") +
                  ", the proof has " + std::to_string(split.evidence.size()) + " bytes");
  }
  if (const TablesFigures& t = figures.tables; !t.samples.empty()) {
    char mean[16];
    std::snprintf(mean, sizeof mean, "%.1f", t.mean);
    out.push_back("learned peers in the end: " + std::string(mean) + " on average, at least " +
                  std::to_string(t.least) +
                  (t.filled ? "; all honest peers have " + std::to_string(s.targets.learned_min) +
                                  " or more since " +
                                  std::to_string(ms(*t.filled - world_start) / 1'000) + " s"
                            : ""));
    if (!s.crowds.empty())
      out.push_back("of the crowd at most " + std::to_string(t.crowd_most) +
                    " in one honest peer's table, ever; one or more in " +
                    std::to_string(t.crowd_tables) + " tables");
  }
  if (!figures.verdicts.empty()) out.push_back("look-ups: " + counted(figures.verdicts));
  if (const auto flood = sum(run, &PeerLedger::flood_answers); !flood.empty())
    out.push_back("flood: " + counted(flood));
  if (const auto refused = sum(run, &PeerLedger::refused); !refused.empty())
    out.push_back("refused: " + counted(refused));
  out.push_back("asked: " + counted(sum(run, &PeerLedger::asked_by_op)));
  return out;
}

tl::expected<void, FileError> write_directory_report(const DirectoryRun& run, const Costs& costs,
                                                     const std::string& dir) {
  std::vector<ReportFile> files{{"summary.json", summary(run, costs).dump(1) + "\n"},
                                {"metrics.json", metrics(run).dump(1) + "\n"},
                                {"report.html", directory_page(run)}};
  for (const Split& split : run.judgement.figures.splits)
    if (!split.evidence.empty()) files.push_back({"proof-" + split.peer + ".txt", split.evidence});
  return write_files(dir, files);
}

}  // namespace ams::sim
