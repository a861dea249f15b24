// KeyBook: the keys that this device knows without asking anybody: its own, those of addresses
// written to or heard from, and those in files.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "ams_cli/key_view.h"
#include "client/tables.h"
#include "keyfile/keyfile.h"
#include "keys/records.h"
#include "storage/storage.h"

namespace ams::cli {

/// The key record in a file, as `ams keys export-record` prints it.
tl::expected<keys::KeyRecord, std::string> read_record(const std::string& path);

class KeyBook {
 public:
  /// `storage` is the account's and must outlive the book. Errors are one line for the user.
  static tl::expected<KeyBook, std::string> open(const storage::Reader& storage,
                                                 const std::string& own_addr);
  /// The keys of a key file, the first in use, and besides only those in files.
  static KeyBook of(keyfile::Contents contents);

  /// The pair in use.
  const keys::KeyPair& own() const { return *own_; }
  const std::string& own_addr() const { return own_addr_; }
  /// The one in use first.
  std::vector<const keys::KeyPair*> own_pairs() const;
  /// Null: not ours.
  const keys::KeyPair* own_pair(const keys::KeyId& id) const;
  /// `who` is an address that this device knows, the id of one of its keys, or a file with a key
  /// record. The record lives as long as the book.
  tl::expected<const keys::KeyRecord*, std::string> find(const std::string& who);
  /// Null: not known.
  const keys::KeyRecord* find(const keys::KeyId& id);
  /// The address that was verified for this key, or the key's id for people.
  std::string name_of(const keys::KeyId& id) const;

  KeyView view_of(const keys::KeyRecord& record) const;
  std::vector<KeyView> own_views() const;

 private:
  KeyBook() = default;
  Whose whose(const keys::KeyId& id) const;
  std::optional<std::string> addr_of(const keys::KeyId& id) const;
  const storage::Reader* storage_ = nullptr;  // null: of a key file
  std::string own_addr_;
  std::optional<keys::KeyPair> own_;
  std::deque<client::OtherPair> others_;
  std::deque<keys::KeyRecord> found_;
};

}  // namespace ams::cli
