#include "bench_app/tables_run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>

namespace ams::bench {
namespace {

namespace fs = std::filesystem;

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

std::vector<std::pair<std::string, std::string>> machine(const Arguments& args,
                                                         const std::string& load_before) {
  utsname system{};
  uname(&system);
  const std::time_t now = std::time(nullptr);
  return {{"date", fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(now))},
          {"cpu", cpu_model()},
          {"cores", std::to_string(std::thread::hardware_concurrency())},
          {"system", fmt::format("{} {}", system.sysname, system.release)},
          {"compiler", __VERSION__},
          {"openssl", OpenSSL_version(OPENSSL_VERSION)},
          {"load", fmt::format("{} before, {} after", load_before, load())},
          {"rounds", fmt::format("{}, in turns; {} s for each figure", args.rounds, args.seconds)}};
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

int run(const Command& command, const Arguments& args) {
  const fs::path out(args.out);
  fs::create_directories(out);
  const std::string load_before = load();
  Folder folder;
  const Plan plan = command.plan(args, folder);
  paired::Report report{command.name, command.title, {}, plan.notes, {}};
  for (const paired::Table& table : plan.tables)
    if (wanted(args, table.id)) report.tables.push_back(measured(table, args));
  if (report.tables.empty()) throw std::runtime_error("--filter matches no table");
  report.context = machine(args, load_before);
  report.context.insert(report.context.end(), plan.context.begin(), plan.context.end());
  write(out / (command.name + ".json"), paired::to_json(report));
  write(out / (command.name + ".md"), paired::to_markdown(report));
  write(out / (command.name + ".html"), paired::to_html(report));
  for (const paired::Verdict& verdict : paired::verdicts(report))
    fmt::print("{:<6} {}: {}\n", verdict.holds ? "holds" : "FAILS", verdict.what, verdict.found);
  fmt::print("{}\n", (fs::absolute(out) / (command.name + ".html")).string());
  return 0;
}

}  // namespace

Folder::Folder() {
  path_ = (fs::temp_directory_path() / "ams-bench-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
}

Folder::~Folder() {
  if (end_) end_();
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

bool wanted(const Arguments& args, const std::string& table_id) {
  return std::regex_search(table_id, std::regex(args.filter));
}

int run_tables(const Command& command, int argc, char** argv) {
  CLI::App app(command.description);
  app.footer(command.footer);
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
    return run(command, args);
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
