// A peer's store as it is after many publications: the values of all keys, the records of some.
// Published through the front door a million keys take minutes, and the log as many epochs as fit;
// the answers to look-ups are the same.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <random>

#include "apps/config.h"
#include "crypto/crypto.h"
#include "daemon/act.h"
#include "directory/holdings.h"
#include "keys/lineage.h"
#include "keys/records.h"
#include "look_ups.h"
#include "store/sqlite.h"

namespace ams::look_ups {
namespace {

constexpr std::size_t batch_size = 10'000;  // rows

class Filler {
 public:
  Filler(storage::Storage& store, std::ostream& kids) : store_(store), kids_(kids) {}

  /// A whole entry, as a peer holds one with a record and nothing else.
  Result<> add_record(std::int64_t number) {
    const Hash seed = crypto::sha256(to_bytes("look-up " + std::to_string(number)));
    AMS_TRY(const keys::KeyPair pair, keys::make_modern(crypto::Drbg(seed).bytes(80), life_));
    const Id16 kid = pair.record.id().kid;
    Bytes key = to_bytes(ByteView(kid));
    append(key, pair.record.id().fp);
    batch_.puts.push_back(
        {directory::table_records, std::move(key), wire::encode(pair.record.value())});
    kids_ << to_uuid_text(kid) << '\n';
    return add_value(kid, keys::Entry(pair.record).value());
  }
  /// Only what the map needs: nobody gets this one.
  Result<> add_filling() {
    Id16 kid{};
    Hash value{};
    for (auto& byte : kid) byte = static_cast<std::uint8_t>(random_());
    for (auto& byte : value) byte = static_cast<std::uint8_t>(random_());
    return add_value(kid, value);
  }
  Result<> flush() {
    AMS_CHECK(store_.apply(batch_));
    AMS_CHECK(store_.commit());
    batch_.puts.clear();
    return {};
  }

 private:
  Result<> add_value(const Id16& kid, const Hash& value) {
    batch_.puts.push_back(
        {directory::table_values, to_bytes(ByteView(kid)), to_bytes(ByteView(value))});
    return batch_.puts.size() < batch_size ? Result<>() : flush();
  }

  storage::Storage& store_;
  std::ostream& kids_;
  storage::WriteBatch batch_;
  std::mt19937_64 random_{1};
  keys::KeyPairOptions life_{.nbf = 0, .exp = keys::key_life_ms_max};
};

}  // namespace

int fill(const FillOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const auto config = apps::load_server_config(options.config_file);
  if (!config) return complain(2, config.error());
  auto store = store::SqliteStorage::open(daemon::store_path(*config), {});
  if (!store) return complain(1, store.error());
  std::ofstream kids(options.kids_file);
  Filler filler(**store, kids);
  const std::int64_t records = std::min(options.records, options.keys);
  Result<> filled;
  for (std::int64_t i = 0; i < options.keys && filled; ++i)
    filled = i < records ? filler.add_record(i) : filler.add_filling();
  if (filled) filled = filler.flush();
  if (!filled || !kids.flush()) return complain(1, "the store or the file of kids took no more");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("{\"keys\":%lld,\"records\":%lld,\"seconds\":%.1f}\n",
              static_cast<long long>(options.keys), static_cast<long long>(records), took.count());
  return 0;
}

}  // namespace ams::look_ups
