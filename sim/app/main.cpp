// ams-sim: runs a simulated internet of AMS domains from a scenario file.
// Exit codes: 0 every invariant held; 1 one did not, or two runs differed; 2 bad input.
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "policy/mutant.h"
#include "sim_run/run.h"

namespace {

using namespace ams::sim;

struct Flags {
  std::string scenario, corpus, out, mutant;
  std::uint64_t seed = 0;
  bool seed_given = false;
  unsigned threads = 1;
  int runs = 2;
  bool quiet = false;
};

[[noreturn]] void stop(const FileError& error) {
  std::cerr << "ams-sim: " << error.text << "\n";
  std::exit(2);
}

std::shared_ptr<const Internet> prepare(const Flags& flags) {
  auto scenario = load_scenario(flags.scenario);
  if (!scenario) stop(scenario.error());
  if (flags.seed_given) scenario->seed = flags.seed;
  if (!flags.corpus.empty()) scenario->corpus = flags.corpus;
  auto corpus = load_corpus(scenario->corpus);
  if (!corpus) stop(corpus.error());
  return make_internet(std::move(*scenario), std::move(*corpus));
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

std::string replay_command(const Flags& flags, const Scenario& scenario) {
  return "ams-sim run " + flags.scenario + " --seed " + std::to_string(scenario.seed) +
         (flags.corpus.empty() ? "" : " --corpus " + flags.corpus) +
         (flags.mutant.empty() ? "" : " --mutant " + flags.mutant);
}

void print(const Flags& flags, const RunResult& result, const Costs& costs) {
  const Scenario& s = result.world->scenario;
  const Totals& t = result.judgement.totals;
  std::printf("%s, seed %llu: %lld domains, %lld users, %lld days\n", s.name.c_str(),
              static_cast<unsigned long long>(s.seed), static_cast<long long>(s.domains),
              static_cast<long long>(s.users), static_cast<long long>(s.days));
  std::printf(
      "  written %llu, acknowledged %llu, refused %llu; copies due %llu, delivered %llu, failed "
      "%llu, undetermined %llu\n",
      static_cast<unsigned long long>(t.written), static_cast<unsigned long long>(t.acknowledged),
      static_cast<unsigned long long>(t.refused), static_cast<unsigned long long>(t.due),
      static_cast<unsigned long long>(t.delivered), static_cast<unsigned long long>(t.failed),
      static_cast<unsigned long long>(t.undetermined));
  if (t.store_asks + t.begged > 0)
    std::printf(
        "  %llu copies to shared keys; key stores asked %llu times, and %llu times while they were "
        "down;\n  clients asked for private keys %llu times; %llu copies taken by a flip from who "
        "did not know the domain\n",
        static_cast<unsigned long long>(t.shared), static_cast<unsigned long long>(t.store_asks),
        static_cast<unsigned long long>(t.store_silent), static_cast<unsigned long long>(t.begged),
        static_cast<unsigned long long>(t.taken));
  for (const auto& [code, count] : t.refusals)
    std::printf("    refused with %s: %llu\n", code.c_str(),
                static_cast<unsigned long long>(count));
  std::printf("  %llu events in %.1f s, peak memory %.0f MiB, trace hash %s\n",
              static_cast<unsigned long long>(result.events), costs.wall_seconds,
              static_cast<double>(costs.peak_rss_bytes) / 1048576.0, to_text(result.hash).c_str());
  for (const Conviction& one : result.judgement.convictions)
    std::printf(
        "  %s handed out a wrong key for %s: found out at %.3f s; what shows it to anyone:\n"
        "    %s\n",
        one.domain.c_str(), one.addr.c_str(),
        static_cast<double>((one.at - world_start) / std::chrono::milliseconds{1}) / 1e3,
        ams::to_string(ams::wire::encode(one.lie)).c_str());
  for (const InvariantResult& one : result.judgement.invariants) {
    std::printf("  %s %s (%llu checks)\n", one.violated == 0 ? "holds   " : "VIOLATED",
                one.name.c_str(), static_cast<unsigned long long>(one.checked));
    for (std::size_t i = 0; i < one.violations.size() && i < 3; ++i)
      std::printf(
          "    at %.3f s: %s\n",
          static_cast<double>((one.violations[i].at - world_start) / std::chrono::milliseconds{1}) /
              1e3,
          one.violations[i].what.c_str());
  }
  if (!result.judgement.holds()) std::printf("  replay: %s\n", replay_command(flags, s).c_str());
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

int run_command(const Flags& flags) {
  const auto start = std::chrono::steady_clock::now();
  const auto world = prepare(flags);
  const RunResult result = run(world, run_options(flags, flags.threads));
  const Costs costs = measure(start);
  if (!flags.quiet && isatty(STDERR_FILENO)) std::fprintf(stderr, "\r%80s\r", "");
  print(flags, result, costs);
  if (!flags.out.empty()) {
    if (auto written = write_report(result, costs, flags.out); !written) stop(written.error());
    std::printf("  report: %s/summary.json, %s/metrics.json\n", flags.out.c_str(),
                flags.out.c_str());
  }
  return result.judgement.holds() ? 0 : 1;
}

/// Runs on 1 thread, then 2, 1, 2 …: names the first window and the domains in which a run differs.
int check_command(const Flags& flags) {
  const auto world = prepare(flags);
  std::optional<RunResult> first;
  for (int i = 0; i < flags.runs; ++i) {
    const unsigned threads = 1 + static_cast<unsigned>(i) % 2;
    RunOptions options = run_options(flags, threads);
    options.record_windows = true;
    RunResult result = run(world, options);
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
    for (std::size_t lp = 0; lp < first->domain_hashes.size(); ++lp)
      if (!(result.domain_hashes[lp] == first->domain_hashes[lp]))
        std::printf(" %s", world->domains[lp].name.c_str());
    std::printf("\n");
    return 1;
  }
  std::printf("%d runs agree: %llu events, %zu windows\n", flags.runs,
              static_cast<unsigned long long>(first->events), first->windows.size());
  return 0;
}

void add_common(CLI::App& app, Flags& flags) {
  app.add_option("SCENARIO", flags.scenario, "a TOML file, see sim/scenarios")->required();
  app.add_option("--corpus", flags.corpus, "mails to send, instead of the scenario's own");
  app.add_option("--seed", flags.seed, "instead of the scenario's own")
      ->each([&](const std::string&) { flags.seed_given = true; });
  app.add_flag("--quiet", flags.quiet, "no progress");
#ifdef AMS_SIM_MUTANTS
  app.add_option("--mutant", flags.mutant,
                 "plants a bug: a name of conformance/mutants/mutants.json");
#endif
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Runs the reference AMS server, client and directory as a simulated internet in virtual "
      "time.\n"
      "The same scenario and seed give the same run, bit for bit, on any number of threads.\n\n"
      "Example: ams-sim run sim/scenarios/first-light.toml --seed 7 --out out/first-light"};
  app.require_subcommand(1);
  Flags flags;
  CLI::App* run_app =
      app.add_subcommand("run", "run a scenario, judge the invariants, write a report");
  add_common(*run_app, flags);
  run_app->add_option("--threads", flags.threads, "worker threads; never change a result")
      ->check(CLI::Range(1, 64));
  run_app->add_option("--out", flags.out, "folder for summary.json and metrics.json");
  CLI::App* check_app = app.add_subcommand(
      "check", "run several times, on 1 and 2 threads by turns, and compare the trace hashes");
  add_common(*check_app, flags);
  check_app->add_option("--runs", flags.runs, "how many runs")->check(CLI::Range(2, 1000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
#ifdef AMS_SIM_MUTANTS
  ams::mutants::activate(flags.mutant);
#endif
  return run_app->parsed() ? run_command(flags) : check_command(flags);
}
