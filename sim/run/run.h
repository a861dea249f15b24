// One run of a scenario: builds the internet, runs the engine, judges, and writes the report's
// files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim_checks/invariants.h"
#include "sim_engine/engine.h"
#include "sim_world/internet.h"

namespace ams::sim {

struct RunOptions {
  unsigned threads = 1;
  bool record_windows = false;  // for the determinism check
  /// Called now and then with virtual time reached and events handled.
  std::function<void(Duration reached, Duration total, std::uint64_t events)> progress;
};

struct RunResult {
  std::shared_ptr<const Internet> world;
  Judgement judgement;
  std::vector<Ledger> ledgers;  // by domain
  TraceHash hash;
  std::vector<TraceHash> domain_hashes;
  std::vector<WindowHash> windows;
  std::uint64_t events = 0;
  NetStats net;
};

/// Installs the RAND hook on its first call; single-threaded otherwise but for the engine's
/// workers.
RunResult run(std::shared_ptr<const Internet> world, const RunOptions& options);

struct Costs {
  double wall_seconds = 0;
  std::uint64_t peak_rss_bytes = 0;
};
/// DIR/summary.json, DIR/metrics.json: what tools/report reads. Fails with a text for a person.
tl::expected<void, FileError> write_report(const RunResult& result, const Costs& costs,
                                           const std::string& dir);
/// "00000000000004d2…": for people and for comparisons.
std::string to_text(const TraceHash& hash);

}  // namespace ams::sim
