// The command line of `ams`, in pieces: what all commands share, and a function for each group.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "ams_cli/commands.h"

namespace ams::cli {

inline constexpr const char* exits =
    "Exit codes: 0 done; 1 refused by the server or by a check; 2 bad arguments, files or "
    "settings;\n"
    "3 the server could not be reached: what was to be sent is kept and goes with the next sync.\n";

/// Where the commands leave their flags and their outcome; outlives the parsing.
struct Flags {
  Common common;
  int code = 0;
  void shared(CLI::App* command, const std::string& example) {
    command->add_option("--home", common.home, "folder of the account, ~/.ams unless given")
        ->envname("AMS_HOME");
    command->add_flag("-v,--verbose", common.verbose, "log what happens on standard error");
    command->footer("Example:\n  " + example + "\n\n" + exits);
  }
};

void add_keys_commands(CLI::App& app, Flags& flags);
void add_file_commands(CLI::App& app, Flags& flags);
void add_domain_commands(CLI::App& app, Flags& flags);

}  // namespace ams::cli
