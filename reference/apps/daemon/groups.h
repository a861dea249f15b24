// `group add`, `group remove`, `group list`: whom the mail to a group's address reaches (GRP-3).
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "daemon/act.h"

namespace ams::daemon {

/// Making a change again is no fault. The line to print.
tl::expected<std::string, Failure> change_group(const Program& program,
                                                const apps::ServerConfig& config,
                                                const server::GroupChange& change);
/// The members, one a line.
tl::expected<std::string, Failure> list_group(const apps::ServerConfig& config,
                                              const std::string& group);

/// Whether a line over the control socket is one of these; then its request, or the answer to give
/// at once.
bool is_group_request(std::string_view line);
tl::expected<ActRequest, std::string> read_group_request(const server::Options& options,
                                                         const storage::Reader& reader,
                                                         std::string_view line);

}  // namespace ams::daemon
