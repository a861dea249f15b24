#include "sim_world/scenario_file.h"

#include <algorithm>

namespace ams::sim {

tl::expected<ScenarioFile, FileError> ScenarioFile::load(const std::string& path) {
  try {
    return ScenarioFile(path, toml::parse_file(path));
  } catch (const toml::parse_error& error) {
    return tl::unexpected(FileError{path + ":" + std::to_string(error.source().begin.line) + ": " +
                                    std::string(error.description())});
  }
}

const std::optional<FileError>& ScenarioFile::finish() {
  for (const auto& [key, node] : file_) {
    const bool found = std::find(names_.begin(), names_.end(), key.str()) != names_.end();
    if (!found && !error_)
      error_ = FileError{path_ + ":" + std::to_string(node.source().begin.line) + ": " +
                         std::string(key.str()) + ": expected one of " + known_};
  }
  return error_;
}

}  // namespace ams::sim
