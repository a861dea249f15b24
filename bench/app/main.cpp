// ams-bench: Google Benchmark over the rooms, each group beside what a user would pick instead.
// Exit codes: 0 all ran, 1 wrong flags, 2 a benchmark reported an error or none matched.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bench_app/commands.h"

namespace {

constexpr const char* help_text =
    R"(ams-bench measures AMS beside the libraries a user would pick instead.

usage: ams-bench [--list] [--filter REGEX] [--seconds S] [--out FILE.json]
       ams-bench crypto --out DIR          tables and a page: seal, open, sign … beside their limit
       ams-bench directory --out DIR       the same for the key directory, as it grows
       ams-bench resident FILE.db          bytes that a directory peer over that database takes
       ams-bench compare A.json B.json     what changed between two runs, and whether it is noise

  --list            names the benchmarks, one a line
  --filter REGEX    runs only those whose name matches
  --seconds S       time for each benchmark (default 0.5)
  --out FILE.json   also writes the results as JSON

example: what does the strict JSON codec cost?
  ams-bench --filter codec --seconds 1

Any flag of Google Benchmark (--benchmark_…) is taken as well.
)";

/// Our flag as Google Benchmark's own; empty when it is none of ours.
std::string own_flag(const std::string& flag, const std::string& value) {
  if (flag == "--filter") return "--benchmark_filter=" + value;
  if (flag == "--seconds") return "--benchmark_min_time=" + value;
  if (flag == "--out") return "--benchmark_out=" + value;
  return {};
}

/// Shows results as usual and remembers whether one reported an error.
class ErrorsSeen : public benchmark::ConsoleReporter {
 public:
  ErrorsSeen() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) any = any || run.error_occurred;
    ConsoleReporter::ReportRuns(runs);
  }
  bool any = false;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "crypto") return ams::bench::crypto_command(argc - 1, argv + 1);
  if (command == "directory") return ams::bench::directory_command(argc - 1, argv + 1);
  if (command == "resident") return ams::bench::resident_command(argc - 1, argv + 1);
  if (command == "compare") return ams::bench::compare_command(argc - 1, argv + 1);
  std::vector<std::string> flags{argv[0]};
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--help" || flag == "-h") return std::fputs(help_text, stdout) < 0;
    if (flag == "--list") {
      flags.push_back("--benchmark_list_tests=true");
    } else if (const auto own = own_flag(flag, i + 1 < argc ? argv[i + 1] : ""); !own.empty()) {
      if (++i >= argc)
        return std::fprintf(stderr, "ams-bench: %s needs a value\n", flag.c_str()), 1;
      flags.push_back(own);
    } else {
      flags.push_back(flag);
    }
  }
  std::vector<char*> pointers;
  for (std::string& flag : flags) pointers.push_back(flag.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 1;
  ErrorsSeen reporter;
  const std::size_t ran = benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return ran == 0 || reporter.any ? 2 : 0;
}
