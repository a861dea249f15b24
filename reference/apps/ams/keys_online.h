// `ams keys …` with the server: another key, the end of one, somebody's key.
#pragma once

#include <optional>
#include <string>

#include "ams_cli/commands.h"

namespace ams::cli {

struct KeysRotate {
  std::string profile = "modern";
  int days = 398;    // of life
  std::string file;  // a pair from a key file instead of a new one
  std::string passphrase_file;
};
int keys_rotate(const Common& common, const KeysRotate& args);

struct KeysRevoke {
  std::string key;     // id of one of the account's keys, or a file with a revocation
  std::string output;  // print the revocation into this file instead of publishing it
  bool sure = false;
};
int keys_revoke(const Common& common, const KeysRevoke& args);

struct KeysCard {
  std::optional<std::string> name, email, org, desc;
  bool erase = false;
};
/// What the owner says of itself beside the key in use, in place of all that it said before (CRD).
int keys_card(const Common& common, const KeysCard& args);

struct KeysRedirect {
  std::string type;  // alias, forward, group; key: back to the account's own
  std::vector<std::string> to;
};
int keys_redirect(const Common& common, const KeysRedirect& args);

int keys_lookup(const Common& common, const std::string& addr, bool json);

}  // namespace ams::cli
