// The hosts-style discovery file (spec DOM-2: where there is no DNS). One domain a line, '#' starts
// a comment:
//
//   domain host port root_kid root_fp [pin=sha256]
//   a.example mail.a.example 7747 01234567-89ab-8def-8101-020304050607 <64 hex> pin=<64 hex>
//
// root_kid, root_fp: the domain's root key as published. pin: SHA-256 of the server's certificate
// (DER), which then replaces validation by name (spec WIR-2).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "keys/records.h"

namespace ams::net {

struct HostEntry {
  std::string domain;
  keys::Discovery found;
};

class Hosts {
 public:
  /// The error is `file:line: field: expected …, found …`. A domain may stand once.
  static tl::expected<Hosts, std::string> parse(std::string_view text, std::string_view file_name);
  static tl::expected<Hosts, std::string> load(const std::string& path);

  /// Null: the domain is not listed. The pointer lives as long as the object.
  const HostEntry* find(std::string_view domain) const;
  const std::map<std::string, HostEntry, std::less<>>& entries() const { return entries_; }

 private:
  std::map<std::string, HostEntry, std::less<>> entries_;
};

/// The line that parse() reads back, without a line end.
std::string to_line(const HostEntry& entry);

}  // namespace ams::net
