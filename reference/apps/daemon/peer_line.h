// PeerLine: a conversation with one directory peer for a command: connects as the configuration's
// domain, asks, waits. Blocking, for commands only; the daemon itself uses net/driver.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "apps/config.h"
#include "base/result.h"
#include "daemon/domain_keys.h"
#include "daemon/program.h"
#include "keys/records.h"
#include "wire/value.h"

namespace ams::daemon {

inline constexpr int exit_unreachable = 4;  // the other side did not answer

/// Whom a command asks, as its options say.
struct PeerSite {
  std::string domain;
  keys::Discovery found;
};
/// `peer`: a domain, or HOST:PORT as it stands in the hosts file. `hosts_file` empty: that of the
/// configuration. Fails with exit_bad_config.
tl::expected<PeerSite, Failure> find_peer(const apps::ServerConfig& config, const std::string& peer,
                                          const std::string& hosts_file);

class PeerLine {
 public:
  /// Connects, and authenticates both sides (SES-4, SES-5). Fails with exit_unreachable, or
  /// exit_bad_config when the configuration's own keys or certificates cannot be read.
  static tl::expected<std::unique_ptr<PeerLine>, Failure> open(const apps::ServerConfig& config,
                                                               const PeerSite& site);
  virtual ~PeerLine() = default;
  /// The answer, or the code that the peer gave. No answer in time ends the command: exit code
  /// exit_unreachable.
  virtual tl::expected<Result<wire::Value>, Failure> ask(std::string op, wire::Value args) = 0;
  virtual const keys::Chain& chain() const = 0;
};

}  // namespace ams::daemon
