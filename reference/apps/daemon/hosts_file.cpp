#include "daemon/hosts_file.h"

namespace ams::daemon {

HostsFile::Stamp HostsFile::stamp(const std::string& path) {
  std::error_code error;
  Stamp out;
  out.changed = std::filesystem::last_write_time(path, error);
  out.size = std::filesystem::file_size(path, error);
  return out;
}

tl::expected<HostsFile, std::string> HostsFile::load(const std::string& path) {
  const Stamp before = stamp(path);
  auto hosts = net::Hosts::load(path);
  if (!hosts) return tl::unexpected(hosts.error());
  HostsFile out(path, std::move(*hosts));
  out.stamp_ = before;
  return out;
}

std::optional<keys::Discovery> HostsFile::find(const std::string& domain, net::Log& log) {
  if (const Stamp now = stamp(path_); now != stamp_) {
    stamp_ = now;
    if (auto fresh = net::Hosts::load(path_)) {
      hosts_ = std::move(*fresh);
      log.info("hosts_read", {{"file", path_}, {"domains", hosts_.entries().size()}});
    } else {
      log.error("hosts_not_read", {{"why", fresh.error()}});
    }
  }
  const net::HostEntry* entry = hosts_.find(domain);
  if (entry == nullptr) return std::nullopt;
  return entry->found;
}

}  // namespace ams::daemon
