#pragma once

#include <string>

namespace ams::sim {

/// What is wrong with a file, for a person: "file:line: field: what was expected".
struct FileError {
  std::string text;
};

}  // namespace ams::sim
