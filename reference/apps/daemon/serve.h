// Serving: the server machine with its sockets, its store and its clock, until SIGTERM.
#pragma once

#include <tl/expected.hpp>

#include "daemon/program.h"

namespace ams::daemon {

/// Reads and checks everything that the configuration names, as `check-config` does.
tl::expected<void, Failure> check_config(const apps::ServerConfig& config);

/// Serves until SIGTERM or SIGINT, then drains. When it accepts connections it prints one line on
/// standard output: `ready NAME domain=D address=HOST:PORT pid=N`.
tl::expected<void, Failure> serve(const Program& program, const apps::ServerConfig& config);

}  // namespace ams::daemon
