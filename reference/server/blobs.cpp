// Blobs: who put them, who may have them, and when nobody does any more (BLB).
#include <algorithm>

#include "policy/mutant.h"
#include "server/core.h"

namespace ams::server {

std::vector<Hash> blobs_of(const mail::Header& header) {
  std::vector<Hash> out = header.blobs;
  if (std::find(out.begin(), out.end(), header.body.hash) == out.end())
    out.push_back(header.body.hash);
  return out;
}

Bytes Core::owner_put(const Id16& acct) { return key_of({key_char('a'), acct}); }
Bytes Core::owner_mail(const Id16& acct, std::uint64_t uid) {
  return key_of({key_char('m'), acct, be64(uid)});
}
Bytes Core::owner_queue(const std::string& rdom, std::uint64_t seq) {
  return key_of({key_char('q'), as_bytes(rdom), key_zero, be64(seq)});
}
Bytes Core::owner_pulled(const std::string& sdom) {
  return key_of({key_char('r'), as_bytes(sdom)});
}

void Core::expire_at(Txn& txn, std::int64_t at_ms, Table table, ByteView key) {
  txn.put(table_expiry, key_of({be64(at_ms), key_char(static_cast<char>(table)), key}), {});
}

void Core::store_blob(Txn& txn, const Hash& hash, ByteView bytes) {
  if (txn.get(table_blob_len, hash)) return;
  txn.put(table_blob, to_bytes(ByteView(hash)), to_bytes(bytes));
  txn.put(table_blob_len, to_bytes(ByteView(hash)), key_of({be64(std::uint64_t{bytes.size()})}));
}

void Core::own_blob(Txn& txn, const Hash& hash, ByteView owner) {
  txn.put(table_blob_owner, key_of({hash, owner}), key_of({be64(now_ms())}));
}

void Core::disown_blob(Txn& txn, const Hash& hash, ByteView owner) {
  txn.erase(table_blob_owner, key_of({hash, owner}));
  if (txn.any(table_blob_owner, hash)) return;
  txn.erase(table_blob, to_bytes(ByteView(hash)));
  txn.erase(table_blob_len, to_bytes(ByteView(hash)));
}

void Core::blob_put(Conn& conn, session::BlobPut put) {
  const Asked to{conn.id, put.id};
  ++conn.working;
  if (shutting_down_) return refuse(to, Error{Code::shutting_down, "blob.put"});
  if (!options_.mail) return refuse(to, Error{Code::unsupported, "blob.put"});
  if (conn.addr.empty()) return refuse(to, Error{Code::wrong_role, "blob.put"});
  if (!conn.enrolled) return refuse(to, Error{Code::auth_key, "blob.put"});
  Txn txn(reader_);
  const auto from = account(txn, conn.addr);
  if (!txn.status() || !from) return refuse(to, Error{Code::storage, "blob.put"}, 60);
  const Bytes owner = owner_put(from->acct);
  const Bytes key = key_of({put.hash, owner});
  if (!txn.get(table_blob_owner, key)) {
    Box mine = box(txn, from->acct);
    mine.put_bytes += put.bytes.size();
    if (mine.put_bytes > static_cast<std::uint64_t>(options_.mailbox_bytes_max))
      return refuse(to, Error{Code::mailbox_full, "blob.put"}, 3'600);
    put_box(txn, from->acct, mine);
    store_blob(txn, put.hash, put.bytes);
    expire_at(txn, now_ms() + loose_blob_life_ms, table_blob_owner, key);
  }
  own_blob(txn, put.hash, owner);
  if (mutant("server.ack_before_durable")) ok(to, wire::Object{});
  commit(txn, [this, to](const Result<>& outcome) {
    if (!outcome) return refuse(to, outcome.error(), 60);  // STO-2
    ok(to, wire::Object{});
  });
}

Result<> Core::op_blob_get(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "blob.get", wire::ObjectReader::Unknown::ignore_x);
  const Hash hash = in.bytes<32>("hash");
  in.integer("transfer", 1);
  AMS_CHECK(in.finish());
  Txn txn(reader_);
  bool party = false;
  if (conn.addr.empty()) {
    party =
        txn.any(table_blob_owner, key_of({hash, key_char('q'), as_bytes(conn.domain), key_zero}));
  } else if (const auto who = account(txn, conn.addr)) {
    party = txn.any(table_blob_owner, key_of({hash, key_char('m'), who->acct})) ||
            txn.any(table_blob_owner, key_of({hash, owner_put(who->acct)}));
  }
  const bool give = party || mutant("server.skip_blob_party");
  const auto bytes = give ? txn.get(table_blob, hash) : std::nullopt;
  AMS_CHECK(txn.status());
  if (!bytes)
    return fail(mutant("server.wrong_code_not_found_blob") ? Code::missing_blob : Code::not_found,
                "blob.get.hash");  // BLB-6: the same for a stranger as for nobody
  conn.working -= 1;
  conn.session.answer_blob(to.id, args, *bytes);
  touch(conn);
  return {};
}

}  // namespace ams::server
