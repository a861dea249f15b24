// A scenario file: its tables, each read once, and the first complaint about any of them.
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "sim_world/file_error.h"
#include "sim_world/table_reader.h"

namespace ams::sim {

/// Readers refer to it: it must not move while one lives.
class ScenarioFile {
 public:
  static tl::expected<ScenarioFile, FileError> load(const std::string& path);

  /// [name]: `read` gets a TableReader, of an empty table where the file has none.
  template <class Read>
  void table(std::string_view name, const Read& read) {
    known_ += (known_.empty() ? "[" : ", [") + std::string(name) + "]";
    names_.emplace_back(name);
    read_one(name, file_.get_as<toml::table>(name), read);
  }
  /// The same for each [[name]], in the file's order.
  template <class Read>
  void each(std::string_view name, const Read& read) {
    known_ += (known_.empty() ? "[[" : ", [[") + std::string(name) + "]]";
    names_.emplace_back(name);
    if (const toml::array* entries = file_.get_as<toml::array>(name))
      for (const toml::node& node : *entries) read_one(name, node.as_table(), read);
  }
  /// Last: complains of what nobody asked for. The first complaint, if there is one.
  const std::optional<FileError>& finish();

 private:
  template <class Read>
  void read_one(std::string_view name, const toml::table* table, const Read& read) {
    static const toml::table none;
    TableReader in(path_, table != nullptr ? *table : none, std::string(name), error_);
    read(in);
    in.finish();
  }

  ScenarioFile(std::string path, toml::table file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  toml::table file_;
  std::string known_;               // what was asked for, as a person writes it
  std::vector<std::string> names_;  // the same, bare
  std::optional<FileError> error_;
};

}  // namespace ams::sim
