// What the commands of ams-sim share, whatever kind of scenario they run.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim_run/run.h"

namespace ams::sim {

struct Flags {
  std::string scenario, corpus, out, mutant;
  std::uint64_t seed = 0;
  bool seed_given = false;
  unsigned threads = 1;
  int runs = 2;
  bool quiet = false;
};

/// Ends the program with exit code 2.
[[noreturn]] void stop(const FileError& error);
RunOptions run_options(const Flags& flags, unsigned threads);
Costs measure(std::chrono::steady_clock::time_point start);
/// And how to replay the run, when one does not hold.
void print_invariants(const Flags& flags, std::uint64_t seed,
                      const std::vector<InvariantResult>& invariants);

/// Runs on 1 thread, then 2, 1, 2 …: names the first window and the domains in which a run differs.
int check_runs(const Flags& flags, const std::vector<std::string>& names,
               const std::function<EngineRun(const RunOptions&)>& run);

int run_directory_command(const Flags& flags);
int check_directory_command(const Flags& flags);

}  // namespace ams::sim
