// MemoryStorage: the storage port in a std::map, for tests, demonstrations and the simulator.
//
// An undo log holds what a commit has not yet made durable, so that apply and commit cost what the
// batch costs, never what the store holds; an idle instance is a few hundred bytes.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "storage/storage.h"

namespace ams::store {

/// The disk faults that a MemoryStorage shows. All off by default.
struct MemoryFaults {
  bool fail_next_commit =
      false;  // one shot: commit() undoes everything since the last and resets it
  std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max();  // keys + values held
  std::optional<storage::Table> unreadable = {};  // get() and scan() of it fail
};

class MemoryStorage final : public storage::Storage {
 public:
  explicit MemoryStorage(MemoryFaults faults = {}) : faults_(faults) {}

  Result<std::optional<Bytes>> get(storage::Table table, ByteView key) const override;
  Result<> scan(storage::Table table, ByteView prefix, ByteView from,
                const std::function<bool(ByteView, ByteView)>& visit) const override;
  /// Fails with `storage` when the batch would take the store above bytes_max.
  Result<> apply(const storage::WriteBatch& batch) override;
  Result<> commit() override;

  /// What a power cut leaves: everything since the last durable commit is gone.
  void crash();
  /// May be changed at any time; takes effect with the next call.
  MemoryFaults& faults() { return faults_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  using Key = std::pair<storage::Table, Bytes>;
  using KeyView = std::pair<storage::Table, ByteView>;
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const;
  };
  struct Undo {
    Key key;
    std::optional<Bytes> old_value;  // empty: the key was not there
  };

  void put(storage::Table table, ByteView key, const Bytes& value);
  void erase(storage::Table table, ByteView key);
  void roll_back_to(std::size_t size);

  MemoryFaults faults_;
  std::map<Key, Bytes, Less> entries_;
  std::vector<Undo> undo_;  // since the last durable commit, oldest first
  std::size_t committed_size_ =
      0;  // undo_ up to here was reported as durable (0 unless a mutant lies)
  std::uint64_t bytes_ = 0;
  std::uint32_t commits_ = 0;  // counted under the mutant alone
};

}  // namespace ams::store
