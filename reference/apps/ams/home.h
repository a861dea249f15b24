// Home: the folder of one account on this device: settings, keys, outbox and mailbox in one SQLite
// file that nobody else may read (mode 0600). Private keys are in it unencrypted: back it up like a
// password.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "crypto/crypto.h"
#include "storage/storage.h"
#include "store/sqlite.h"

namespace ams::cli {

inline constexpr storage::Table table_settings{0x80};     // name -> text
inline constexpr storage::Table table_letters{0x81};      // uid -> letters.h
inline constexpr storage::Table table_attachments{0x82};  // uid || index -> bytes

// Exit codes of every command.
inline constexpr int exit_ok = 0;
inline constexpr int exit_refused = 1;      // the server or a check said no
inline constexpr int exit_bad_input = 2;    // arguments, files, settings
inline constexpr int exit_unreachable = 3;  // try again later; what was to be sent is kept

struct Settings {
  std::string addr;
  std::string hosts_file;                      // discovery, net/hosts.h; absolute; empty: by DNS
  std::string ca_file;                         // absolute; empty: the system's authorities
  std::vector<std::string> name_servers = {};  // for DNS; empty: the system's
  std::int64_t log_witnesses = 0;              // demanded (BLG-41)
  std::vector<std::string> witnesses = {};     // domains; empty: those that the server names
};

class Home {
 public:
  /// `folder` empty: ~/.ams. Errors are one line for the user.
  static tl::expected<Home, std::string> create(const std::string& folder,
                                                const Settings& settings);
  static tl::expected<Home, std::string> open(const std::string& folder);

  const Settings& settings() const { return settings_; }
  /// Durable when it returns.
  tl::expected<void, std::string> set_witnesses(std::int64_t count,
                                                const std::vector<std::string>& domains);
  const crypto::SigningKey& device() const { return *device_; }
  store::SqliteStorage& storage() { return *storage_; }
  const std::string& folder() const { return folder_; }

 private:
  Home() = default;
  tl::expected<void, std::string> open_storage(bool create);

  std::string folder_;
  Settings settings_;
  std::unique_ptr<store::SqliteStorage> storage_;
  std::unique_ptr<crypto::SigningKey> device_;
};

}  // namespace ams::cli
