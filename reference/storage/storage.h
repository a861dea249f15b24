// The storage port: what a state machine reads, and what it asks to be written.
//
// Reads are synchronous and see every batch already handed over, durable or not. Writes leave the
// machine as an effect (a WriteBatch); that they are durable comes back as an input. A machine
// acknowledges nothing to a peer before that input (spec STO-1). When a group commit fails, every
// batch of the group is undone and each of them is reported as failed (spec STO-2).
//
// Implementations: store/ (memory, SQLite), sim/disk (memory behind a simulated disk).
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace ams::storage {

/// Tables are small integers that a machine declares beside its code; keys sort as bytes.
enum class Table : std::uint8_t {};

struct Put {
  Table table;
  Bytes key;
  Bytes value;
};
struct Erase {
  Table table;
  Bytes key;
};

/// Applied whole or not at all, puts before erases in the order given.
struct WriteBatch {
  std::vector<Put> puts;
  std::vector<Erase> erases;
  bool empty() const { return puts.empty() && erases.empty(); }
};

class Reader {
 public:
  virtual ~Reader() = default;
  /// The value at key, or an empty optional. Fails with `storage` only.
  virtual Result<std::optional<Bytes>> get(Table table, ByteView key) const = 0;
  /// Calls `visit` for keys >= from that start with `prefix`, in byte order, until it returns
  /// false. `visit` must not write. The views are valid during the call only.
  virtual Result<> scan(Table table, ByteView prefix, ByteView from,
                        const std::function<bool(ByteView key, ByteView value)>& visit) const = 0;
};

/// What a driver uses to carry out a machine's write effects.
class Storage : public Reader {
 public:
  /// Makes the batch visible to reads; not yet durable. Fails with `storage`, leaving nothing of
  /// it; an implementation that had to undo the whole group with it fails the next commit() too.
  virtual Result<> apply(const WriteBatch& batch) = 0;
  /// Makes everything applied durable (group commit). On failure everything since the last
  /// successful commit is undone and the error is `storage`.
  virtual Result<> commit() = 0;
};

}  // namespace ams::storage
