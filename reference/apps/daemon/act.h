// What an operator does to a domain's data: through the running daemon, over its control socket, or
// into the store when none runs.
#pragma once

#include <functional>
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

/// Why nothing was done: refused with a registered code, or (code empty) as `failure` says.
struct ActFailure {
  std::string code;
  Failure failure;
};
using MakeRows =
    std::function<Result<storage::WriteBatch>(const server::Options&, const storage::Reader&)>;

/// Sends `request` to the daemon; where none runs, writes `rows` into the store itself.
tl::expected<void, ActFailure> act(const Program& program, const apps::ServerConfig& config,
                                   const wire::Value& request, const MakeRows& rows);
/// The daemon's answer; empty optional: none runs on this data.
std::optional<tl::expected<wire::Value, ActFailure>> ask_daemon(const std::string& path,
                                                                const wire::Value& request);

/// One request on the daemon's side: the rows to write, and what the log says of whom.
struct ActRequest {
  std::string event, addr;
  storage::WriteBatch rows;
};
/// A request or answer as it goes over the control socket.
std::string line_of(const wire::Value& value);
/// The line that answers it.
std::string act_answer(const Result<>& outcome);

}  // namespace ams::daemon
