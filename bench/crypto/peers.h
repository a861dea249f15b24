// What a user would pick instead. A peer that this machine or this build does not have is named,
// with how to get it, instead of being left out in silence.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "paired/measure.h"

namespace ams::crypto_bench {

enum class Direction : std::uint8_t { seal, open };

/// librnp (OpenPGP): sign and encrypt in memory, Ed25519 and Curve25519, its defaults uncompressed.
/// Empty optional: not built in.
std::optional<paired::Contestant> rnp(Direction direction, std::size_t size,
                                      std::size_t recipients);
std::string rnp_version();  // empty: not built in

/// OpenSSL's CMS: SignedData with SHA-256 in AuthEnvelopedData with AES-256-GCM, RSA-2048, DER.
paired::Contestant cms(Direction direction, std::size_t size, std::size_t recipients);

/// A program that seals and opens files, as a user calls it: one process for each file. Made in
/// `folder`, which it may fill.
struct Command {
  std::string name, version;
  std::string note;                               // what it does not do, compared with the others
  std::vector<std::string> seal_args, open_args;  // IN and OUT stand for the files' names
  std::vector<std::string> environment;
};
struct Commands {
  std::vector<Command> present;
  std::vector<std::string> absent;  // name and reason
};
/// `bin`: where ams and amsd are. Starts amsd for as long as an account is made.
Commands find_commands(const std::string& folder, const std::string& bin);
/// Runs the command on `size` bytes; the file that open_args need is made first.
paired::Contestant run_command(const Command& command, Direction direction,
                               const std::string& folder, std::size_t size);

/// Runs a program to its end, output to nowhere, and throws std::runtime_error unless it gives 0.
void run_program(const std::vector<std::string>& args, const std::vector<std::string>& environment);

}  // namespace ams::crypto_bench
