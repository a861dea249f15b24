// ams-bench crypto: the tables of bench/crypto as JSON, Markdown and one page.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>

#include "bench_app/commands.h"
#include "crypto_bench/tables.h"
#include "paired/report.h"

namespace ams::bench {
namespace {

namespace fs = std::filesystem;
using namespace crypto_bench;

struct Arguments {
  std::string out, filter;
  double seconds = 0.18;
  int rounds = 9;
};

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string load() {
  std::string out;
  std::ifstream("/proc/loadavg") >> out;
  return out;
}

std::vector<std::pair<std::string, std::string>> context_of(const Arguments& args,
                                                            const Commands& commands,
                                                            const std::string& load_before) {
  utsname system{};
  uname(&system);
  const std::time_t now = std::time(nullptr);
  const std::string rnp = rnp_version();
  std::vector<std::pair<std::string, std::string>> out{
      {"date", fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(now))},
      {"cpu", cpu_model()},
      {"cores", std::to_string(std::thread::hardware_concurrency())},
      {"system", fmt::format("{} {}", system.sysname, system.release)},
      {"compiler", __VERSION__},
      {"openssl", OpenSSL_version(OPENSSL_VERSION)},
      {"librnp", rnp.empty() ? "not built in" : rnp},
      {"load", fmt::format("{} before, {} after", load_before, load())},
      {"rounds", fmt::format("{}, in turns; {} s for each figure", args.rounds, args.seconds)}};
  for (const Command& command : commands.present)
    out.emplace_back("command " + command.name,
                     fmt::format("{}; {}", command.version, command.note));
  return out;
}

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

/// Removed when done.
struct Folder {
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "ams-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path = pattern;
  }
  ~Folder() {
    const std::string agent = "gpgconf --homedir '" + path + "/gpg' --kill gpg-agent";
    try {
      if (fs::exists(path + "/gpg")) run_program({"sh", "-c", agent}, {});
    } catch (const std::runtime_error&) {  // it ends by itself when its folder is gone
    }
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path;
};

std::vector<paired::Table> all_tables() {
  std::vector<paired::Table> out = letter_tables();
  for (auto* make : {stream_tables, algorithm_tables})
    for (paired::Table& table : make()) out.push_back(std::move(table));
  return out;
}

std::vector<paired::Table> chosen(const std::vector<paired::Table>& tables,
                                  const std::string& filter) {
  const std::regex pattern(filter);
  std::vector<paired::Table> out;
  for (const paired::Table& table : tables)
    if (std::regex_search(table.id, pattern)) out.push_back(table);
  return out;
}

paired::MeasuredTable measured(const paired::Table& table, const Arguments& args) {
  fmt::print(stderr, "{}\n", table.title);
  paired::MeasuredTable out{table.id,   table.title, table.question, table.axis,
                            table.base, {},          table.targets};
  const paired::Options options{args.rounds, args.seconds / args.rounds};
  for (const paired::Row& row : table.rows) {
    out.rows.push_back(paired::measure(row, options));
    std::string line = fmt::format("  {:<12}", paired::x_text(out, out.rows.back()));
    for (const paired::Series& series : out.rows.back().series)
      line +=
          fmt::format("  {} {}", series.name,
                      paired::rate_text(out.rows.back(), paired::spread_of(series.seconds).median));
    fmt::print(stderr, "{}\n", line);
  }
  return out;
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw std::runtime_error(path.string() + ": cannot be written");
}

int run(const Arguments& args) {
  fs::create_directories(args.out);
  const std::string load_before = load();
  const Folder folder;
  Commands commands;
  std::vector<paired::Table> tables = all_tables();
  const std::regex pattern(args.filter);
  if (std::regex_search("command_seal command_open", pattern)) {
    const fs::path self = fs::read_symlink("/proc/self/exe");
    commands = find_commands(folder.path, self.parent_path().string());
    for (paired::Table& table : command_tables(commands, folder.path))
      tables.push_back(std::move(table));
  }
  tables = chosen(tables, args.filter);
  if (tables.empty()) throw std::runtime_error("--filter matches no table");
  paired::Report report{"AMS cryptography, beside its primitives and its peers", {}, {}, {}};
  for (const paired::Table& table : tables) report.tables.push_back(measured(table, args));
  report.context = context_of(args, commands, load_before);
  report.notes = notes_of(commands);
  const fs::path out(args.out);
  write(out / "crypto.json", paired::to_json(report));
  write(out / "crypto.md", paired::to_markdown(report));
  write(out / "crypto.html", paired::to_html(report));
  for (const paired::Verdict& verdict : paired::verdicts(report))
    fmt::print("{:<6} {}: {}\n", verdict.holds ? "holds" : "FAILS", verdict.what, verdict.found);
  fmt::print("{}\n", (fs::absolute(out) / "crypto.html").string());
  return 0;
}

}  // namespace

int crypto_command(int argc, char** argv) {
  CLI::App app(
      "Measures the cryptography: each operation beside the primitives' own limit and "
      "what a user would pick instead, in turns, in one run.");
  app.footer(
      "Example: only letters, quickly\n  ams-bench crypto --out out/crypto --filter letter "
      "--seconds 0.05\n\nWrites crypto.html, crypto.md and crypto.json (Google Benchmark's "
      "form).\nExit codes: 0 measured; 1 bad arguments; 2 an operation failed.");
  Arguments args;
  app.add_option("--out", args.out, "folder of the results")->required();
  app.add_option("--filter", args.filter, "only tables whose id matches this regular expression");
  app.add_option("--seconds", args.seconds, "for each figure")
      ->check(CLI::Range(0.001, 60.0))
      ->capture_default_str();
  app.add_option("--rounds", args.rounds, "turns of A B C …")
      ->check(CLI::Range(3, 1000))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
    return run(args);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  } catch (const std::regex_error& error) {
    fmt::print(stderr, "ams-bench: --filter: {}\n", error.what());
    return 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ams-bench: {}\n", error.what());
    return 2;
  }
}

}  // namespace ams::bench
