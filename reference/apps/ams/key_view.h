// A key as people and programs see it: a line, a page, JSON, a QR code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "keys/lineage.h"
#include "keys/records.h"
#include "storage/storage.h"
#include "wire/value.h"

namespace ams::cli {

enum class Whose : std::uint8_t { in_use, next, former, others };

/// When somebody compared the key of an address, and whether it was this one.
struct Verified {
  std::int64_t at = 0;  // Unix ms
  bool this_key = false;
};
struct KeyView {
  keys::KeyRecord record;
  std::string addr;  // verified for this key, or empty
  Whose whose = Whose::others;
  std::optional<Verified> verified;
};

std::string line_of(const KeyView& view);
/// What its owner says of itself, as lines for people: nobody verified it (CRD-6). Empty for none.
std::string text_of(const keys::Card& card);
wire::Value json_of(const keys::Card& card);
std::string text_of(const KeyView& view);
wire::Value json_of(const KeyView& view);
std::string qr_of(const KeyView& view);

/// Durable when it returns; false: it cannot be written.
bool remember_verified(storage::Storage& storage, const std::string& addr, const keys::KeyId& key,
                       std::int64_t now_ms);
std::optional<Verified> verified_of(const storage::Reader& reader, const std::string& addr,
                                    const keys::KeyId& key);

}  // namespace ams::cli
