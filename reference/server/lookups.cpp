// What is bound to an address, for others and for its owner, with the proofs of it (BND, BLG-27 to
// BLG-33).
#include <algorithm>

#include "policy/mutant.h"
#include "server/core.h"
#include "wire/address.h"

namespace ams::server {
namespace {

constexpr std::size_t lookup_block = 4'096;  // BLG-32

}  // namespace

Result<> Core::op_lookup(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "keys.lookup", wire::ObjectReader::Unknown::ignore_x);
  const std::string addr = in.string("addr", 320);
  const wire::Value* since_value = in.optional("since");
  AMS_CHECK(in.finish());
  AMS_TRY(const std::optional<Since> since, read_since(since_value));
  if (!take_lookup(to, conn)) return {};
  AMS_TRY(const wire::Address address, wire::parse_address(addr));
  if (!local(address.domain)) {
    if (conn.addr.empty())
      return fail(Code::not_local, "keys.lookup.addr");  // BND-4: a server asks the right one
    wire::Object question{{"addr", addr}};
    if (since_value) question.emplace("since", *since_value);
    ask(address.domain, "keys.lookup", std::move(question), [this, to](const Outcome& outcome) {
      if (!outcome.value) return refuse(to, outcome.value.error());
      ok(to, *outcome.value);
    });
    return {};
  }
  Txn txn(reader_);
  const bool exists = account(txn, addr).has_value();
  AMS_CHECK(txn.status());
  const keys::SharedKey* group = exists ? nullptr : group_in_force(addr);
  if (!exists && !group)
    return fail(
        mutant("server.wrong_code_no_such_address") ? Code::not_local : Code::no_such_address,
        "keys.lookup.addr");
  AMS_TRY(std::optional<Held> held, held_binding(txn, addr));
  bool fresh = false;
  if (!held && group) {
    AMS_TRY(held, bind_group(txn, addr, *group));
    fresh = true;
  }
  if (!held) return fail(Code::not_found, "keys.lookup.addr");
  fresh = follow_policy(txn, addr, *held) || fresh;
  AMS_TRY(const std::optional<Since> shown, to_show(since, *held));
  if (held->entry && !mutant("server.redirect_keeps_key"))
    return answer_redirect(to, txn, addr, *held, shown);
  // Who has ended a key still sees it bound, to bind another one (KEY-15).
  if (conn.addr != addr) AMS_CHECK(not_ended(held->key));
  AMS_TRY(const keys::KeyRecord record, record_of(held->key));
  wire::Object answer{{"binding", held->binding}, {"key", record.value()}};
  if (held->enc && !mutant("server.lookup_without_enc")) {
    AMS_TRY(const keys::KeyRecord shared, record_of(*held->enc));
    answer.emplace("enc", shared.value());
  }
  if (fresh) {
    AMS_TRY(const keys::Binding bound, keys::parse_binding(held->binding));
    AMS_CHECK(log_binding(txn, bound));
  }
  AMS_TRY(const bool kept, add_proof(txn, addr, *held, shown, fresh, answer));
  if (binding_log_) pad_answer(answer);
  answer_kept(to, txn, fresh || kept, std::move(answer));
  return {};
}

bool Core::take_lookup(const Asked& to, const Conn& conn) {
  const bool own = !conn.addr.empty() && !mutant("server.budget_for_all");
  if (own || mutant("server.skip_lookup_budget")) return true;
  if (lookups_.take(conn.domain, now_)) return true;
  const std::int64_t back_s = day_ms / 1'000 / std::max<std::int64_t>(options_.lookups_per_day, 1);
  refuse(to, Error{Code::lookup_budget, "keys.lookup"}, std::max<std::int64_t>(back_s, 1));
  return false;
}

/// The size of an answer tells nothing of custody, versions or keys.
void Core::pad_answer(wire::Object& answer) {
  if (mutant("server.skip_lookup_pad")) return;
  answer.insert_or_assign("pad", "");
  wire::Value measured(std::move(answer));
  const std::size_t size = wire::encode(measured).size();
  answer = std::move(measured.as_object());
  const std::size_t whole = (size + lookup_block - 1) / lookup_block * lookup_block;
  answer.insert_or_assign("pad", std::string(whole - size, '0'));
}

Result<std::optional<Core::Since>> Core::read_since(const wire::Value* value) {
  if (!value) return std::optional<Since>();
  wire::ObjectReader in(*value, "since");
  Since out;
  out.version = in.integer("version", 1, bindlog::version_max);
  out.size = in.integer("size", 1);
  const auto read = in.finish();
  if (!read && mutant("server.accept_any_since")) return std::optional<Since>();
  AMS_CHECK(read);
  return std::optional(out);
}

Result<std::optional<Core::Since>> Core::to_show(const std::optional<Since>& since,
                                                 const Held& held) {
  const bool newer = since && (since->version < held.version || mutant("server.history_always"));
  if (!newer || !binding_log_ || mutant("server.lookup_without_history"))
    return std::optional<Since>();
  AMS_CHECK(binding_log_->may_show(since->version, held.version,
                                   static_cast<std::uint64_t>(since->size)));
  return since;
}

Result<bool> Core::read_log(Txn& txn, const std::string& addr, bool sealed,
                            const std::function<Result<>()>& read) {
  AMS_TRY(const bool ended, binding_log_->refresh(txn, now_ms()));
  auto proven = read();
  const auto kept = proven ? binding_log_->keep_proofs(txn, addr, drbg_.bytes(12))
                           : tl::unexpected(std::move(proven).error());
  if (kept) return ended || *kept;
  if (sealed || ended) binding_log_->forget();  // it will not be committed
  return kept;
}

Result<bool> Core::add_proof(Txn& txn, const std::string& addr, const Held& held,
                             const std::optional<Since>& shown, bool sealed, wire::Object& answer) {
  if (!binding_log_) return false;
  return read_log(txn, addr, sealed, [&]() -> Result<> {
    const bool older = held.version > 1 && mutant("server.prove_older");
    AMS_TRY(wire::Value proof, binding_log_->proof(txn, addr, held.version - (older ? 1 : 0)));
    answer.emplace("proof", std::move(proof));
    if (!shown) return {};
    AMS_TRY(wire::Value history, binding_log_->history(txn, addr, shown->version, held.version,
                                                       static_cast<std::uint64_t>(shown->size)));
    answer.emplace("history", std::move(history));
    return {};
  });
}

/// BLG-33: of an address that is bound to others there is a proof and no key.
Result<> Core::answer_redirect(const Asked& to, Txn& txn, const std::string& addr, const Held& held,
                               const std::optional<Since>& shown) {
  wire::Object answer;
  AMS_TRY(const bool kept, add_proof(txn, addr, held, shown, false, answer));
  pad_answer(answer);
  answer_kept(to, txn, kept, std::move(answer));
  return {};
}

Result<> Core::op_history(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "keys.history", wire::ObjectReader::Unknown::ignore_x);
  const std::int64_t from =
      in.integer("from", mutant("server.clamp_history") ? 0 : 1, bindlog::version_max);
  const std::int64_t size = in.integer("size");
  AMS_CHECK(in.finish());
  Txn txn(reader_);
  AMS_TRY(const std::optional<Held> held, held_binding(txn, conn.addr));
  if (!held || !binding_log_) return fail(Code::not_found, "keys.history");
  AMS_CHECK(binding_log_->may_show(from, held->version, static_cast<std::uint64_t>(size)));
  wire::Object answer;
  AMS_TRY(const bool kept, read_log(txn, conn.addr, false, [&]() -> Result<> {
            AMS_TRY(wire::Value history, binding_log_->history(txn, conn.addr, from, held->version,
                                                               static_cast<std::uint64_t>(size)));
            answer.emplace("history", std::move(history));
            return {};
          }));
  answer_kept(to, txn, kept, std::move(answer));
  return {};
}

}  // namespace ams::server
