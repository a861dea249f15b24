// `ams-directory publish`: objects from files to one directory peer, for instance the revocation of
// a key whose home is lost (spec DIR-1, REV-1). What the domain's quota does not cover is paid for
// with work (DIR-23).
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "apps/config.h"
#include "daemon/program.h"

namespace ams::daemon {

struct PublishOptions {
  std::string peer, hosts_file;
  std::vector<std::string> files;  // one object a line, AMS-CJ
  int work_bits_max = 26;          // about half a minute
};
/// A line for each object. Fails with exit_failure when any was refused (the text names all),
/// exit_unreachable, or exit_bad_config.
tl::expected<std::string, Failure> publish(const apps::ServerConfig& config,
                                           const PublishOptions& options);

}  // namespace ams::daemon
