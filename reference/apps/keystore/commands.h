// The commands of `ams keystore`. Each gives the exit code (ams_cli/home.h) and speaks on standard
// output; what went wrong goes to standard error, one line each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "keystore_net/place.h"

namespace CLI {
class App;
}

namespace ams::keystore_cli {

struct Common {
  keystore_net::Place place;
  std::string home;  // the account's folder; empty: ~/.ams
};

struct Init {
  std::string domain, module, token;
};
int init(const Common& common, const Init& options);

/// One of the two files opens the store from now on, in the place of the one that `common` names.
int change_passphrase(const Common& common, const std::string& passphrase_file,
                      const std::string& key_file);

struct Serve {
  std::string listen = "127.0.0.1:7748";  // IP:port
  std::string ca_file, certificate_file, key_file;
};
int serve(const Common& common, const Serve& options);

struct Create {
  std::string addr, group, profile = "modern";
  int days = 365;
  bool exportable = false;
};
int create(const Common& common, const Create& options);
int rotate(const Common& common, const std::string& kid, int days);
int list_keys(const Common& common);
int list_members(const Common& common);

struct Grant {
  std::string addr;
  std::vector<std::string> devices;  // SK or SK,EK in base64url, as `ams keystore device` prints
  std::vector<std::string> groups, purposes{"decap", "sign"};
  bool admin = false;
  int days = 365;
};
int grant(const Common& common, const Grant& options);
int revoke(const Common& common, const std::string& addr);
/// The items of KST-11 as one AMS-CJ array on standard input; the answer's on standard output.
int rewrap(const Common& common, const std::string& from, const std::string& to);
int show_audit(const Common& common, std::int64_t from);
/// `head` is "SIZE:HEX" as an earlier call printed it, or empty.
int verify_audit(const Common& common, const std::string& head);

int show_device(const Common& common);
int use(const Common& common);

/// `ams keystore …` with its --help; `code` is set by what was called.
void add_commands(CLI::App& app, int& code);

}  // namespace ams::keystore_cli
