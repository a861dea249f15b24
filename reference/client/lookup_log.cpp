// Lookup's second half: what a domain's binding log has to say of a binding (spec BLG-15, BLG-26,
// BLG-31), of a change of key, and of our own address (MSG-37).
#include <algorithm>

#include "bindlog/proof.h"
#include "client/evidence.h"
#include "client/lookup.h"
#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::client {

/// BLG-26: what the domain says to us has to be what its log commits to, for everyone to see.
Result<bindlog::Seen> Lookup::check_log(const std::string& addr, const keys::Binding& binding,
                                        const wire::Value& proof, const keys::Chain& chain) {
  if (!chain.record.log || mutant("client.skip_log_proof")) return bindlog::Seen{};
  AMS_TRY(const bindlog::Identity log, bindlog::identity_of(chain.record, &core_.labels));
  const Demand demand = witnesses_.demand(chain.record.domain);
  AMS_TRY(const bindlog::Proven proven, bindlog::verify_proof(proof, addr, log, demand.policy()));
  AMS_CHECK(bindlog::holds_at(proven.head.epoch, to_unix_ms(core_.now)));
  if (!bindlog::agrees(proven.entry, binding) && !mutant("client.skip_log_match"))
    return fail(Code::binding_contradiction, "keys.lookup.proof");
  return bindlog::Seen{proven.head.size, proven.head.log_root, binding.version, proven.value};
}

/// BLG-43: a version that we have seen is what it was, and so is a log of one size.
Result<> Lookup::check_same(const std::string& addr, const bindlog::Seen& shown) const {
  const auto held = binding_row(addr);
  const auto before = held ? parse_seen_row(held->seen) : std::nullopt;
  if (!before || before->size == 0 || mutant("client.skip_same_version")) return {};
  const bool other_value = before->version == shown.version && before->value != shown.value;
  const bool other_log = before->size == shown.size && before->log_root != shown.log_root;
  if (other_value || other_log) return fail(Code::log_rewritten, "keys.lookup.proof");
  return {};
}

/// BLG-15: what lies between the version that we knew and this one: a change of key, to be told
/// before anything is sealed to the new key, or none. Without the old key's word refused until it
/// was told.
Result<std::optional<KeyChanged>> Lookup::check_change(const std::string& addr,
                                                       const BindingRow& row,
                                                       const keys::Binding& binding,
                                                       const keys::Chain& chain) {
  const std::optional<KeyChanged> none;
  const auto held = binding_row(addr);
  const auto before = held ? parse_seen_row(held->seen) : std::nullopt;
  if (!chain.record.log || !before || before->version >= binding.version ||
      mutant("client.skip_endorsement"))
    return none;
  AMS_TRY(const bindlog::Identity log, bindlog::identity_of(chain.record, &core_.labels));
  const Demand demand = witnesses_.demand(chain.record.domain);
  AMS_TRY(const bindlog::Checked shown,
          bindlog::verify_history(row.history, addr, log, *before, demand.policy()));
  const bool whole = shown.complete && shown.seen.version == binding.version;
  if (!whole && !mutant("client.skip_history_end"))
    return fail(Code::history_gap, "keys.lookup.history");
  const keys::KeyId& from = shown.entries.front().key;
  if (std::all_of(shown.entries.begin(), shown.entries.end(),
                  [&](const bindlog::Entry& entry) { return entry.key == from; }))
    return none;
  const bool vouched = endorsed(shown, *held);
  const auto told = core_.row(table_told, addr);
  const bool known = told && *told == key_of(binding.key);
  const bool held_back = core_.options.hold_unendorsed && !mutant("client.seal_unendorsed");
  if (!vouched && held_back && !known) return fail(Code::unendorsed, "keys.lookup.history");
  return KeyChanged{addr, from, binding.key, vouched};
}

/// Each change of the key by the key before it. A key whose record is not at hand endorses nothing.
bool Lookup::endorsed(const bindlog::Checked& shown, const BindingRow& before) {
  for (std::size_t i = 1; i < shown.entries.size(); ++i) {
    const bindlog::Entry &old = shown.entries[i - 1], &entry = shown.entries[i];
    if (old.key == entry.key) continue;
    const RecordPtr record = held_record(old.key, before);
    if (!record || !bindlog::verify_endorsement(entry, old, shown.values[i - 1], *record))
      return false;
  }
  return true;
}

/// The last version, which leads elsewhere, by the key before it.
bool Lookup::redirect_endorsed(const bindlog::Checked& shown, const BindingRow& before) {
  const std::size_t last = shown.entries.size() - 1;
  if (last == 0) return false;
  const RecordPtr record = held_record(shown.entries[last - 1].key, before);
  return record && bindlog::verify_endorsement(shown.entries[last], shown.entries[last - 1],
                                               shown.values[last - 1], *record);
}

RecordPtr Lookup::held_record(const keys::KeyId& id, const BindingRow& before) const {
  if (const auto at = records_.find(id); at != records_.end()) return at->second;
  auto kept = keys::KeyRecord::parse_as(before.key, id);
  return kept ? std::make_shared<const keys::KeyRecord>(std::move(*kept)) : nullptr;
}

/// Its user is told by the refusal; the next time it goes.
void Lookup::note_unendorsed(const std::string& addr, const BindingRow& row) {
  const auto binding = keys::parse_binding(row.binding);
  const auto held = binding_row(addr);
  const auto before = held ? keys::parse_binding(held->binding) : fail(Code::not_found, "row");
  if (!binding) return;
  storage::WriteBatch batch;
  batch.puts.push_back(put_row(table_told, addr, key_of(binding->key)));
  core_.commit(std::move(batch), [](const Result<>&) {});  // lost: told once more
  if (before) core_.tell(KeyChanged{addr, before->key, binding->key, false});
}

/// What the domain's server showed contradicts what it has signed.
void Lookup::alarm(const std::string& addr, const BindingRow& row, const Error& why,
                   const keys::Chain& chain) {
  const Code code = why.code;
  if (code != Code::binding_contradiction && code != Code::log_rewritten &&
      code != Code::history_gap)
    return;
  wire::Object shown{{"binding", row.binding}, {"proof", row.proof}};
  if (row.history.is_object() && !row.history.as_object().empty())
    shown.emplace("history", row.history);
  Evidence lie = contradiction(chain, row.binding, row.proof);
  const auto held = binding_row(addr);
  if (!lie && held) lie = rewrite_proven(chain, held->proof, row.proof);
  core_.tell(Alarm{addr, why, std::move(shown), std::move(lie)});
}

void Lookup::staple(const keys::KeyId& key, StapleThen then) {
  const std::string& addr = core_.options.addr;
  if (!link_.chain().record.log) return then(std::optional<Staple>());
  if (staple_ && staple_->key == key && to_unix_ms(core_.now) < staple_at_ + staple_->life_ms)
    return then(std::optional(*staple_));
  witnesses_.ready([this, addr, key, then = std::move(then)] {
    link_.request("keys.lookup", wire::Object{{"addr", addr}},
                  [this, key, then](const Result<wire::Value>& answer) {
                    if (!answer) return then(tl::unexpected(answer.error()));
                    take_staple(key, *answer, then);
                  });
  });
}

void Lookup::take_staple(const keys::KeyId& key, const wire::Value& answer, StapleThen then) {
  const std::string& addr = core_.options.addr;
  const wire::Value* value = answer.find("binding");
  const wire::Value* proof = answer.find("proof");
  if (!value && proof) return then(fail(Code::redirected, "keys.lookup"));
  if (!value || !proof) return then(fail(Code::schema, "keys.lookup"));
  const auto binding = keys::verify_binding(*value, link_.chain());
  if (!binding) return then(tl::unexpected(binding.error()));
  if (auto held = check_log(addr, *binding, *proof, link_.chain()); !held)
    return then(tl::unexpected(held.error()));
  if (binding->key != key) return then(fail(Code::binding_foreign, "keys.lookup"));
  const auto parsed = bindlog::parse_proof(*proof);
  const auto note = parsed ? verifiable::parse_note(parsed->head.checkpoint)
                           : Result<verifiable::Note>(fail(Code::proof, "keys.lookup"));
  const bool bare = !note || note->signatures.size() < 2;  // its reader may want more
  staple_ = Staple{key, *value, *proof, bare ? bare_staple_life_ms : staple_life_ms};
  staple_at_ = to_unix_ms(core_.now);
  then(std::optional(*staple_));
}

void Lookup::vouched(const mail::Opened& letter, const keys::Chain& chain,
                     std::function<void(const Result<>&)> then) {
  if (!chain.record.log || !witnesses_.demanded()) return then({});
  witnesses_.ready([this, note = letter.checkpoint, from = letter.from, bound = letter.binding,
                    record = chain.record, then = std::move(then)] {
    const auto log = bindlog::identity_of(record);
    const Demand demand = witnesses_.demand(record.domain);
    if (log && verifiable::open_checkpoint(note, log->log, demand.policy())) return then({});
    if (mutant("client.read_unwitnessed")) return then({});
    ask_recipient(from, [bound, then](const Result<Recipient>& found, const Answered* answer) {
      if (!found) return then(tl::unexpected(found.error()));
      const auto ours = answer ? keys::parse_binding(answer->row.binding)
                               : Result<keys::Binding>(fail(Code::witnesses, "proof"));
      const auto theirs = keys::parse_binding(bound);
      const bool same =
          ours && theirs && ours->version == theirs->version && ours->key == theirs->key;
      if (!same) return then(fail(Code::witnesses, "proof"));
      then({});
    });
  });
}

void Lookup::judge_redirect(const std::string& addr, const wire::Value& answer,
                            RecipientThen then) {
  const auto address = wire::parse_address(addr);
  if (!address) return then(fail(Code::address_syntax, "recipient"));
  chain(address->domain, Ask::cached_will_do,
        [this, addr, answer, then](const Result<ChainPtr>& found) {
          if (!found) return then(tl::unexpected(found.error()));
          witnesses_.ready([this, addr, answer, then, chain = *found] {
            then(check_redirect(addr, answer, *chain));
          });
        });
}

/// Where an address leads: proven, and by its owner's word where we knew a key of it (BLG-15).
Result<Recipient> Lookup::check_redirect(const std::string& addr, const wire::Value& answer,
                                         const keys::Chain& chain) {
  if (!chain.record.log) return fail(Code::schema, "keys.lookup.binding");
  AMS_TRY(const bindlog::Identity log, bindlog::identity_of(chain.record, &core_.labels));
  const Demand demand = witnesses_.demand(chain.record.domain);
  AMS_TRY(const bindlog::Proven proven,
          bindlog::verify_proof(*answer.find("proof"), addr, log, demand.policy()));
  AMS_CHECK(bindlog::holds_at(proven.head.epoch, to_unix_ms(core_.now)));
  if (!proven.entry || proven.entry->type == bindlog::Type::key)
    return fail(Code::binding_contradiction, "keys.lookup.proof");
  const auto held = binding_row(addr);
  const auto before = held ? parse_seen_row(held->seen) : std::nullopt;
  if (before && !mutant("client.follow_unendorsed")) {
    if (before->version > proven.entry->version)
      return fail(Code::version_conflict, "binding of lower version");
    const wire::Value* history = answer.find("history");
    AMS_TRY(const bindlog::Checked shown,
            bindlog::verify_history(history ? *history : wire::Value(), addr, log, *before,
                                    demand.policy()));
    const bool whole = shown.complete && shown.seen.version == proven.entry->version;
    const bool vouched = whole && endorsed(shown, *held) && redirect_endorsed(shown, *held);
    if (!vouched) return fail(Code::unendorsed, "keys.lookup.history");
  }
  return Recipient{nullptr, nullptr, proven.entry->to};
}

}  // namespace ams::client
