// What an address is bound to, version by version (spec BLG-1 to BLG-6, BLG-11): entries, their
// labels and their values in the map.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "keys/records.h"
#include "wire/value.h"

namespace ams::bindlog {

inline constexpr std::int64_t version_max = 65'535;  // BLG-1
inline constexpr std::size_t version_bits = 16;
inline constexpr std::size_t targets_max = 100;  // addresses in `to`

enum class Type : std::uint8_t { key, alias, group, forward };
std::string_view name(Type type);

struct Entry {
  std::string addr;
  std::int64_t version = 1;
  std::int64_t at = 0;  // Unix ms, by its maker's clock
  Type type = Type::key;
  keys::KeyId key;  // the owner's; for type key also the one to seal to, unless there is enc
  keys::Custody custody = keys::Custody::client;
  keys::Policy policy = keys::Policy::isp;
  std::optional<keys::KeyId> enc;
  std::vector<std::string> to;
  std::optional<Hash> prev;
  std::optional<Bytes> sig;
  friend bool operator==(const Entry&, const Entry&) = default;
};

/// Fails with a code of ENC, address_syntax, schema (BLG-1 to BLG-3).
Result<Entry> parse_entry(const wire::Value& value);
/// Inverse of parse_entry.
wire::Value to_value(const Entry& entry);
/// The entry with the sig of `old_key`, which is that of the version before (BLG-3).
Result<Entry> endorse(Entry entry, const crypto::SigningKey& old_key);

/// BLG-6: the commitment that stands in the map.
Hash value_of(const Entry& entry, const Hash& r);

/// BLG-4. `before_value`: the value of `before`. Fails with history_gap, kid_mismatch, fp_mismatch,
/// unendorsed, key_expired, algorithm_mix, signature; in that order.
Result<> verify_endorsement(const Entry& entry, const Entry& before, const Hash& before_value,
                            const keys::KeyRecord& old_record);

/// BLG-5: the VRF's input, and the label that its hash gives.
Bytes label_input(std::string_view addr, std::int64_t version);
Id16 label_of(const Hash& beta);

/// BLG-11. `version` is 1 to version_max; ascending.
std::vector<std::int64_t> steps(std::int64_t version);
std::vector<std::int64_t> gaps(std::int64_t version);

}  // namespace ams::bindlog
