#include "directory/holdings.h"

#include <set>

#include "directory/objects.h"
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

/// Whether the entry has the very card that was dropped here: it does not come back.
Result<bool> Holdings::drops(const Id16& kid, const keys::Entry& entry) const {
  const auto& card = entry.card();
  if (!card || card->dropped || card->erased() || mutant("directory.card_comes_back")) return false;
  AMS_TRY(const auto row, reader_->get(table_dropped, kid));
  return row && *row == to_bytes(ByteView(card->hash));
}

/// Whether there is a card where only its stub is held. Precondition: the values are equal.
Result<bool> Holdings::fills_stub(const Id16& kid, const keys::Entry& entry) const {
  if (!entry.card() || entry.card()->dropped) return false;
  AMS_TRY(const wire::Array held, objects(kid));
  return !held.empty() && tag_of(held.back()) == "cardstub/1";
}

Result<> Holdings::drop_card(const Id16& kid, storage::WriteBatch& writes) {
  AMS_TRY(auto held, entry(kid));
  if (!held || !held->card() || held->card()->erased()) return fail(Code::not_found, "card");
  const Hash hash = held->card()->hash;
  writes.puts.push_back({table_dropped, to_bytes(ByteView(kid)), to_bytes(ByteView(hash))});
  held->drop_card();
  for (storage::Put& row : rows_of(kid, *held).puts) writes.puts.push_back(std::move(row));
  unsettled_.insert_or_assign(kid, std::move(*held));
  return {};
}

Result<bool> Holdings::put(const Id16& kid, const keys::Entry& given, storage::WriteBatch& writes) {
  AMS_CHECK(map());
  AMS_TRY(const bool dropped, drops(kid, given));
  std::optional<keys::Entry> without;
  if (dropped) without.emplace(given).drop_card();
  const keys::Entry& entry = without ? *without : given;
  const Hash value = entry.value();
  const auto held = map_->find(kid);
  if (held == value) {
    AMS_TRY(const bool fills, fills_stub(kid, entry));
    if (!fills) return false;
  }
  storage::WriteBatch fresh = rows_of(kid, entry);
  if (held) AMS_CHECK(erase_stale(kid, fresh, writes));
  for (storage::Put& row : fresh.puts) writes.puts.push_back(std::move(row));
  writes.puts.push_back({table_values, to_bytes(ByteView(kid)), to_bytes(ByteView(value))});
  if (!mutant("directory.stale_head")) map_->insert(kid, value);
  unsettled_.insert_or_assign(kid, entry);
  return held != value;
}

void Holdings::forget() {
  map_.reset();
  unsettled_.clear();
}

}  // namespace ams::directory
