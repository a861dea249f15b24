// Test vectors (vectors/README.md, vectors/schema.json) as the runner needs them.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ams::conform {

struct Vector {
  std::string id, op, comment, importance, twin;  // twin: empty without one
  nlohmann::json input;
  bool valid = false;
  nlohmann::json output;           // valid: what the ok must hold
  std::string phase;               // invalid: what it must be refused with
  std::vector<std::string> codes;  // one of these
  std::string check;               // invalid: what the second implementation refuses it at
  std::vector<std::string> flags, clauses;
  nlohmann::json note;  // of the first flag: bug_type, description, effect, clauses; or null
};

struct VectorFilter {
  std::string op, flag, id;  // empty: any
};

/// The folder that holds the vectors: `given`, or else vectors/ or share/ams/vectors beside or
/// above this program. Throws std::runtime_error when there is none.
std::filesystem::path vectors_folder(const std::string& given);

/// All vectors of all files below `folder`, files in the order of their names. Throws
/// std::runtime_error for a file that is none of vectors/schema.json.
std::vector<Vector> load_vectors(const std::filesystem::path& folder);

/// Those that match, and the twins they need; in the order of `all`.
std::vector<Vector> select_vectors(std::vector<Vector> all, const VectorFilter& filter);

}  // namespace ams::conform
