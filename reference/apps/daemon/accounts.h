// `account add`: through the running daemon, or into the store when none runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "daemon/domain_keys.h"
#include "daemon/program.h"
#include "storage/storage.h"

namespace ams::daemon {

/// Where the daemon listens for its operator.
std::string control_path(const apps::ServerConfig& config);
std::string store_path(const apps::ServerConfig& config);
/// What the server machine is given: the configuration with the keys in place.
server::Options server_options(const Program& program, const apps::ServerConfig& config,
                               const DomainKeys& keys);

/// Creates the account, or with `further` takes one that exists, and returns its enrolment token,
/// 64 hexadecimal digits. `token_hex` empty: a fresh one.
tl::expected<std::string, Failure> add_account(const Program& program,
                                               const apps::ServerConfig& config,
                                               const std::string& addr,
                                               const std::string& token_hex, bool further);

/// One request of add_account over the control socket: the rows to write, or the answer to give at
/// once.
struct AccountRequest {
  std::string addr;
  storage::WriteBatch rows;
};
tl::expected<AccountRequest, std::string> read_account_request(const server::Options& options,
                                                               const storage::Reader& reader,
                                                               std::string_view line, Instant now);
/// The line that answers it.
std::string account_answer(const Result<>& outcome);

}  // namespace ams::daemon
