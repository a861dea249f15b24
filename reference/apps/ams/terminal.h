// What the commands share in speaking with their user: lines on standard error, progress on a
// terminal, a passphrase asked for without showing it.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "crypto/secret.h"

namespace ams::cli {

/// A line on standard error, after `ams: `. Gives `code` back.
int say(int code, const std::string& what);

/// What takes long says how far it is: one line that replaces itself, on a terminal only.
void progress(const std::string& what);
void end_progress();

inline constexpr std::size_t passphrase_size_min = 8;      // bytes
inline constexpr std::size_t passphrase_size_max = 1'024;  // bytes

enum class Passphrase : std::uint8_t { of_a_file_that_exists, new_one };
/// The first line of `file` (`-`: of standard input), or, when that is empty, what the user types
/// on the terminal, twice for a new one. Never from the command line or the environment, where
/// others see it. Errors are one line for the user: no terminal, too short for a new one.
tl::expected<crypto::Secret, std::string> read_passphrase(const std::string& file,
                                                          const std::string& prompt,
                                                          Passphrase kind);
/// Whether there is somebody to ask.
bool has_terminal();

/// `days` since the epoch and so on: 2027-03-01.
std::string date_of(std::int64_t unix_ms);
/// Now, Unix ms.
std::int64_t now_ms();

}  // namespace ams::cli
