// `account add`: through the running daemon, or into the store when none runs.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "daemon/act.h"

namespace ams::daemon {

/// Creates the account, or with `further` takes one that exists, and returns its enrolment token,
/// 64 hexadecimal digits. `token_hex` empty: a fresh one.
tl::expected<std::string, Failure> add_account(const Program& program,
                                               const apps::ServerConfig& config,
                                               const std::string& addr,
                                               const std::string& token_hex, bool further);

/// One request of add_account over the control socket, or the answer to give at once.
tl::expected<ActRequest, std::string> read_account_request(const server::Options& options,
                                                           const storage::Reader& reader,
                                                           std::string_view line, Instant now);
}  // namespace ams::daemon
