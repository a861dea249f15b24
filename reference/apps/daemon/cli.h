// The command line of a daemon: amsd and ams-directory are this with their Program.
#pragma once

#include "daemon/program.h"

namespace ams::daemon {

/// Returns the exit code: 0 done, 1 failure, 2 wrong configuration or command line, 3 cannot
/// listen.
int run(const Program& program, int argc, char** argv);

}  // namespace ams::daemon
