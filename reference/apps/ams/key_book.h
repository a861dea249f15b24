// KeyBook: the keys that this device knows without asking anybody: its own, those of addresses
// written to or heard from, and those in files.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "keys/records.h"
#include "storage/storage.h"

namespace ams::cli {

class KeyBook {
 public:
  /// `storage` is the account's and must outlive the book. Errors are one line for the user.
  static tl::expected<KeyBook, std::string> open(const storage::Reader& storage,
                                                 const std::string& own_addr);

  const keys::KeyPair& own() const { return *own_; }
  /// `who` is an address that this device knows, or a file with a key record as `ams keys
  /// export-record` prints it. The record lives as long as the book.
  tl::expected<const keys::KeyRecord*, std::string> find(const std::string& who);
  /// Null: not known.
  const keys::KeyRecord* find(const keys::KeyId& id);
  /// The address that was verified for this key, or the key's id for people.
  std::string name_of(const keys::KeyId& id) const;

 private:
  KeyBook() = default;
  const storage::Reader* storage_ = nullptr;
  std::string own_addr_;
  std::optional<keys::KeyPair> own_;
  std::deque<keys::KeyRecord> found_;
};

}  // namespace ams::cli
