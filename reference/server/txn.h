// Txn: one change of storage in the making. Reads see its own writes over what the reader holds;
// taken at the end as one batch. A read that fails sticks: ask status() before committing.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "server/tables.h"
#include "storage/storage.h"
#include "wire/value.h"

namespace ams::server {

class Txn {
 public:
  explicit Txn(const storage::Reader& reader) : reader_(&reader) {}

  std::optional<Bytes> get(Table table, ByteView key);
  /// The row as a value; empty when there is none. A row that does not decode counts as a failed
  /// read.
  std::optional<wire::Value> get_value(Table table, ByteView key);
  /// The first 8 bytes of the row as an integer, 0 when there is none.
  std::uint64_t get_u64(Table table, ByteView key);
  void put(Table table, Bytes key, Bytes value);
  void put_value(Table table, Bytes key, const wire::Value& value);
  void erase(Table table, Bytes key);
  /// True when a key with this prefix exists.
  bool any(Table table, ByteView prefix);
  /// Adds somebody else's writes.
  void add(storage::WriteBatch batch);

  const Result<>& status() const { return status_; }
  /// The batch; the Txn is then empty.
  storage::WriteBatch take();

 private:
  const storage::Reader* reader_;
  std::map<std::pair<Table, Bytes>, std::optional<Bytes>> writes_;  // empty: erased
  Result<> status_;
};

}  // namespace ams::server
