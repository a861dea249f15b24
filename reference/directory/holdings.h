// Holdings: the entries that a peer holds (spec DIR-8) as rows of storage, and the Merkle map over
// their values in memory. Writes are given out as rows; the map is ahead of storage until its host
// has applied them.
//
// Memory: the map, about 128 bytes a kid. A restart reads 48 bytes a kid and verifies nothing
// again: what storage holds was verified before it was written.
#pragma once

#include <map>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "keys/lineage.h"
#include "storage/storage.h"
#include "verifiable/map.h"
#include "wire/value.h"

namespace ams::directory {

inline constexpr storage::Table table_records{0x40};  // kid || fp -> AMS-CJ of the record
inline constexpr storage::Table table_lineage{0x42};  // kid || kind u8 || seq u8 || hash -> object
inline constexpr storage::Table table_values{0x43};   // kid -> value of the entry (DIR-8)
inline constexpr storage::Table table_dropped{0x51};  // kid -> hash of the card that is not kept

class Holdings {
 public:
  /// `reader` is borrowed.
  explicit Holdings(const storage::Reader& reader) : reader_(&reader) {}

  /// Read from storage when first needed: O(n).
  Result<const verifiable::Map*> map() const;
  /// What was verified before is verified again: the caller gets an object it can add to.
  Result<std::optional<keys::Entry>> entry(const Id16& kid) const;
  /// The objects of an entry as they lie in storage, in the order of Entry::objects; empty when
  /// nothing is held.
  Result<wire::Array> objects(const Id16& kid) const;

  /// Rows that make storage hold exactly `entry` under `kid`; whether its value is a new one.
  Result<bool> put(const Id16& kid, const keys::Entry& entry, storage::WriteBatch& writes);
  /// The card that is held under `kid` is dropped, for good (CRD-9). Fails with not_found where
  /// there is none, or an erasure.
  Result<> drop_card(const Id16& kid, storage::WriteBatch& writes);
  /// The host has applied all rows given out: objects are read from storage again.
  void settled() { unsettled_.clear(); }
  /// Rows were lost: what is remembered of storage is void.
  void forget();

 private:
  Result<bool> drops(const Id16& kid, const keys::Entry& entry) const;
  Result<bool> fills_stub(const Id16& kid, const keys::Entry& entry) const;
  Result<> erase_stale(const Id16& kid, const storage::WriteBatch& fresh,
                       storage::WriteBatch& writes) const;

  const storage::Reader* reader_;
  mutable std::optional<verifiable::Map> map_;
  std::map<Id16, keys::Entry> unsettled_;  // given out, perhaps not applied yet
};

}  // namespace ams::directory
