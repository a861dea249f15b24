#include "vectors_run/command.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "vectors_run/check.h"
#include "vectors_run/run.h"

namespace ams::conform {

struct VectorsCommands::State {
  CLI::App *vectors = nullptr, *check = nullptr;
  std::string sut, role = "codec", folder, json, junit;
  VectorFilter filter;
  int silence_s = 30;
  bool all = false;
};

namespace {

constexpr int exit_nothing = 3;
constexpr int exit_adapter = 4;
constexpr std::size_t shown_of_a_flag = 3;

constexpr const char* vectors_footer = R"(Examples:
  ams-conform vectors --sut "./theirs --its --options"
  ams-conform vectors --sut ./theirs --op codec.decode --flag duplicate_member

Exit codes: 0 clean; 1 mismatch; 2 bad usage; 3 nothing ran (or, with --all, not every op);
4 the adapter died, fell silent or broke the protocol.)";

/// Whether it was written, or nobody wants it: an empty path.
bool write_text(const std::string& path, const std::string& text) {
  if (path.empty()) return true;
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (out.flush()) return true;
  std::cerr << "ams-conform: " << path << ": cannot be written\n";
  return false;
}

}  // namespace

VectorsCommands::VectorsCommands(CLI::App& app) : state_(std::make_unique<State>()) {
  State& to = *state_;
  to.vectors = app.add_subcommand("vectors", "runs the test vectors through a codec adapter");
  to.check = app.add_subcommand("adapter-check", "does a codec adapter speak the protocol?");
  for (CLI::App* command : {to.vectors, to.check}) {
    command->add_option("--sut", to.sut, "the adapter's command, for sh")->required();
    command->add_option("--vectors", to.folder, "folder of the vectors [beside this program]");
    command->add_option("--timeout", to.silence_s, "seconds of silence that end the run [30]")
        ->check(CLI::Range(1, 3600));
  }
  to.vectors->add_option("--role", to.role, "what is judged: codec [codec]")
      ->check(CLI::IsMember({"codec"}));
  to.vectors->add_option("--op", to.filter.op, "only vectors of this op");
  to.vectors->add_option("--flag", to.filter.flag, "only vectors of this flag, and their twins");
  to.vectors->add_option("--id", to.filter.id, "only this vector, and its twin");
  to.vectors->add_option("--json", to.json, "write the report as JSON");
  to.vectors->add_option("--junit", to.junit, "write the report as JUnit XML");
  to.vectors->add_flag("--all", to.all, "an op that the adapter does not declare fails the run");
  to.vectors->footer(vectors_footer);
}

VectorsCommands::~VectorsCommands() = default;

std::optional<int> VectorsCommands::run() const {
  const State& given = *state_;
  if (!*given.vectors && !*given.check) return std::nullopt;
  const std::chrono::seconds silence(given.silence_s);
  std::vector<Vector> vectors = load_vectors(vectors_folder(given.folder));
  if (*given.check) {
    const AdapterChecks checks = check_adapter(given.sut, silence, vectors);
    std::cout << adapter_console(checks);
    return adapter_exit_code(checks);
  }
  vectors = select_vectors(std::move(vectors), given.filter);
  if (vectors.empty()) {
    std::cerr << "ams-conform: no vector is chosen by that\n";
    return exit_nothing;
  }
  try {
    Sut sut(given.sut, silence);
    const VectorRun run = run_vectors(sut, vectors);
    const bool some = !given.filter.op.empty() || !given.filter.flag.empty();
    const bool show_all = some || !given.filter.id.empty();
    std::cout << vectors_console(vectors, run, show_all ? vectors.size() : shown_of_a_flag);
    const std::string report = vectors_json(given.sut, vectors, run).dump(1) + "\n";
    if (!write_text(given.json, report)) return exit_adapter;
    if (!write_text(given.junit, vectors_junit(vectors, run))) return exit_adapter;
    const int code = vectors_exit_code(run, given.all);
    if (code == exit_nothing) std::cerr << "nothing or too little ran\n";
    return code;
  } catch (const SutError& error) {
    std::cerr << "adapter: " << error.what() << "\n";
    return exit_adapter;
  }
}

}  // namespace ams::conform
