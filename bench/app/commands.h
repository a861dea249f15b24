// Subcommands of ams-bench. Each takes the arguments after its name and gives the exit code.
#pragma once

namespace ams::bench {

int crypto_command(int argc, char** argv);
int directory_command(int argc, char** argv);
/// Bytes that a directory peer over a database takes, in a process of its own.
int resident_command(int argc, char** argv);
int compare_command(int argc, char** argv);

}  // namespace ams::bench
