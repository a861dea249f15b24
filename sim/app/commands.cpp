#include "commands.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "sim_world/internet.h"

namespace ams::sim {

void stop(const FileError& error) {
  std::cerr << "ams-sim: " << error.text << "\n";
  std::exit(2);
}

RunOptions run_options(const Flags& flags, unsigned threads) {
  RunOptions options;
  options.threads = threads;
  if (flags.quiet) return options;
  const bool terminal = isatty(STDERR_FILENO) != 0;  // elsewhere: a line every tenth of the way
  const auto start = std::chrono::steady_clock::now();
  options.progress = [start, terminal, tenths = std::int64_t{0}](
                         ams::Duration reached, ams::Duration total, std::uint64_t events) mutable {
    const std::int64_t tenth = reached / (total / 10);
    if (!terminal && tenth <= tenths) return;
    tenths = tenth;
    const double wall =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double part =
        std::max(1e-6, static_cast<double>(reached.count()) / static_cast<double>(total.count()));
    std::fprintf(stderr, "%s  day %.2f of %.2f  %3.0f %%  %.0f events/s  about %.0f s left   %s",
                 terminal ? "\r" : "",
                 static_cast<double>(reached / std::chrono::seconds{1}) / 86'400.0,
                 static_cast<double>(total / std::chrono::seconds{1}) / 86'400.0, part * 100,
                 static_cast<double>(events) / std::max(wall, 1e-6), wall / part - wall,
                 terminal ? "" : "\n");
  };
  return options;
}

std::string replay_command(const Flags& flags, std::uint64_t seed) {
  return "ams-sim run " + flags.scenario + " --seed " + std::to_string(seed) +
         (flags.corpus.empty() ? "" : " --corpus " + flags.corpus) +
         (flags.mutant.empty() ? "" : " --mutant " + flags.mutant);
}

void print_invariants(const Flags& flags, std::uint64_t seed,
                      const std::vector<InvariantResult>& invariants) {
  for (const InvariantResult& one : invariants) {
    std::printf("  %s %s (%llu checks)\n", one.violated == 0 ? "holds   " : "VIOLATED",
                one.name.c_str(), static_cast<unsigned long long>(one.checked));
    for (std::size_t i = 0; i < one.violations.size() && i < 3; ++i)
      std::printf(
          "    at %.3f s: %s\n",
          static_cast<double>((one.violations[i].at - world_start) / std::chrono::milliseconds{1}) /
              1e3,
          one.violations[i].what.c_str());
  }
  if (!all_hold(invariants)) std::printf("  replay: %s\n", replay_command(flags, seed).c_str());
}

Costs measure(std::chrono::steady_clock::time_point start) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  Costs costs;
  costs.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  costs.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  return costs;
}

int check_runs(const Flags& flags, const std::vector<std::string>& names,
               const std::function<EngineRun(const RunOptions&)>& run) {
  std::optional<EngineRun> first;
  for (int i = 0; i < flags.runs; ++i) {
    const unsigned threads = 1 + static_cast<unsigned>(i) % 2;
    RunOptions options = run_options(flags, threads);
    options.record_windows = true;
    EngineRun result = run(options);
    std::printf("run %d, %u thread%s: %s\n", i + 1, threads, threads == 1 ? "" : "s",
                to_text(result.hash).c_str());
    if (!first) {
      first = std::move(result);
      continue;
    }
    if (result.hash == first->hash && result.windows == first->windows) continue;
    std::size_t at = 0;
    while (at < result.windows.size() && at < first->windows.size() &&
           result.windows[at] == first->windows[at])
      ++at;
    std::printf("DIFFERS from run 1, first in window %zu", at);
    if (at < first->windows.size())
      std::printf(" at %.3f s", static_cast<double>((first->windows[at].start - world_start) /
                                                    std::chrono::milliseconds{1}) /
                                    1e3);
    std::printf(", in domains:");
    for (std::size_t lp = 0; lp < first->lp_hashes.size(); ++lp)
      if (!(result.lp_hashes[lp] == first->lp_hashes[lp])) std::printf(" %s", names[lp].c_str());
    std::printf("\n");
    return 1;
  }
  std::printf("%d runs agree: %llu events, %zu windows\n", flags.runs,
              static_cast<unsigned long long>(first->events), first->windows.size());
  return 0;
}

}  // namespace ams::sim
