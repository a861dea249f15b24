// What the reports of all runs write alike.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/instant.h"
#include "sim_checks/invariants.h"
#include "sim_world/file_error.h"

namespace ams::sim {

/// Since the start of the run.
double seconds(Instant at);
nlohmann::json to_json(const std::vector<InvariantResult>& invariants);
struct ReportFile {
  std::string name;
  std::string content;
};
/// Into the folder `dir`, which is made when missing. Fails with a text for a person.
tl::expected<void, FileError> write_files(const std::string& dir,
                                          const std::vector<ReportFile>& files);

}  // namespace ams::sim
