// Mailboxes: the one door in, changes in order, sync, push (SYN, REL-6, REL-7, REL-11).
#include <algorithm>

#include "policy/mutant.h"
#include "server/core.h"
#include "wire/address.h"

namespace ams::server {
namespace {

constexpr std::size_t changes_max = 64;  // SYN-1
constexpr std::size_t flags_max = 16;    // SYN-5

std::uint64_t integer_of(const wire::Value& row, std::string_view name) {
  const wire::Value* member = row.find(name);
  return member && member->is_integer() ? static_cast<std::uint64_t>(member->as_integer()) : 0;
}

wire::Value integer(std::uint64_t value) { return static_cast<std::int64_t>(value); }

bool gone(const wire::Value& row) { return row.find("gone") != nullptr; }

}  // namespace

Core::Box Core::box(Txn& txn, const Id16& acct) {
  const auto row = txn.get(table_box, acct);
  if (!row || row->size() < 32) return {};
  const ByteView view(*row);
  return {read_u64(view), read_u64(view.subspan(8)), read_u64(view.subspan(16)),
          read_u64(view.subspan(24))};
}

void Core::put_box(Txn& txn, const Id16& acct, const Box& box) {
  txn.put(table_box, to_bytes(ByteView(acct)),
          key_of({be64(box.state), be64(box.next_uid), be64(box.bytes), be64(box.put_bytes)}));
}

bool Core::room_for(Txn& txn, const Id16& acct, std::uint64_t size) {
  if (mutant("server.skip_mailbox_limit")) return true;
  return box(txn, acct).bytes + size <= static_cast<std::uint64_t>(options_.mailbox_bytes_max);
}

std::uint64_t Core::box_add(Txn& txn, const std::string& addr, const Id16& acct,
                            std::string_view folder, wire::Value message, std::uint64_t size,
                            Changed& changed) {
  Box mine = box(txn, acct);
  const std::uint64_t uid = mine.next_uid++;
  const std::uint64_t state = ++mine.state;
  mine.bytes += size;
  put_box(txn, acct, mine);
  txn.put_value(table_mail, key_of({acct, be64(uid)}),
                wire::Object{{"flags", wire::Array{}},
                             {"folder", folder},
                             {"message", std::move(message)},
                             {"size", integer(size)},
                             {"state", integer(state)}});
  txn.put(table_change, key_of({acct, be64(state)}), key_of({be64(uid)}));
  changed[addr] = static_cast<std::int64_t>(state);
  return uid;
}

void Core::move_change(Txn& txn, const Id16& acct, std::uint64_t uid, std::uint64_t from,
                       std::uint64_t to) {
  txn.erase(table_change, key_of({acct, be64(from)}));
  txn.put(table_change, key_of({acct, be64(to)}), key_of({be64(uid)}));
}

std::optional<Code> Core::accept_mail(Txn& txn, const Parcel& parcel, const std::string& addr,
                                      Changed& changed) {
  const Bytes seen = key_of({parcel.ehash, crypto::sha256(as_bytes(addr))});
  if (txn.get(table_delivered, seen) && !mutant("server.skip_dedup"))
    return std::nullopt;  // REL-11
  const auto to = account(txn, addr);
  if (!to) {
    if (const auto refusal = accept_for_group(txn, parcel, addr, changed)) return refusal;
  } else if (!has_group_copy(txn, parcel.ehash, to->acct) &&  // GRP-4
             !put_mail(txn, to_store(txn, parcel, addr, "mail"), addr, *to, "inbox", changed)) {
    return Code::mailbox_full;
  }
  const std::int64_t until = parcel.header->exp + day_ms;
  txn.put(table_delivered, seen, key_of({be64(until), as_bytes(parcel.header->sdom)}));
  expire_at(txn, until, table_delivered, seen);
  return std::nullopt;
}

Core::Stored Core::to_store(Txn& txn, const Parcel& parcel, const std::string& addr,
                            std::string_view kind) {
  wire::Object message{{"addr", addr},        {"asig", parcel.asig}, {"env", *parcel.env},
                       {"head", parcel.head}, {"kind", kind},        {"stanza", parcel.stanza}};
  if (parcel.vouch) message.emplace("vouch", *parcel.vouch);
  Stored out{std::move(message), 0, blobs_of(*parcel.header)};
  out.size = wire::encode(out.message).size();
  for (const Hash& blob : out.blobs) out.size += txn.get_u64(table_blob_len, blob);
  return out;
}

bool Core::put_mail(Txn& txn, const Stored& mail, const std::string& owner, const Account& to,
                    std::string_view folder, Changed& changed) {
  if (!room_for(txn, to.acct, mail.size)) return false;
  const std::uint64_t uid = box_add(txn, owner, to.acct, folder, mail.message, mail.size, changed);
  for (const Hash& blob : mail.blobs) own_blob(txn, blob, owner_mail(to.acct, uid));
  return true;
}

void Core::add_notice(Txn& txn, const std::string& sender, const mail::Notice& notice,
                      Changed& changed) {
  if (mutant("server.no_notice")) return;
  const auto to = account(txn, sender);
  if (!to) return;
  auto signed_notice = mail::make_notice(notice, op_);
  if (!signed_notice) return log(machine::Log::Level::error, "a notice could not be signed");
  wire::Value message = wire::Object{{"kind", "notice"}, {"notice", std::move(*signed_notice)}};
  const std::uint64_t size = wire::encode(message).size();
  box_add(txn, sender, to->acct, "notices", std::move(message), size, changed);
  ++stats_.notices;
}

void Core::push_changed(const Changed& changed, ConnId except) {
  if (mutant("server.no_push")) return;
  for (const auto& [addr, state] : changed) {
    const auto [first, last] = online_.equal_range(addr);
    for (auto at = first; at != last; ++at) {
      Conn* conn = find_conn(at->second);
      if (!conn || conn->id == except) continue;
      conn->session.event("mail.changed", wire::Object{{"state", state}});  // SYN-6
      touch(*conn);
    }
  }
}

Result<> Core::op_sync(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "mail.sync", wire::ObjectReader::Unknown::ignore_x);
  const auto since = static_cast<std::uint64_t>(in.integer("since"));
  AMS_CHECK(in.finish());
  Txn txn(reader_);
  const auto who = account(txn, conn.addr);
  AMS_CHECK(txn.status());
  if (!who) return fail(Code::not_found, "mail.sync");
  const Box mine = box(txn, who->acct);
  if (since > mine.state && !mutant("server.skip_sync_token"))
    return fail(Code::sync_token, "mail.sync.since");
  std::vector<std::uint64_t> uids;
  const std::uint64_t from = since + (mutant("server.stale_sync") ? 2 : 1);
  AMS_CHECK(reader_.scan(table_change, who->acct, key_of({who->acct, be64(from)}),
                         [&](ByteView, ByteView uid) {
                           uids.push_back(read_u64(uid));
                           return uids.size() <= changes_max;
                         }));
  wire::Array changes;
  std::size_t size = 0;
  std::uint64_t state = mine.state;
  bool more = false;
  for (const std::uint64_t uid : uids) {
    const auto row = txn.get(table_mail, key_of({who->acct, be64(uid)}));
    AMS_CHECK(txn.status());
    if (!row) return fail(Code::storage, "mail row");
    more = changes.size() == changes_max ||
           (!changes.empty() && size + row->size() > request_bytes_max);
    if (more) break;
    size += row->size();
    AMS_TRY(const wire::Value mail, wire::decode(*row));
    state = integer_of(mail, "state");
    wire::Object change{{"uid", integer(uid)}, {"state", integer(state)}};
    if (gone(mail)) {
      change.emplace("gone", true);
    } else {
      change.emplace("folder", *mail.find("folder"));
      change.emplace("flags", *mail.find("flags"));
      // Always: a reader that is between two pages may have passed the number it was born with.
      change.emplace("message", *mail.find("message"));
    }
    changes.emplace_back(std::move(change));
  }
  if (!more) state = mine.state;
  answer_stable(
      to, wire::Object{{"changes", std::move(changes)}, {"more", more}, {"state", integer(state)}});
  return {};
}

Result<> Core::op_flag(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "mail.flag", wire::ObjectReader::Unknown::ignore_x);
  const auto uid = static_cast<std::uint64_t>(in.integer("uid", 1));
  const wire::Array flags = in.array("flags", flags_max);
  AMS_CHECK(in.finish());
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (!flags[i].is_string() || flags[i].as_string().empty() || flags[i].as_string().size() > 64)
      return fail(Code::schema, "mail.flag.flags");
    if (i > 0 && flags[i - 1].as_string() >= flags[i].as_string() &&
        !mutant("server.accept_flag_order"))
      return fail(Code::schema, "mail.flag.flags");
  }
  Txn txn(reader_);
  const auto who = account(txn, conn.addr);
  if (!who) return fail(Code::not_found, "mail.flag");
  const Bytes key = key_of({who->acct, be64(uid)});
  auto row = txn.get_value(table_mail, key);
  AMS_CHECK(txn.status());
  if (!row || gone(*row)) return fail(Code::not_found, "mail.flag.uid");
  Box mine = box(txn, who->acct);
  const std::uint64_t state = ++mine.state;
  put_box(txn, who->acct, mine);
  move_change(txn, who->acct, uid, integer_of(*row, "state"), state);
  if (!mutant("server.forget_flags")) row->as_object().insert_or_assign("flags", flags);
  row->as_object().insert_or_assign("state", integer(state));
  txn.put_value(table_mail, key, *row);
  commit(txn, [this, to, addr = conn.addr, state](const Result<>& outcome) {
    if (!outcome) return refuse(to, outcome.error());
    ok(to, wire::Object{{"state", integer(state)}});
    push_changed({{addr, static_cast<std::int64_t>(state)}}, to.conn);
  });
  return {};
}

Result<> Core::op_delete(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "mail.delete", wire::ObjectReader::Unknown::ignore_x);
  const auto uid = static_cast<std::uint64_t>(in.integer("uid", 1));
  AMS_CHECK(in.finish());
  Txn txn(reader_);
  const auto who = account(txn, conn.addr);
  if (!who) return fail(Code::not_found, "mail.delete");
  const Bytes key = key_of({who->acct, be64(uid)});
  const auto row = txn.get_value(table_mail, key);
  AMS_CHECK(txn.status());
  if (!row || gone(*row))
    return fail(mutant("server.wrong_code_not_found") ? Code::sync_token : Code::not_found,
                "mail.delete.uid");
  Box mine = box(txn, who->acct);
  const std::uint64_t state = ++mine.state;
  mine.bytes -= std::min(mine.bytes, integer_of(*row, "size"));
  put_box(txn, who->acct, mine);
  move_change(txn, who->acct, uid, integer_of(*row, "state"), state);
  txn.put_value(table_mail, key, wire::Object{{"gone", true}, {"state", integer(state)}});
  const wire::Value* message = row->find("message");
  if (const wire::Value* env = message ? message->find("env") : nullptr)
    if (const auto header = mail::parse_header(*env))
      for (const Hash& blob : blobs_of(*header)) disown_blob(txn, blob, owner_mail(who->acct, uid));
  commit(txn, [this, to, addr = conn.addr, state](const Result<>& outcome) {
    if (!outcome) return refuse(to, outcome.error());
    ok(to, wire::Object{{"state", integer(state)}});
    push_changed({{addr, static_cast<std::int64_t>(state)}}, to.conn);
  });
  return {};
}

}  // namespace ams::server
