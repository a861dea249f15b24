#include "client/lookup.h"

#include "bindlog/proof.h"
#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::client {
namespace {

std::int64_t ms(const Core& core) { return to_unix_ms(core.now); }

template <class Map>
void make_room(Map& cache) {
  if (cache.size() >= cache_entries_max) cache.erase(cache.begin());
}

template <class Map>
auto take_waiters(Map& asked, const typename Map::key_type& key) {
  auto out = std::move(asked[key]);
  asked.erase(key);
  return out;
}

/// Under mutant client.skip_chain_check: whatever root the chain itself brings.
Result<keys::Chain> believe_chain(const wire::Value& chain, const std::string& domain) {
  const wire::Value* root = chain.find("root");
  if (!root) return fail(Code::domain_record, "chain.root");
  AMS_TRY(const keys::KeyRecord record, keys::KeyRecord::parse(*root));
  return keys::verify_chain(chain, domain, record.id());
}

}  // namespace

// --- chains
// ------------------------------------------------------------------------------------------

void Lookup::learn_own(const keys::Chain& chain) {
  own_domain_ = chain.record.domain;
  chains_[own_domain_] = KnownChain{ms(core_), std::make_shared<const keys::Chain>(chain)};
}

void Lookup::learn_record(RecordPtr record) {
  if (records_.contains(record->id())) return;
  make_room(records_);
  const keys::KeyId id = record->id();
  records_.emplace(id, std::move(record));
}

std::optional<Lookup::KnownChain> Lookup::known_chain(const std::string& domain) {
  if (const auto at = chains_.find(domain); at != chains_.end()) return at->second;
  auto kept = read_chain(core_.reader, domain);
  if (!kept || !*kept) return std::nullopt;
  make_room(chains_);
  const KnownChain known{(*kept)->at,
                         std::make_shared<const keys::Chain>(std::move((*kept)->chain))};
  chains_.emplace(domain, known);
  return known;
}

void Lookup::chain(const std::string& domain, Ask ask, ChainThen then) {
  const auto known = known_chain(domain);
  const bool own = domain == own_domain_;  // the session's: as new as it gets
  if (known && (own || (ask == Ask::cached_will_do && ms(core_) < known->at + chain_life_ms)))
    return then(known->chain);
  const bool asked = fetches_.contains(domain);
  Fetch& fetch = fetches_[domain];
  fetch.waiters.push_back(std::move(then));
  if (asked) return;
  fetch.deadline = core_.now + connect_timeout;
  core_.emit(machine::Resolve{domain});
}

void Lookup::handle_resolved(const std::string& domain,
                             const std::optional<keys::Discovery>& found) {
  const auto at = fetches_.find(domain);
  if (at == fetches_.end() || !at->second.deadline) return;
  if (!found) return finish(domain, fail(Code::peer_unreachable, "resolve"));
  at->second.deadline.reset();
  link_.request("domain.get", wire::Object{{"domain", domain}},
                [this, domain, root = found->root](const Result<wire::Value>& answer) {
                  if (!answer) return finish(domain, tl::unexpected(answer.error()));
                  finish(domain, accept_chain(domain, root, *answer));
                });
}

Result<ChainPtr> Lookup::accept_chain(const std::string& domain, const keys::KeyId& root,
                                      const wire::Value& answer) {
  const wire::Value* value = answer.find("chain");
  if (!value) return fail(Code::schema, "domain.get.chain");
  const auto before = known_chain(domain);
  if (before && before->chain->value == *value && before->chain->root.id() == root)
    return keep_chain(domain, before->chain);  // verified once, for this root
  auto chain = keys::verify_chain(*value, domain, root);
  if (!chain && mutant("client.skip_chain_check")) chain = believe_chain(*value, domain);
  if (!chain) return tl::unexpected(chain.error());
  const bool older = before && before->chain->record.seq > chain->record.seq;  // DOM-6
  if (older && !mutant("client.accept_lower_seq"))
    return fail(Code::domain_record, "domain record of lower seq");
  const bool had_log = before && before->chain->record.log.has_value();
  if (had_log && before->chain->record.log != chain->record.log &&
      !mutant("client.accept_other_log"))
    return fail(Code::log_replaced, "domain.get.chain");
  return keep_chain(domain, std::make_shared<const keys::Chain>(std::move(*chain)));
}

ChainPtr Lookup::keep_chain(const std::string& domain, ChainPtr chain) {
  ChainRow row{ms(core_), chain->root.id(), chain->value};
  storage::WriteBatch batch;
  batch.puts.push_back(put_row(table_chains, domain, to_row(row)));
  core_.commit(std::move(batch), [](const Result<>&) {});  // a cache: nothing waits for it
  chains_.erase(domain);
  make_room(chains_);
  chains_.emplace(domain, KnownChain{ms(core_), chain});
  return chain;
}

void Lookup::finish(const std::string& domain, const Result<ChainPtr>& outcome) {
  const auto at = fetches_.find(domain);
  if (at == fetches_.end()) return;
  const Fetch fetch = std::move(at->second);
  fetches_.erase(at);
  core_.again = true;
  for (const ChainThen& then : fetch.waiters) then(outcome);
}

// --- records of the directory
// ---------------------------------------------------------------------------

Result<RecordPtr> Lookup::accept_record(const keys::KeyId& id, const wire::Value& value) {
  auto record = keys::KeyRecord::parse_as(value, id);
  if (!record && mutant("client.skip_record_check")) record = keys::KeyRecord::parse(value);
  if (!record) return tl::unexpected(record.error());
  make_room(records_);
  const auto kept = std::make_shared<const keys::KeyRecord>(std::move(*record));
  records_.emplace(id, kept);
  return kept;
}

void Lookup::record(const keys::KeyId& id, RecordThen then) {
  if (const auto at = records_.find(id); at != records_.end()) return then(at->second);
  if (const auto bytes = core_.row(table_records, key_of(id))) {
    const auto value = wire::decode(*bytes);
    if (value)
      if (const auto record = accept_record(id, *value)) return then(record);
  }
  auto& waiters = records_asked_[id];
  waiters.push_back(std::move(then));
  if (waiters.size() > 1) return;
  const auto finish = [this, id](const Result<RecordPtr>& outcome) {
    for (const RecordThen& waiter : take_waiters(records_asked_, id)) waiter(outcome);
  };
  link_.request("directory.get", wire::Object{{"kid", to_uuid_text(id.kid)}},
                [this, id, finish](const Result<wire::Value>& answer) {
                  if (!answer) return finish(tl::unexpected(answer.error()));
                  const wire::Value* value = answer->find("record");
                  if (!value) return finish(fail(Code::schema, "directory.get.record"));
                  const auto record = accept_record(id, *value);
                  if (record) {
                    storage::WriteBatch batch;
                    batch.puts.push_back(put_row(table_records, key_of(id), wire::encode(*value)));
                    core_.commit(std::move(batch), [](const Result<>&) {});  // a cache
                  }
                  finish(record);
                });
}

// --- recipients
// --------------------------------------------------------------------------------------------

std::optional<BindingRow> Lookup::binding_row(const std::string& addr) const {
  const auto bytes = core_.row(table_bindings, addr);
  if (!bytes) return std::nullopt;
  auto row = parse_binding_row(*bytes);
  if (!row) return std::nullopt;
  return std::move(*row);
}

wire::Value Lookup::binding_of(const std::string& addr) const {
  const auto at = recipients_.find(addr);
  return at == recipients_.end() ? wire::Value() : at->second.binding;
}

void Lookup::recipient(const std::string& addr, RecipientThen then) {
  const auto at = recipients_.find(addr);
  const auto ask = [this, addr, then] {
    ask_recipient(addr,
                  [then](const Result<Recipient>& outcome, const Answered*) { then(outcome); });
  };
  if (at != recipients_.end() && ms(core_) < at->second.at + binding_life_ms) {
    // Found good before; its domain's policy may have come into force since.
    const auto chain = known_chain(addr.substr(addr.find('@') + 1));
    if (chain && check_policy(at->second, *chain->chain)) return then(at->second.keys);
    return ask();
  }
  auto row = binding_row(addr);
  if (!row || ms(core_) >= row->at + binding_life_ms) return ask();
  judge(addr, std::move(*row), Ask::cached_will_do,
        [then, ask](const Result<Recipient>& outcome, const Answered*) {
          const bool later =
              !outcome && is_temporary(outcome.error()) && outcome.error().code != Code::witnesses;
          if (outcome || later) return then(outcome);
          ask();  // what we kept does not hold any more
        });
}

void Lookup::ask_recipient(const std::string& addr, JudgedThen then) {
  auto& waiters = recipients_asked_[addr];
  waiters.push_back(std::move(then));
  if (waiters.size() > 1) return;
  const auto judged = [this, addr](const Result<Recipient>& outcome, const Answered* answer) {
    for (const JudgedThen& waiter : take_waiters(recipients_asked_, addr)) waiter(outcome, answer);
  };
  const auto finish = [judged](const Result<Recipient>& outcome) { judged(outcome, nullptr); };
  wire::Object question{{"addr", addr}};
  if (const auto held = binding_row(addr))
    if (const auto seen = parse_seen_row(held->seen); seen && !mutant("client.forget_since"))
      question.emplace("since", wire::Object{{"version", seen->version},
                                             {"size", static_cast<std::int64_t>(seen->size)}});
  link_.request("keys.lookup", std::move(question),
                [this, addr, judged, finish](const Result<wire::Value>& answer) {
                  if (!answer && mutant("client.use_refused"))
                    if (auto kept = binding_row(addr))
                      return judge(addr, std::move(*kept), Ask::cached_will_do, judged);
                  if (!answer) return finish(tl::unexpected(answer.error()));
                  const wire::Value* binding = answer->find("binding");
                  const wire::Value* key = answer->find("key");
                  const wire::Value* enc = answer->find("enc");
                  if (!binding && answer->find("proof"))
                    return judge_redirect(addr, *answer, finish);
                  if (!binding || !key) return finish(fail(Code::schema, "keys.lookup"));
                  const wire::Value* proof = answer->find("proof");
                  const wire::Value* history = answer->find("history");
                  judge(addr,
                        BindingRow{ms(core_),
                                   *binding,
                                   *key,
                                   enc ? *enc : wire::Value(),
                                   proof ? *proof : wire::Value(),
                                   {},
                                   history ? *history : wire::Value()},
                        Ask::cached_will_do, judged);
                });
}

/// Verifies through the domain's chain; when that fails, once more through the chain as it is now:
/// the domain may have changed its op key.
void Lookup::judge(const std::string& addr, BindingRow row, Ask ask, JudgedThen then) {
  const auto address = wire::parse_address(addr);
  if (!address) return then(fail(Code::address_syntax, "recipient"), nullptr);
  chain(address->domain, ask,
        [this, addr, row = std::move(row), ask, then](const Result<ChainPtr>& found) {
          if (!found) return then(tl::unexpected(found.error()), nullptr);
          if (!(*found)->record.log) return judge_by(addr, row, ask, then, **found);
          witnesses_.ready([this, addr, row, ask, then, chain = *found] {
            judge_by(addr, row, ask, then, *chain);
          });
        });
}

void Lookup::judge_by(const std::string& addr, BindingRow row, Ask ask, JudgedThen then,
                      const keys::Chain& chain) {
  const Answered answer{row, chain};
  auto checked = check(addr, row, answer.chain);
  if (checked) return then(keep(addr, row, std::move(*checked)), &answer);
  const Error& why = checked.error();
  if (why.code == Code::unendorsed) note_unendorsed(addr, row);
  const auto shown = bindlog::parse_proof(row.proof);
  if (why.code == Code::witnesses && shown) witnesses_.compare(addr, shown->head.checkpoint, chain);
  if (why.code == Code::unendorsed || why.code == Code::witnesses)
    return then(tl::unexpected(why), &answer);
  if (ask == Ask::anew || answer.chain.record.domain == own_domain_) {
    alarm(addr, row, why, answer.chain);
    return then(tl::unexpected(why), &answer);
  }
  judge(addr, std::move(row), Ask::anew, std::move(then));
}

Result<Lookup::CheckedRecipient> Lookup::check(const std::string& addr, const BindingRow& row,
                                               const keys::Chain& chain) {
  auto binding = keys::verify_binding(row.binding, chain);
  if (!binding && mutant("client.skip_binding_check")) binding = keys::parse_binding(row.binding);
  if (!binding) return tl::unexpected(binding.error());
  if (binding->addr != addr && !mutant("client.skip_binding_check"))
    return fail(Code::from_binding, "binding of another address");
  AMS_TRY(const bindlog::Seen seen, check_log(addr, *binding, row.proof, chain));
  AMS_CHECK(check_same(addr, seen));
  AMS_TRY(auto changed, check_change(addr, row, *binding, chain));
  auto record = keys::KeyRecord::parse_as(row.key, binding->key);
  if (!record && mutant("client.skip_record_check")) record = keys::KeyRecord::parse(row.key);
  if (!record) return tl::unexpected(record.error());
  KnownRecipient known{row.at, binding->version, {}, row.binding, {}};
  if (seen.size > 0) known.seen = to_row(seen);
  known.keys.record = std::make_shared<const keys::KeyRecord>(std::move(*record));
  known.keys.sealed_to = known.keys.record;
  if (binding->enc && !mutant("client.seal_to_own")) {
    AMS_TRY(known.keys.sealed_to, check_shared(*binding, row.enc));
  }
  AMS_CHECK(check_policy(known, chain));
  return CheckedRecipient{std::move(known), std::move(changed)};
}

/// The record of a binding's shared key (BND-4).
Result<RecordPtr> Lookup::check_shared(const keys::Binding& binding, const wire::Value& record) {
  AMS_TRY(keys::KeyRecord parsed, keys::KeyRecord::parse_as(record, *binding.enc));
  return std::make_shared<const keys::KeyRecord>(std::move(parsed));
}

/// POL-8 and POL-9: asked each time, because what is in force depends on the time.
Result<> Lookup::check_policy(const KnownRecipient& known, const keys::Chain& chain) {
  if (mutant("client.skip_policy")) return {};
  AMS_TRY(const keys::Binding binding, keys::parse_binding(known.binding));
  AMS_CHECK(
      keys::check_custody(binding, *known.keys.record, keys::policy_at(chain.record, core_.now)));
  return check_notice(chain);
}

/// POL-9: what was announced to us holds for its day. The policy seen last is kept with the time it
/// was seen; it gives way to one that agrees now, or when its day is over.
Result<> Lookup::check_notice(const keys::Chain& chain) {
  const std::string& domain = chain.record.domain;
  const auto known = chains_.find(domain);
  const std::int64_t at = known != chains_.end() ? known->second.at : ms(core_);
  const wire::Value now_said = keys::to_value(chain.record.policy);
  const auto bytes = core_.row(table_policies, domain);
  const auto seen = bytes ? parse_policy_row(*bytes) : fail(Code::not_found, "policy row");
  if (seen && !mutant("client.skip_policy_notice")) {
    const auto before = keys::parse_policy(seen->policy, seen->seq);
    const bool agrees = before && keys::policy_at(*before, core_.now).mode ==
                                      keys::policy_at(chain.record, core_.now).mode;
    if (!agrees && ms(core_) < seen->at + notice_seen_ms)
      return fail(Code::policy_notice, "domain's policy");
    if (seen->policy == now_said && at < seen->at + binding_life_ms) return {};
  }
  storage::WriteBatch batch;
  batch.puts.push_back(
      put_row(table_policies, domain, to_row(PolicyRow{at, chain.record.seq, now_said})));
  core_.commit(std::move(batch), [](const Result<>&) {});  // a cache
  return {};
}

/// A binding older than the one we hold is not taken: somebody would have us seal to a key given
/// up.
Result<Recipient> Lookup::keep(const std::string& addr, const BindingRow& row,
                               CheckedRecipient checked) {
  KnownRecipient& known = checked.known;
  const auto held = binding_row(addr);
  if (held) {
    const auto before = keys::parse_binding(held->binding);
    if (before && before->version > known.version && !mutant("client.accept_lower_version"))
      return fail(Code::version_conflict, "binding of lower version");
  }
  if (!held || held->at != row.at || held->binding != row.binding) {
    BindingRow kept = row;
    kept.seen = known.seen;
    storage::WriteBatch batch;
    batch.puts.push_back(put_row(table_bindings, addr, to_row(kept)));
    core_.commit(std::move(batch), [](const Result<>&) {});  // a cache
  }
  if (checked.changed) core_.tell(std::move(*checked.changed));
  Recipient keys = known.keys;
  learn_record(keys.record);
  recipients_.erase(addr);
  make_room(recipients_);
  recipients_.emplace(addr, std::move(known));
  return keys;
}

// --- time
// ---------------------------------------------------------------------------------------------

void Lookup::run() {
  std::vector<std::string> late;
  for (const auto& [domain, fetch] : fetches_)
    if (fetch.deadline && core_.now >= *fetch.deadline) late.push_back(domain);
  for (const std::string& domain : late) finish(domain, fail(Code::peer_unreachable, "resolve"));
}

std::optional<Instant> Lookup::due() const {
  std::optional<Instant> out;
  for (const auto& [domain, fetch] : fetches_) out = earlier(out, fetch.deadline);
  return out;
}

}  // namespace ams::client
