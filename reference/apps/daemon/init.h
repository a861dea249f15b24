// `init`: a folder from which a daemon can start.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "daemon/policy.h"
#include "daemon/program.h"

namespace ams::daemon {

struct InitOptions {
  std::string domain;
  std::string folder;
  std::string listen = "127.0.0.1:7747";   // HOST:PORT, an IPv6 host in brackets
  std::string host;                        // under which others reach it; empty: as hosts_line says
  std::string hosts_file;                  // empty: FOLDER/hosts, created
  bool dns = false;                        // found by DNS: no hosts file
  std::vector<std::string> name_servers;   // only with `dns`; empty: the system's
  std::string certificate_file, key_file;  // both or none; none: a certificate is made
  std::vector<std::string> directory_peers;
  PolicyOptions policy{.mode = "isp", .shared = {}, .groups = {}, .root_key_file = {}};
};

/// Writes configuration, keys and, unless given, certificates; never over existing files. Returns
/// the line that others put into their hosts file or, with `dns`, the records of the domain's zone.
tl::expected<std::string, Failure> init(const Program& program, const InitOptions& options);

/// The hosts line of a configured daemon. `host` empty: the listening address when it is one that
/// others can reach, else the domain's own name.
tl::expected<std::string, Failure> hosts_line(const apps::ServerConfig& config,
                                              const std::string& host);

/// The DNS records of a configured daemon as lines of a zone file (DOM-8, DOM-11). `host` empty:
/// the domain's own name.
tl::expected<std::string, Failure> dns_records(const apps::ServerConfig& config,
                                               const std::string& host);

}  // namespace ams::daemon
