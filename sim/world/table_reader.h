// Reads the tables of scenario files, with complaints for people.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim_world/file_error.h"

namespace ams::sim {

/// Reads the members of one table and keeps the first complaint.
class TableReader {
 public:
  TableReader(const std::string& path, const toml::table& table, std::string name,
              std::optional<FileError>& error)
      : path_(path), table_(table), name_(std::move(name)), error_(error) {}

  void integer(std::string_view field, std::int64_t& out, std::int64_t min, std::int64_t max) {
    seen_.push_back(std::string(field));
    const toml::node* node = table_.get(field);
    if (!node) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < min || *value > max)
      return complain(*node, field,
                      "an integer from " + std::to_string(min) + " to " + std::to_string(max));
    out = *value;
  }
  void text(std::string_view field, std::string& out) {
    seen_.push_back(std::string(field));
    const toml::node* node = table_.get(field);
    if (!node) return;
    const auto value = node->value_exact<std::string>();
    if (!value || value->empty()) return complain(*node, field, "a string");
    out = *value;
  }
  void one_of(std::string_view field, std::string& out,
              std::initializer_list<std::string_view> names) {
    seen_.push_back(std::string(field));
    const toml::node* node = table_.get(field);
    if (!node) return;
    const auto value = node->value_exact<std::string>();
    std::string expected;
    for (const std::string_view name : names) {
      if (value && *value == name) out = *value;
      expected += (expected.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    }
    if (!value || *value != out) complain(*node, field, "one of " + expected);
  }
  void finish() {
    for (const auto& [key, node] : table_) {
      bool known = false;
      for (const std::string& name : seen_) known |= name == key.str();
      if (!known && !node.is_table() && !node.is_array())
        complain(node, key.str(), "no such field; known here: " + joined());
    }
  }

 private:
  std::string joined() const {
    std::string out;
    for (const std::string& name : seen_) out += (out.empty() ? "" : ", ") + name;
    return out;
  }
  void complain(const toml::node& node, std::string_view field, const std::string& expected) {
    if (error_) return;
    error_ = FileError{path_ + ":" + std::to_string(node.source().begin.line) + ": " + name_ + "." +
                       std::string(field) + ": expected " + expected};
  }

  const std::string& path_;
  const toml::table& table_;
  std::string name_;
  std::optional<FileError>& error_;
  std::vector<std::string> seen_;
};

}  // namespace ams::sim
