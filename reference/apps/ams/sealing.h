// `ams seal` and `ams open`. They ask no server.
#pragma once

#include <string>
#include <vector>

#include "ams_cli/commands.h"

namespace ams::cli {

struct SealFiles {
  std::vector<std::string> files;  // `-`: standard input
  std::vector<std::string> to;     // addresses known here, or files with key records
  std::string output;              // empty: FILE.ams, or standard output for `-`
  std::string aead = "a256gcm";
  std::string keys;  // a key file instead of the account
  std::string passphrase_file;
  bool force = false;
};
/// The account's own key is always among the readers.
int seal_files(const Common& common, const SealFiles& args);

struct OpenFiles {
  std::vector<std::string> files;
  std::string from;    // address or file; empty: whoever this device knows
  std::string output;  // empty: FILE without .ams
  std::string keys;    // a key file instead of the account
  std::string passphrase_file;
  bool force = false;
  bool unverified_stream = false;
};
int open_files(const Common& common, const OpenFiles& args);

}  // namespace ams::cli
