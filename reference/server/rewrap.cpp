// mail.rewrap: stanzas of stored mail replaced after a shared key was rotated (RWP).
#include "policy/mutant.h"
#include "server/core.h"

namespace ams::server {
namespace {

constexpr std::size_t items_max = 100;  // RWP-1

struct Item {
  std::uint64_t uid = 0;
  mail::Stanza stanza;
};

Result<Item> read_item(const wire::Value& value) {
  wire::ObjectReader in(value, "mail.rewrap.item");
  Item out;
  out.uid = static_cast<std::uint64_t>(in.integer("uid", 1));
  const wire::Value& stanza = in.any("stanza");
  AMS_CHECK(in.finish());
  AMS_TRY(out.stanza, mail::parse_stanza(stanza));
  if (!out.stanza.enc) return fail(Code::schema, "mail.rewrap.item.stanza.enc");
  return out;
}

/// The stanza that a mailbox row's message is opened with, or null.
const wire::Value* stanza_of(const wire::Value& message) {
  const wire::Value* rewrapped = message.find("rewrapped");
  return rewrapped ? rewrapped : message.find("stanza");
}

}  // namespace

/// One item into `txn`; `mine` has another state when it changed anything.
std::optional<Code> Core::rewrap_one(Txn& txn, const Account& who, std::uint64_t uid,
                                     const mail::Stanza& fresh, Box& mine) {
  const Bytes key = key_of({who.acct, be64(uid)});
  auto row = txn.get_value(table_mail, key);
  const wire::Value* message = row ? row->find("message") : nullptr;
  const wire::Value* held = message ? stanza_of(*message) : nullptr;
  if (!held) return Code::not_found;
  const auto current = mail::parse_stanza(*held);
  if (!current) return Code::not_found;
  if (!keys::policy_at(chain_->record, now_).shares(fresh.to) && !mutant("server.rewrap_unlisted"))
    return Code::enc_unlisted;
  if (current->to == fresh.to) return std::nullopt;  // by another device, or by us before a crash
  wire::Object& fields = row->as_object();
  wire::Object& parts = fields.at("message").as_object();
  if (!mutant("server.rewrap_keeps_stanza")) parts.erase("stanza");
  parts.insert_or_assign("rewrapped", mail::to_value(fresh));
  const std::uint64_t before = static_cast<std::uint64_t>(fields.at("state").as_integer());
  const std::uint64_t state = mutant("server.rewrap_unseen") ? before : ++mine.state;
  move_change(txn, who.acct, uid, before, state);
  fields.insert_or_assign("state", static_cast<std::int64_t>(state));
  txn.put_value(table_mail, key, *row);
  return std::nullopt;
}

Result<> Core::op_rewrap(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "mail.rewrap", wire::ObjectReader::Unknown::ignore_x);
  const wire::Array& values = in.array("items", items_max);
  AMS_CHECK(in.finish());
  if (values.empty()) return fail(Code::schema, "mail.rewrap.items");
  std::vector<Item> items;
  for (const wire::Value& value : values) {
    AMS_TRY(Item item, read_item(value));
    items.push_back(std::move(item));
  }
  Txn txn(reader_);
  const auto who = account(txn, conn.addr);
  AMS_CHECK(txn.status());
  if (!who) return fail(Code::not_found, "mail.rewrap");
  Box mine = box(txn, who->acct);
  const std::uint64_t before = mine.state;
  wire::Array results;
  for (const Item& item : items) {
    const auto refusal = rewrap_one(txn, *who, item.uid, item.stanza, mine);
    results.emplace_back(refusal ? wire::Object{{"code", code_info(*refusal).name}}
                                 : wire::Object{});
  }
  const auto state = static_cast<std::int64_t>(mine.state);
  wire::Value answer = wire::Object{{"results", std::move(results)}, {"state", state}};
  AMS_CHECK(txn.status());
  if (mine.state == before) {
    answer_stable(to, std::move(answer));
    return {};
  }
  put_box(txn, who->acct, mine);
  commit(txn, [this, to, addr = conn.addr, state, answer](const Result<>& outcome) {
    if (!outcome) return refuse(to, outcome.error(), 60);  // STO-2
    ok(to, answer);
    push_changed({{addr, state}}, to.conn);
  });
  return {};
}

}  // namespace ams::server
