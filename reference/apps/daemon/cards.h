// `card drop`: the operator of a directory peer keeps somebody's personal data no longer (CRD-9).
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/bytes.h"
#include "daemon/act.h"

namespace ams::daemon {

/// The line to print. Fails with exit_bad_config for what is no kid, exit_failure where no card of
/// that key is held.
tl::expected<std::string, Failure> drop_card(const Program& program,
                                             const apps::ServerConfig& config,
                                             const std::string& kid);

/// Whether a line over the control socket is one of these; then its kid, or the answer to give.
bool is_card_request(std::string_view line);
tl::expected<Id16, std::string> read_card_request(std::string_view line);

}  // namespace ams::daemon
