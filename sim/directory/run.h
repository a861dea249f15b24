// One run of a directory scenario: builds the peers, runs the engine, judges, and writes the
// report.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim_directory/judge.h"
#include "sim_run/run.h"

namespace ams::sim {

struct DirectoryRun : EngineRun {
  std::shared_ptr<const DirectoryWorld> world;
  DirectoryJudgement judgement;
  std::vector<PeerLedger> peers;
  std::vector<LookLedger> looks;
  NetStats net;
};

DirectoryRun run_directory(std::shared_ptr<const DirectoryWorld> world, const RunOptions& options);

/// The figures for a person, a line each, without their indentation.
std::vector<std::string> figure_lines(const DirectoryRun& run);
/// DIR/summary.json, DIR/metrics.json, DIR/report.html and, where a peer was caught with two faces,
/// DIR/proof-<peer>.txt. Fails with a text for a person.
tl::expected<void, FileError> write_directory_report(const DirectoryRun& run, const Costs& costs,
                                                     const std::string& dir);
/// The page: one file, nothing from elsewhere.
std::string directory_page(const DirectoryRun& run);

}  // namespace ams::sim
