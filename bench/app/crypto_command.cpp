// ams-bench crypto: the tables of bench/crypto.
#include <fmt/format.h>

#include <filesystem>

#include "bench_app/commands.h"
#include "bench_app/tables_run.h"
#include "crypto_bench/tables.h"

namespace ams::bench {
namespace {

using namespace crypto_bench;

std::vector<std::string> notes_of(const Commands& commands) {
  std::vector<std::string> out{
      "In process and on one thread the time is that of the thread, so that other programs' work "
      "does not count; threads and whole processes are measured by the wall clock.",
      "A figure is the median of the rounds; ± is half the distance of the quartiles. A ratio is "
      "the median of the ratios round by round, with their quartiles.",
      "The primitives' limit is the sum of what OpenSSL's EVP takes for the same signatures, key "
      "agreements, AEADs and hashes, with every key and context made before."};
  if (rnp_version().empty())
    out.push_back("absent: librnp (Debian package librnp-dev, tools/setup --bench)");
  for (const std::string& absent : commands.absent) out.push_back("absent: " + absent);
  return out;
}

/// gpg leaves an agent behind that would keep its folder from being removed.
void end_agent(const std::string& folder) {
  const std::string agent = "gpgconf --homedir '" + folder + "/gpg' --kill gpg-agent";
  try {
    if (std::filesystem::exists(folder + "/gpg")) run_program({"sh", "-c", agent}, {});
  } catch (const std::runtime_error&) {  // it ends by itself when its folder is gone
  }
}

Plan crypto_plan(const Arguments& args, Folder& folder) {
  Plan out;
  out.tables = letter_tables();
  for (auto* make : {stream_tables, algorithm_tables})
    for (paired::Table& table : make()) out.tables.push_back(std::move(table));
  Commands commands;
  if (wanted(args, "command_seal command_open")) {
    folder.at_end([path = folder.path()] { end_agent(path); });
    const auto self = std::filesystem::read_symlink("/proc/self/exe");
    commands = find_commands(folder.path(), self.parent_path().string());
    for (paired::Table& table : command_tables(commands, folder.path()))
      out.tables.push_back(std::move(table));
  }
  const std::string rnp = rnp_version();
  out.context.emplace_back("librnp", rnp.empty() ? "not built in" : rnp);
  for (const auto& command : commands.present)
    out.context.emplace_back("command " + command.name,
                             fmt::format("{}; {}", command.version, command.note));
  out.notes = notes_of(commands);
  return out;
}

}  // namespace

int crypto_command(int argc, char** argv) {
  return run_tables(
      {"crypto", "AMS cryptography, beside its primitives and its peers",
       "Measures the cryptography: each operation beside the primitives' own limit and what a user "
       "would pick instead, in turns, in one run.",
       "Example: only letters, quickly\n  ams-bench crypto --out out/crypto --filter letter "
       "--seconds 0.05\n\nWrites crypto.html, crypto.md and crypto.json (Google Benchmark's "
       "form).\nExit codes: 0 measured; 1 bad arguments; 2 an operation failed.",
       crypto_plan},
      argc, argv);
}

}  // namespace ams::bench
