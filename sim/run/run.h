// One run of a scenario: builds the internet, runs the engine, judges, and writes the report's
// files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim_checks/invariants.h"
#include "sim_run/engine_run.h"
#include "sim_world/internet.h"

namespace ams::sim {

struct RunResult : EngineRun {
  std::shared_ptr<const Internet> world;
  Judgement judgement;
  std::vector<Ledger> ledgers;  // by domain
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

}  // namespace ams::sim
