// ams-bench compare: what changed between two runs, and whether it is noise.
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>

#include "bench_app/commands.h"
#include "paired/compare.h"

namespace ams::bench {
namespace {

constexpr const char* help_text =
    R"(Compares two results in Google Benchmark's JSON, benchmark by benchmark (Mann–Whitney test,
p < 0.01).

usage: ams-bench compare A.json B.json

Both need repetitions: those of `ams-bench crypto` have them; for others add
--benchmark_repetitions=9. Exit codes: 0 compared, 2 a file is missing or is no such JSON.

example:
  ams-bench crypto --out before; (a change, a build); ams-bench crypto --out after
  ams-bench compare before/crypto.json after/crypto.json
)";

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(path + ": cannot be read");
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

int compare_command(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "--help" || first == "-h") return fmt::print("{}", help_text), 0;
  if (argc != 3) return fmt::print(stderr, "{}", help_text), 1;
  try {
    fmt::print("{}", paired::to_text(paired::compare(read_file(argv[1]), read_file(argv[2]))));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ams-bench: {}\n", error.what());
    return 2;
  }
}

}  // namespace ams::bench
