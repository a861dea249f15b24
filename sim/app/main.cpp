// ams-sim: runs a simulated internet of AMS domains from a scenario file.
// Exit codes: 0 every invariant held; 1 one did not, or two runs differed; 2 bad input.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "commands.h"
#include "policy/mutant.h"
#include "sim_directory/scenario.h"

namespace {

using namespace ams::sim;

std::shared_ptr<const Internet> prepare(const Flags& flags) {
  auto scenario = load_scenario(flags.scenario);
  if (!scenario) stop(scenario.error());
  if (flags.seed_given) scenario->seed = flags.seed;
  if (!flags.corpus.empty()) scenario->corpus = flags.corpus;
  auto corpus = load_corpus(scenario->corpus);
  if (!corpus) stop(corpus.error());
  return make_internet(std::move(*scenario), std::move(*corpus));
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
  print_invariants(flags, s.seed, result.judgement.invariants);
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

int check_command(const Flags& flags) {
  const auto world = prepare(flags);
  std::vector<std::string> names;
  for (const DomainInfo& domain : world->domains) names.push_back(domain.name);
  return check_runs(flags, names,
                    [&](const RunOptions& options) -> EngineRun { return run(world, options); });
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
  run_app->add_option(
      "--out", flags.out,
      "folder for summary.json and metrics.json; of a directory scenario report.html, too");
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
  if (is_directory_scenario(flags.scenario))
    return run_app->parsed() ? run_directory_command(flags) : check_directory_command(flags);
  return run_app->parsed() ? run_command(flags) : check_command(flags);
}
