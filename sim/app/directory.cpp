// Scenarios of directory peers alone (sim/directory).
#include <unistd.h>

#include <cstdio>

#include "commands.h"
#include "sim_directory/run.h"

namespace ams::sim {
namespace {

std::shared_ptr<const DirectoryWorld> prepare(const Flags& flags) {
  auto scenario = load_directory_scenario(flags.scenario);
  if (!scenario) stop(scenario.error());
  if (flags.seed_given) scenario->seed = flags.seed;
  return make_directory_world(std::move(*scenario));
}

}  // namespace

int run_directory_command(const Flags& flags) {
  const auto start = std::chrono::steady_clock::now();
  const auto world = prepare(flags);
  const DirectoryRun result = run_directory(world, run_options(flags, flags.threads));
  const Costs costs = measure(start);
  if (!flags.quiet && isatty(STDERR_FILENO)) std::fprintf(stderr, "\r%80s\r", "");
  const DirectoryScenario& s = world->scenario;
  std::printf("%s, seed %llu: %lld directory peers, rounds of %lld s, %lld s\n", s.name.c_str(),
              static_cast<unsigned long long>(s.seed), static_cast<long long>(s.peers),
              static_cast<long long>(s.interval_s), static_cast<long long>(s.seconds));
  for (const std::string& line : figure_lines(result)) std::printf("  %s\n", line.c_str());
  std::printf("  %llu events in %.1f s, peak memory %.0f MiB, trace hash %s\n",
              static_cast<unsigned long long>(result.events), costs.wall_seconds,
              static_cast<double>(costs.peak_rss_bytes) / 1048576.0, to_text(result.hash).c_str());
  print_invariants(flags, s.seed, result.judgement.invariants);
  if (!flags.out.empty()) {
    if (auto written = write_directory_report(result, costs, flags.out); !written)
      stop(written.error());
    std::printf("  report: %s/report.html, %s/summary.json, %s/metrics.json\n", flags.out.c_str(),
                flags.out.c_str(), flags.out.c_str());
  }
  return result.judgement.holds() ? 0 : 1;
}

int check_directory_command(const Flags& flags) {
  const auto world = prepare(flags);
  std::vector<std::string> names = world->names;
  for (std::size_t i = 0; i < world->scenario.looks.size(); ++i)
    names.push_back("client " + std::to_string(i));
  return check_runs(flags, names, [&](const RunOptions& options) -> EngineRun {
    return run_directory(world, options);
  });
}

}  // namespace ams::sim
