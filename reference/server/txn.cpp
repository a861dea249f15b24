#include "server/txn.h"

#include <algorithm>

namespace ams::server {

std::optional<Bytes> Txn::get(Table table, ByteView key) {
  if (const auto own = writes_.find({table, to_bytes(key)}); own != writes_.end())
    return own->second;
  auto row = reader_->get(table, key);
  if (!row) {
    status_ = tl::unexpected<Error>(row.error());
    return std::nullopt;
  }
  return std::move(*row);
}

std::optional<wire::Value> Txn::get_value(Table table, ByteView key) {
  const auto row = get(table, key);
  if (!row) return std::nullopt;
  auto value = wire::decode(*row);
  if (!value) {
    status_ = fail(Code::storage, "row");
    return std::nullopt;
  }
  return std::move(*value);
}

std::uint64_t Txn::get_u64(Table table, ByteView key) {
  const auto row = get(table, key);
  return row && row->size() >= 8 ? read_u64(*row) : 0;
}

void Txn::put(Table table, Bytes key, Bytes value) {
  writes_.insert_or_assign({table, std::move(key)}, std::move(value));
}

void Txn::put_value(Table table, Bytes key, const wire::Value& value) {
  put(table, std::move(key), wire::encode(value));
}

void Txn::erase(Table table, Bytes key) {
  writes_.insert_or_assign({table, std::move(key)}, std::nullopt);
}

bool Txn::any(Table table, ByteView prefix) {
  const auto starts = [&](ByteView key) {
    return key.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), key.begin());
  };
  auto own = writes_.lower_bound({table, to_bytes(prefix)});
  for (; own != writes_.end() && own->first.first == table && starts(own->first.second); ++own)
    if (own->second) return true;
  bool found = false;
  const auto scanned = reader_->scan(table, prefix, prefix, [&](ByteView key, ByteView) {
    const auto over = writes_.find({table, to_bytes(key)});
    found = over == writes_.end() || over->second.has_value();
    return !found;
  });
  if (!scanned) status_ = scanned;
  return found;
}

void Txn::add(storage::WriteBatch batch) {
  for (auto& put_of : batch.puts) put(put_of.table, std::move(put_of.key), std::move(put_of.value));
  for (auto& erase_of : batch.erases) erase(erase_of.table, std::move(erase_of.key));
}

storage::WriteBatch Txn::take() {
  storage::WriteBatch batch;
  for (auto& [where, value] : writes_) {
    if (value)
      batch.puts.push_back({where.first, where.second, std::move(*value)});
    else
      batch.erases.push_back({where.first, where.second});
  }
  writes_.clear();
  return batch;
}

}  // namespace ams::server
