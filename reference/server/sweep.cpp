// The sweep: removes what has expired, a bounded number of rows at a time.
#include <algorithm>

#include "server/core.h"

namespace ams::server {
namespace {

constexpr std::size_t sweep_max = 256;  // rows of one call

struct Expired {
  Bytes index_key;
  Table table;
  Bytes key;
};

}  // namespace

void Core::sweep() {
  std::vector<Expired> expired;
  const auto scanned = reader_.scan(table_expiry, {}, {}, [&](ByteView key, ByteView) {
    if (key.size() < 9 || read_u64(key) > static_cast<std::uint64_t>(now_ms())) return false;
    expired.push_back({to_bytes(key), static_cast<Table>(key[8]), to_bytes(key.subspan(9))});
    return expired.size() < sweep_max;
  });
  const bool more = expired.size() == sweep_max;
  timers_.arm({TimerKind::sweep, 0, {}},
              now_ + (more ? Duration(std::chrono::seconds{1}) : sweep_interval));
  if (!scanned || expired.empty()) return;
  Txn txn(reader_);
  for (const Expired& row : expired) {
    txn.erase(table_expiry, row.index_key);
    if (row.table != table_blob_owner) {
      txn.erase(row.table, row.key);
      continue;
    }
    const auto put_at = txn.get(table_blob_owner, row.key);
    if (!put_at || row.key.size() < 33) continue;
    const auto life = static_cast<std::uint64_t>(loose_blob_life_ms);
    const auto hash = *to_array<32>(ByteView(row.key).first(32));
    const ByteView owner = ByteView(row.key).subspan(32);
    if (const std::uint64_t due = read_u64(*put_at) + life;
        due > static_cast<std::uint64_t>(now_ms())) {
      expire_at(txn, static_cast<std::int64_t>(due), table_blob_owner, row.key);  // put again since
      continue;
    }
    const std::uint64_t len = txn.get_u64(table_blob_len, hash);
    if (owner.size() == 17 && owner[0] == 'a') {
      const Id16 acct = *to_array<16>(owner.subspan(1));
      Box mine = box(txn, acct);
      mine.put_bytes -= std::min(mine.put_bytes, len);
      put_box(txn, acct, mine);
    }
    disown_blob(txn, hash, owner);
  }
  commit(txn, [](const Result<>&) {});
}

}  // namespace ams::server
