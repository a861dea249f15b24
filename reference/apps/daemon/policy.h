// `amsd domain policy`: what the domain's record says of encryption (POL), and what it shall say.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "daemon/domain_keys.h"
#include "daemon/program.h"

namespace ams::daemon {

struct PolicyOptions {
  std::string mode;                 // isp, corporate or groups
  std::string shared;               // file of the domain's shared key's record
  std::vector<std::string> groups;  // NAME=FILE
  std::string root_key_file;
};

/// The mode and the files as they were given; files are not read.
tl::expected<PolicyChange, Failure> parse_change(const PolicyOptions& options);
/// Lines for a person: mode in force, since when, what comes and when, the shared keys.
tl::expected<std::string, Failure> show_policy(const apps::ServerConfig& config);
/// Writes the next record; the same lines of it.
tl::expected<std::string, Failure> set_policy(const apps::ServerConfig& config,
                                              const PolicyOptions& options);

}  // namespace ams::daemon
