#include "client/adopt.h"

#include "client/endorse.h"
#include "policy/mutant.h"

namespace ams::client {

bool Adoption::is_due_here() const {
  return link_.epoch() > 0 &&
         keys::policy_at(link_.chain().record, core_.now).mode != keys::Policy::isp;
}

bool Adoption::needed() const {
  if (!is_due_here()) return false;
  if (account_.needs_store_keys()) return true;
  if (!account_.ready()) return false;
  if (requested_) return true;
  const keys::PolicyTerms& terms = keys::policy_at(link_.chain().record, core_.now);
  if (const StoredKeys* stored = account_.stored())
    return !terms.shares(stored->shared.id()) || !stored->record.valid_at(core_.now);
  return !account_.record().valid_at(core_.now);  // until then our own key works (POL-2)
}

void Adoption::run() {
  if (asked_ || !link_.up() || core_.now < retry_at_) return;
  if (stage_ == Stage::idle && needed()) begin();
  if (stage_ == Stage::draining && !outbox_.has_sealed()) {
    const auto bound = keys::parse_binding(account_.binding());
    version_ = bound ? bound->version + 1 : 1;
    stage_ = Stage::associating;
  }
  if (stage_ == Stage::associating && !asked_) ask_associate();
}

void Adoption::begin() {
  stage_ = Stage::listing;
  asked_ = true;
  requested_ = false;
  store_.refresh([this](const Result<>& outcome) {
    asked_ = false;
    core_.again = true;
    if (!outcome) return failed(outcome.error());
    choose();
  });
}

/// Our own signing key, and the first of the domain's shared keys that we may open with.
void Adoption::choose() {
  const HeldKey* own = store_.own();
  const HeldKey* shared = nullptr;
  for (const keys::SharedKey& listed : keys::policy_at(link_.chain().record, core_.now).keys) {
    const HeldKey* held = store_.find(listed.key);
    if (held && held->decap && held->record.valid_at(core_.now)) {
      shared = held;
      break;
    }
  }
  if (!own || !shared) return failed(Error{Code::not_member, "no key of ours in the key store"});
  chosen_ = StoredKeys{own->record, shared->record};
  outbox_.hold_sealing(true);
  stage_ = Stage::draining;
  if (!account_.ready()) {
    version_ = 1;
    stage_ = Stage::associating;
  }
}

void Adoption::ask_associate() {
  asked_ = true;
  wire::Object args{
      {"record", chosen_->record.value()}, {"enc", chosen_->shared.value()}, {"version", version_}};
  const NextVersion next{version_, chosen_->record.id(), keys::Custody::corporate,
                         chosen_->shared.id()};
  if (account_.ready() && !account_.stored())  // a key of the store endorses nothing
    if (auto entry = endorsed_entry(core_, link_.chain(), next, *account_.pair()))
      args.emplace("entry", std::move(*entry));
  link_.request("keys.associate", std::move(args), [this](const Result<wire::Value>& answer) {
    asked_ = false;
    core_.again = true;
    if (!answer && answer.error().code == Code::version_conflict) return ask_own_binding();
    if (!answer) return failed(answer.error());
    const auto binding = account_.own_binding(*answer);
    if (!binding) return failed(binding.error());
    if (binding->key != chosen_->record.id() || binding->enc != chosen_->shared.id())
      return failed(Error{Code::from_binding, "binding of another key"});
    accept(*answer->find("binding"), *binding);
  });
}

/// Bound already: by us, with the answer lost; by another device; or by the server, which followed
/// the policy (BND-11).
void Adoption::ask_own_binding() {
  asked_ = true;
  link_.request("keys.lookup", wire::Object{{"addr", core_.options.addr}},
                [this](const Result<wire::Value>& answer) {
                  asked_ = false;
                  core_.again = true;
                  if (!answer) return failed(answer.error());
                  const auto binding = account_.own_binding(*answer);
                  if (!binding) return failed(binding.error());
                  if (binding->key == chosen_->record.id() && binding->enc == chosen_->shared.id())
                    return accept(*answer->find("binding"), *binding);
                  if (binding->version + 1 == version_)
                    return failed(Error{Code::version_conflict, "binding"});
                  version_ = binding->version + 1;
                });
}

void Adoption::accept(const wire::Value& binding, const keys::Binding& parsed) {
  stage_ = Stage::keeping;
  asked_ = true;
  storage::WriteBatch batch;
  batch.puts.push_back(put_row(table_account, row_stored, to_row(*chosen_)));
  batch.puts.push_back(put_row(table_account, row_binding, wire::encode(binding)));
  batch.erases.push_back(erase_row(table_account, row_token));
  core_.commit(std::move(batch), [this, binding, parsed](const Result<>& outcome) {
    asked_ = false;
    core_.again = true;
    if (!outcome) {  // the server holds it; we ask again until we can keep it
      stage_ = Stage::associating;
      return failed(outcome.error());
    }
    const bool first = !account_.ready();
    const keys::KeyId before = account_.record().id();
    account_.adopt_stored(std::move(*chosen_), binding);
    lookup_.learn_record(std::make_shared<const keys::KeyRecord>(account_.record()));
    end();
    if (first) return core_.tell(AccountReady{parsed.key, parsed.version});
    core_.tell(KeyRotated{before, parsed.key, parsed.version});
  });
}

/// A store that is down, or has not been told of us yet, is asked again: no key of our own takes
/// its place, and nothing is sealed under one.
void Adoption::failed(const Error& why) {
  core_.again = true;
  const bool lost = !link_.up();
  retry_at_ = lost ? core_.now : core_.now + core_.backoff(attempt_++);
  if (stage_ != Stage::associating || !is_temporary(why)) end();
  if (!lost && attempt_ == 1) core_.tell(CommandFailed{"adopt", why});
}

void Adoption::end() {
  if (stage_ == Stage::keeping) attempt_ = 0;
  stage_ = Stage::idle;
  outbox_.hold_sealing(false);
  core_.again = true;
}

std::optional<Instant> Adoption::due() const {
  if (asked_ || !link_.up()) return std::nullopt;
  if (needed() || has_work())
    return retry_at_ > core_.now ? std::optional(retry_at_) : std::nullopt;
  const std::int64_t effective = link_.chain().record.policy.terms.effective;
  if (effective > to_unix_ms(core_.now)) return from_unix_ms(effective);
  return std::nullopt;
}

}  // namespace ams::client
