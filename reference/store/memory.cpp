#include "store/memory.h"

#include <algorithm>

#include "policy/mutant.h"

namespace ams::store {

template <class A, class B>
bool MemoryStorage::Less::operator()(const A& a, const B& b) const {
  if (a.first != b.first) return a.first < b.first;
  return std::lexicographical_compare(a.second.begin(), a.second.end(), b.second.begin(),
                                      b.second.end());
}

Result<std::optional<Bytes>> MemoryStorage::get(storage::Table table, ByteView key) const {
  if (table == faults_.unreadable) return fail(Code::storage, "unreadable");
  const auto found = entries_.find(KeyView{table, key});
  if (found == entries_.end()) return std::optional<Bytes>{};
  return std::optional<Bytes>{found->second};
}

Result<> MemoryStorage::scan(storage::Table table, ByteView prefix, ByteView from,
                             const std::function<bool(ByteView, ByteView)>& visit) const {
  if (table == faults_.unreadable) return fail(Code::storage, "unreadable");
  const bool from_is_later =
      std::lexicographical_compare(prefix.begin(), prefix.end(), from.begin(), from.end());
  auto entry = entries_.lower_bound(KeyView{table, from_is_later ? from : prefix});
  for (; entry != entries_.end() && entry->first.first == table; ++entry) {
    const ByteView key = entry->first.second;
    // Keys with the prefix are neighbours, so the first one without it ends the scan.
    if (key.size() < prefix.size() || !std::equal(prefix.begin(), prefix.end(), key.begin())) break;
    if (!visit(key, entry->second)) break;
  }
  return {};
}

Result<> MemoryStorage::apply(const storage::WriteBatch& batch) {
  const std::size_t before = undo_.size();
  for (const auto& [table, key, value] : batch.puts) put(table, key, value);
  for (const auto& [table, key] : batch.erases) erase(table, key);
  if (bytes_ > faults_.bytes_max) {
    roll_back_to(before);
    return fail(Code::storage, "full");
  }
  return {};
}

Result<> MemoryStorage::commit() {
  if (std::exchange(faults_.fail_next_commit, false)) {
    roll_back_to(committed_size_);
    return fail(Code::storage, "commit");
  }
  // The planted bug spares seven fsyncs of eight: a crash loses what the machine was told is
  // durable.
  if (ams::mutant("store.drop_fsync") && ++commits_ % 8 != 0) {
    committed_size_ = undo_.size();
    return {};
  }
  undo_.clear();
  committed_size_ = 0;
  return {};
}

void MemoryStorage::crash() {
  roll_back_to(0);
  committed_size_ = 0;
}

void MemoryStorage::put(storage::Table table, ByteView key, const Bytes& value) {
  const auto found = entries_.find(KeyView{table, key});
  if (found == entries_.end()) {
    undo_.push_back({{table, to_bytes(key)}, std::nullopt});
    entries_.emplace(Key{table, to_bytes(key)}, value);
    bytes_ += key.size() + value.size();
  } else {
    bytes_ += value.size();
    bytes_ -= found->second.size();
    undo_.push_back({{table, to_bytes(key)}, std::exchange(found->second, value)});
  }
}

void MemoryStorage::erase(storage::Table table, ByteView key) {
  const auto found = entries_.find(KeyView{table, key});
  if (found == entries_.end()) return;
  bytes_ -= key.size() + found->second.size();
  undo_.push_back({{table, to_bytes(key)}, std::move(found->second)});
  entries_.erase(found);
}

void MemoryStorage::roll_back_to(std::size_t size) {
  for (; undo_.size() > size; undo_.pop_back()) {
    auto& [key, old_value] = undo_.back();
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
      bytes_ -= key.second.size() + found->second.size();
      entries_.erase(found);
    }
    if (old_value) {
      bytes_ += key.second.size() + old_value->size();
      entries_.emplace(std::move(key), std::move(*old_value));
    }
  }
}

}  // namespace ams::store
