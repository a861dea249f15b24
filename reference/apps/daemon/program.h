// What amsd and ams-directory differ in, and what their parts share.
#pragma once

#include <string>

#include "apps/config.h"

namespace ams::daemon {

// Exit codes, documented in --help.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failure = 1;
inline constexpr int exit_bad_config = apps::exit_bad_config;  // 2: also a wrong command line
inline constexpr int exit_cannot_listen = 3;

struct Program {
  std::string name;         // "amsd"
  std::string description;  // the first lines of --help
  bool mail = true;         // false: a directory peer and nothing else
};

/// Why a command ends, for standard error, and its exit code.
struct Failure {
  int exit_code;
  std::string text;
};

}  // namespace ams::daemon
