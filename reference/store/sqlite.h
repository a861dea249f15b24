// SqliteStorage: the storage port in one SQLite file, the embedded default of amsd.
//
// One table kv(t, k, v). apply() opens a transaction if none is open, commit() ends it: that is the
// group commit, one fsync for many batches. WAL, synchronous=FULL: what commit() reported survives
// a power cut (spec STO-1).
//
//   idle --apply--> open --commit--> idle
//                    | apply fails (disk full, I/O error): the transaction is rolled back
//                    v
//                   lost: reads show the last commit, apply fails, commit fails and leads to idle
//                         (spec STO-2: the whole group failed)
//
// The file is locked for this process alone: a second server on the same data is refused.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "storage/storage.h"

namespace ams::store {

struct SqliteOptions {
  std::uint32_t page_count_max = 0;  // pages of 4096 bytes, 0: no limit but the disk's
  std::string vfs;                   // a registered VFS by name, empty: the system's
};

class SqliteStorage final : public storage::Storage {
 public:
  /// Opens or creates. The error is one line for the operator: the path, what is wrong, what to do.
  static tl::expected<std::unique_ptr<SqliteStorage>, std::string> open(const std::string& path,
                                                                        SqliteOptions options = {});
  ~SqliteStorage() override;
  SqliteStorage(const SqliteStorage&) = delete;
  SqliteStorage& operator=(const SqliteStorage&) = delete;

  Result<std::optional<Bytes>> get(storage::Table table, ByteView key) const override;
  Result<> scan(storage::Table table, ByteView prefix, ByteView from,
                const std::function<bool(ByteView, ByteView)>& visit) const override;
  /// On failure the whole group is undone, and the next commit() reports it.
  Result<> apply(const storage::WriteBatch& batch) override;
  Result<> commit() override;

  /// SQLite's own words on the last failure, for the log.
  std::string last_message() const;

 private:
  struct State;
  explicit SqliteStorage(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace ams::store
