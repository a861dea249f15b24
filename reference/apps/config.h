// The configuration of amsd (and ams-directory), one TOML file. A complete one:
//
//   domain = "a.example"
//   data_dir = "data"                 # paths are relative to this file's folder
//   hosts_file = "hosts"              # discovery; see net/hosts.h; may be absent with DNS
//   [listen]
//   host = "0.0.0.0"
//   port = 7747
//   [discovery]
//   resolver = "dns"                  # whom the hosts file does not list; "hosts": nobody else
//   name_servers = ["192.0.2.1:53"]   # absent: the system's
//   [tls]
//   certificate = "server.pem"
//   key = "server.key"
//   ca = "ca.pem"                     # whom to believe about other servers; absent: the system's
//   [admin]
//   port = 7750                       # status page and /metrics; absent: none
//   host = "127.0.0.1"                # an address of this machine that nobody else reaches
//   [directory]
//   peers = ["b.example"]
//   full = false                      # true: hold all keys, not only those looked up
//   exchange = false                  # true: learn more full peers from those (DIR-65)
//   quota = 100000                    # new objects a day from one publishing domain
//   work_bits = 22                    # work that buys one more (DIR-23); 0: nothing does
//   interval_s = 60                   # a full peer compares with one of its peers so often
//   requests_per_s = 200              # from one asking domain, in bursts of five times that
//   [limits]                          # all optional, defaults as in server/server.h
//   connections = 10000
//   [store]
//   bytes = 0                         # the store refuses mail beyond this size; 0: no limit
//   [log]
//   level = "info"
//   file = "amsd.log"                 # absent: standard error
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "net/log.h"
#include "server/server.h"

namespace ams::apps {

struct ServerConfig {
  /// Domain, limits, directory peers; the keys and the chain come from data_dir.
  server::Options server;
  std::string listen_host;
  std::uint16_t listen_port = 0;
  std::string admin_host;  // a loopback address
  std::optional<std::uint16_t> admin_port;
  std::string data_dir;
  std::uint32_t store_pages_max = 0;  // of 4096 bytes; 0: no limit
  std::string certificate_file, key_file;
  std::string ca_file;                    // empty: the system's authorities
  std::string hosts_file;                 // empty only with use_dns
  bool use_dns = false;                   // for domains that the hosts file does not list (DOM-15)
  std::vector<std::string> name_servers;  // empty: the system's
  net::LogLevel log_level = net::LogLevel::info;
  std::string log_file;  // empty: standard error
};

/// The port where amsd listens unless told otherwise.
inline constexpr std::uint16_t default_port = 7747;
/// Of amsd, ams and ams-directory: the configuration or another file of the user is wrong.
inline constexpr int exit_bad_config = 2;

/// The error has a line for each problem: file, line, field, what was expected, what was found.
tl::expected<ServerConfig, std::string> load_server_config(const std::string& path);
tl::expected<ServerConfig, std::string> parse_server_config(std::string_view text,
                                                            const std::string& path);

}  // namespace ams::apps
