// ams-bench directory: the tables of bench/directory.
#include <fmt/format.h>

#include "bench_app/commands.h"
#include "bench_app/tables_run.h"
#include "directory_bench/tables.h"

namespace ams::bench {
namespace {

Plan directory_plan(const Arguments& args, Folder& folder) {
  Plan out;
  out.tables = directory_bench::publish_tables(args.seconds, folder.path());
  for (paired::Table& table : directory_bench::look_up_tables())
    out.tables.push_back(std::move(table));
  for (paired::Table& table : directory_bench::state_tables(folder.path()))
    out.tables.push_back(std::move(table));
  if (wanted(args, "counts")) {
    fmt::print(stderr, "Memory, proofs and repairs at each size\n");
    out.context = directory_bench::counted(folder.path());
  }
  out.notes = {
      "Keys that nobody looks at are random bytes of the right length; what is published, looked "
      "up "
      "and verified is real. RSA keys come from a pool, each record with a nonce of its own.",
      "The time is that of the thread but where a table says otherwise; a figure is the median of "
      "the rounds, ± half the distance of the quartiles; a ratio is the median of the ratios round "
      "by round."};
  return out;
}

}  // namespace

int directory_command(int argc, char** argv) {
  return run_tables(
      {"directory", "The key directory, as it grows",
       "Measures a directory peer and its clients at 10^4 to 4·10^6 keys: publications beside "
       "their "
       "signatures, look-ups, restart, repair, memory, each with its fitted exponent.",
       "Example: what does publishing cost?\n  ams-bench directory --out out/directory --filter "
       "publish\n\nThe id `counts` stands for memory, proofs and messages. Needs about 3 GB of "
       "memory and 1 GB under the temporary folder.\nWrites directory.html, directory.md and "
       "directory.json.\nExit codes: 0 measured; 1 bad arguments; 2 an operation failed.",
       directory_plan},
      argc, argv);
}

int resident_command(int argc, char** argv) {
  if (argc != 2) return fmt::print(stderr, "usage: ams-bench resident FILE.db\n"), 1;
  try {
    fmt::print("{}\n", directory_bench::resident_bytes(argv[1]));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ams-bench: {}\n", error.what());
    return 2;
  }
}

}  // namespace ams::bench
