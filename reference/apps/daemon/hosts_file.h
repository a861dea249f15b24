// HostsFile: discovery from a hosts file that may change while the daemon runs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "keys/records.h"
#include "net/hosts.h"
#include "net/log.h"

namespace ams::daemon {

class HostsFile {
 public:
  /// The error names file, line and field.
  static tl::expected<HostsFile, std::string> load(const std::string& path);
  /// Reads the file again when it changed; one that is wrong or gone leaves the last good one in
  /// force and is logged.
  std::optional<keys::Discovery> find(const std::string& domain, net::Log& log);

 private:
  HostsFile(std::string path, net::Hosts hosts)
      : path_(std::move(path)), hosts_(std::move(hosts)) {}

  struct Stamp {
    std::filesystem::file_time_type changed;
    std::uintmax_t size = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  static Stamp stamp(const std::string& path);

  std::string path_;
  net::Hosts hosts_;
  Stamp stamp_;
};

}  // namespace ams::daemon
