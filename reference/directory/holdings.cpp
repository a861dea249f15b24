#include "directory/holdings.h"

#include <set>

#include "policy/mutant.h"

namespace ams::directory {
namespace {

// Kinds of rows in table_lineage, in the order in which an entry takes the objects in.
constexpr std::uint8_t kind_event = 1, kind_revocation = 2, kind_card = 3;

Bytes lineage_key(const Id16& kid, std::uint8_t kind, std::uint8_t seq, const Hash& hash) {
  Bytes key = to_bytes(ByteView(kid));
  key.push_back(kind);
  key.push_back(seq);
  append(key, hash);
  return key;
}

/// Every row of an entry but its value's.
storage::WriteBatch rows_of(const Id16& kid, const keys::Entry& entry) {
  storage::WriteBatch out;
  for (const keys::KeyRecord& record : entry.records()) {
    Bytes key = to_bytes(ByteView(kid));
    append(key, record.id().fp);
    out.puts.push_back({table_records, std::move(key), wire::encode(record.value())});
  }
  for (const keys::KeyEvent& event : entry.events())
    out.puts.push_back(
        {table_lineage,
         lineage_key(kid, kind_event, static_cast<std::uint8_t>(event.seq), event.hash),
         wire::encode(event.value)});
  if (entry.revocation())
    out.puts.push_back({table_lineage, lineage_key(kid, kind_revocation, 0, {}),
                        wire::encode(*entry.revocation())});
  if (entry.card())  // one row, whichever card it is: the old one and its salt are overwritten
    out.puts.push_back(
        {table_lineage, lineage_key(kid, kind_card, 0, {}), wire::encode(entry.card()->value)});
  return out;
}

}  // namespace

Result<const verifiable::Map*> Holdings::map() const {
  if (!map_) {
    std::vector<verifiable::Entry> entries;
    AMS_CHECK(reader_->scan(table_values, {}, {}, [&](ByteView key, ByteView value) {
      const auto kid = to_array<16>(key);
      const auto hash = to_array<32>(value);
      if (kid && hash) entries.push_back({*kid, *hash});
      return true;
    }));
    map_ = verifiable::Map::of(std::move(entries));
    for (const auto& [kid, entry] : unsettled_) map_->insert(kid, entry.value());
  }
  return &*map_;
}

Result<wire::Array> Holdings::objects(const Id16& kid) const {
  if (const auto at = unsettled_.find(kid); at != unsettled_.end()) return at->second.objects();
  wire::Array out;
  Result<> decoded;
  const auto take = [&](ByteView, ByteView value) {
    auto object = wire::decode(value);
    if (!object) decoded = fail(Code::storage, "directory: a row is no AMS-CJ");
    if (object) out.push_back(std::move(*object));
    return decoded.has_value();
  };
  AMS_CHECK(reader_->scan(table_records, kid, kid, take));
  if (!out.empty()) AMS_CHECK(reader_->scan(table_lineage, kid, kid, take));
  AMS_CHECK(decoded);
  return out;
}

Result<std::optional<keys::Entry>> Holdings::entry(const Id16& kid) const {
  if (const auto at = unsettled_.find(kid); at != unsettled_.end())
    return std::optional<keys::Entry>(at->second);
  AMS_TRY(const wire::Array held, objects(kid));
  std::optional<keys::Entry> out;
  for (const wire::Value& object : held) {
    const wire::Value* tag = object.find("ams");
    if (tag != nullptr && *tag == wire::Value("key/1")) {
      AMS_TRY(keys::KeyRecord record, keys::KeyRecord::parse(object));
      if (out) {
        out->add(std::move(record));
      } else {
        out.emplace(std::move(record));
      }
    } else if (!out || !out->add(object)) {
      return fail(Code::storage, "directory: an entry does not hold together");
    }
  }
  return out;
}

Result<> Holdings::erase_stale(const Id16& kid, const storage::WriteBatch& fresh,
                               storage::WriteBatch& writes) const {
  std::set<std::pair<storage::Table, Bytes>> kept;
  for (const storage::Put& row : fresh.puts) kept.emplace(row.table, row.key);
  for (const storage::Table table : {table_records, table_lineage})
    AMS_CHECK(reader_->scan(table, kid, kid, [&](ByteView key, ByteView) {
      if (!kept.contains({table, to_bytes(key)})) writes.erases.push_back({table, to_bytes(key)});
      return true;
    }));
  return {};
}

Result<bool> Holdings::put(const Id16& kid, const keys::Entry& entry, storage::WriteBatch& writes) {
  AMS_CHECK(map());
  const Hash value = entry.value();
  const auto held = map_->find(kid);
  if (held == value) return false;
  storage::WriteBatch fresh = rows_of(kid, entry);
  if (held) AMS_CHECK(erase_stale(kid, fresh, writes));
  for (storage::Put& row : fresh.puts) writes.puts.push_back(std::move(row));
  writes.puts.push_back({table_values, to_bytes(ByteView(kid)), to_bytes(ByteView(value))});
  if (!mutant("directory.stale_head")) map_->insert(kid, value);
  unsettled_.insert_or_assign(kid, entry);
  return true;
}

void Holdings::forget() {
  map_.reset();
  unsettled_.clear();
}

}  // namespace ams::directory
