// The commands of `ams`. Each gives the exit code (home.h) and speaks on standard output; what went
// wrong goes to standard error, one line each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ams::cli {

struct Common {
  std::string home;  // empty: ~/.ams
  bool verbose = false;
};
struct AccountAdd {
  std::string addr, hosts_file, ca_file, token;
  std::vector<std::string> name_servers;
  std::string profile = "modern";
  std::string recover;   // a key file to take the keys from
  std::string recovery;  // a key file to write
  std::string passphrase_file;
};
struct Send {
  std::vector<std::string> to, cc, bcc, attach;
  std::string subject;
};

struct AccountWitnesses {
  std::int64_t count = -1;        // -1: only says what is set
  std::vector<std::string> from;  // domains; empty: those that the server names
};

int account_add(const Common& common, const AccountAdd& args);
/// How many witnesses of other domains' binding logs are demanded (BLG-41).
int account_witnesses(const Common& common, const AccountWitnesses& args);
/// The text comes from standard input.
int send(const Common& common, const Send& args);
int sync(const Common& common);
/// Stored mail from shared keys that were rotated to their successors (RWP).
int rewrap_mailbox(const Common& common);
int list(const Common& common);
/// `save_folder` empty: attachments are named, not written.
int read(const Common& common, std::int64_t uid, const std::string& save_folder);

}  // namespace ams::cli
