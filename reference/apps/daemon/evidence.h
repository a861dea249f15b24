// `ams-directory audit`, `prove` and `verify`: is a peer's history honest, and evidence in files
// (spec DIR-13, DIR-22, EVD).
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "apps/config.h"
#include "daemon/program.h"

namespace ams::daemon {

struct AuditOptions {
  std::string peer, hosts_file;
  std::string keep_file;  // the checkpoint of the last audit; written when the peer was honest
  std::string out_file;   // where evidence of two faces goes
};
/// What was found, for people. Fails with exit_failure when the peer is not honest,
/// exit_unreachable, or exit_bad_config.
tl::expected<std::string, Failure> audit(const apps::ServerConfig& config,
                                         const AuditOptions& options);

struct ProveOptions {
  std::string kid, peer, hosts_file, out_file;
  std::vector<std::string> witnesses;  // domains that the hosts file lists
};
/// Writes the file only when what the peer answered holds; fails like audit.
tl::expected<std::string, Failure> prove(const apps::ServerConfig& config,
                                         const ProveOptions& options);

struct VerifyOptions {
  std::string file;
  std::string hosts_file, root_fp;  // whom to believe; both empty: whatever root the file names
  int quorum = 0;
  double age_max_h = 0;  // of the epoch, in hours; 0: any
};
/// Needs no network and no configuration. Fails with exit_failure when the evidence does not hold,
/// exit_bad_config when the file or an option cannot be read.
tl::expected<std::string, Failure> verify(const VerifyOptions& options);

}  // namespace ams::daemon
