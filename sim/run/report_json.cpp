#include "sim_run/report_json.h"

#include <filesystem>
#include <fstream>

#include "sim_world/internet.h"

namespace ams::sim {

using nlohmann::json;

double seconds(Instant at) {
  return static_cast<double>((at - world_start) / std::chrono::milliseconds{1}) / 1e3;
}

json to_json(const std::vector<InvariantResult>& invariants) {
  json out = json::array();
  for (const InvariantResult& one : invariants) {
    json examples = json::array();
    for (const Violation& violation : one.violations)
      examples.push_back({{"t_s", seconds(violation.at)}, {"what", violation.what}});
    out.push_back({{"name", one.name},
                   {"checked", one.checked},
                   {"violations", one.violated},
                   {"examples", examples}});
  }
  return out;
}

tl::expected<void, FileError> write_files(const std::string& dir,
                                          const std::vector<ReportFile>& files) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  bool good = !error;
  for (const ReportFile& file : files) {
    if (!good) break;
    std::ofstream out(dir + "/" + file.name);
    out << file.content;
    good = static_cast<bool>(out.flush());
  }
  if (!good) return tl::unexpected(FileError{dir + ": cannot be written"});
  return {};
}

}  // namespace ams::sim
