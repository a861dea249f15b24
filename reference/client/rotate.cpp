#include "client/rotate.h"

#include <algorithm>

#include "client/endorse.h"
#include "keys/lineage.h"
#include "policy/mutant.h"

namespace ams::client {

Rotation::Rotation(Core& core, Link& link, Account& account, Lookup& lookup, Outbox& outbox,
                   Publisher& publisher)
    : core_(core),
      link_(link),
      account_(account),
      lookup_(lookup),
      outbox_(outbox),
      publisher_(publisher),
      retry_at_(core.now) {
  if (!account_.ready() || next() == nullptr) return;
  stage_ = Stage::draining;
  outbox_.hold_sealing(true);
}

const keys::KeyPair* Rotation::next() const {
  for (const OtherPair& other : account_.others())
    if (other.state == OtherPair::State::next) return &other.pair;
  return nullptr;
}

void Rotation::rotate(std::optional<keys::KeyPair> pair) {
  core_.again = true;
  if (!account_.ready())
    return core_.tell(CommandFailed{"rotate", Error{Code::not_found, "no account key"}});
  if (has_work())
    return core_.tell(CommandFailed{"rotate", Error{Code::version_conflict, "under way"}});
  if (pair) {
    if (account_.pair_of(pair->record.id()) != nullptr)
      return core_.tell(CommandFailed{"rotate", Error{Code::version_conflict, "our own already"}});
    if (auto valid = pair->record.valid_at(core_.now); !valid)  // KEY-7
      return core_.tell(CommandFailed{"rotate", valid.error()});
    return save(std::move(*pair));
  }
  auto made = account_.make_pair();
  if (!made) return core_.tell(CommandFailed{"rotate", made.error()});
  save(std::move(*made));
}

void Rotation::save(keys::KeyPair pair) {
  stage_ = Stage::saving;
  asked_ = true;
  attempt_ = 0;
  storage::WriteBatch batch;
  batch.puts.push_back(put_pair(OtherPair::State::next, to_unix_ms(core_.now), pair));
  const Result<> revocation = put_revocation(batch, pair);
  account_.add_next(std::move(pair));
  if (!revocation) return failed(revocation.error());
  core_.commit(std::move(batch), [this](const Result<>& outcome) {
    asked_ = false;
    core_.again = true;
    if (!outcome) return failed(outcome.error());
    stage_ = Stage::draining;
    retry_at_ = core_.now;
    outbox_.hold_sealing(!mutant("client.seal_while_rotating"));
  });
}

void Rotation::run() {
  if (asked_ || !link_.up() || core_.now < retry_at_) return;
  const bool drained = !outbox_.has_sealed() || mutant("client.seal_while_rotating");
  if (stage_ == Stage::draining && drained) {
    const auto bound = keys::parse_binding(account_.binding());
    if (!bound) return failed(bound.error());
    // An address that was led elsewhere (BLG-33) has later versions than its last key.
    version_ = std::max(bound->version, seen_of_own(core_).version) + 1;
    stage_ = Stage::associating;
    endorse_by_ = core_.now + history_patience;
  }
  if (stage_ == Stage::associating && !awaits_history()) ask_associate();
}

/// The old key endorses the new one when our domain's log has shown us what it follows.
bool Rotation::awaits_history() const {
  return link_.chain().record.log && !account_.stored() && core_.now < endorse_by_ &&
         seen_of_own(core_).version + 1 < version_;
}

void Rotation::ask_associate() {
  asked_ = true;
  wire::Object args{{"record", next()->record.value()}, {"version", version_}};
  if (!account_.stored())
    if (auto entry =
            endorsed_entry(core_, link_.chain(), {version_, next()->record.id()}, *account_.pair()))
      args.emplace("entry", std::move(*entry));
  link_.request("keys.associate", std::move(args), [this](const Result<wire::Value>& answer) {
    asked_ = false;
    if (!answer && answer.error().code == Code::version_conflict) return ask_own_binding();
    if (!answer) return failed(answer.error());
    const auto binding = account_.own_binding(*answer);
    if (!binding) return failed(binding.error());
    if (binding->key != next()->record.id())
      return failed(Error{Code::from_binding, "binding of another key"});
    accept(*answer->find("binding"), *binding);
  });
}

/// Bound already: to the new key by us, with the answer lost, or by another device of this account.
void Rotation::ask_own_binding() {
  asked_ = true;
  link_.request("keys.lookup", wire::Object{{"addr", core_.options.addr}},
                [this](const Result<wire::Value>& answer) {
                  asked_ = false;
                  core_.again = true;
                  if (!answer) return failed(answer.error());
                  const auto binding = account_.own_binding(*answer);
                  if (!binding) return failed(binding.error());
                  if (binding->key == next()->record.id())
                    return accept(*answer->find("binding"), *binding);
                  // Another device's key: to put ours in its place would make its mail unreadable
                  // there.
                  const bool ours = account_.pair_of(binding->key) != nullptr;
                  if (!ours || binding->version + 1 == version_)
                    return failed(Error{Code::version_conflict, "bound to another key"});
                  version_ = binding->version + 1;
                });
}

void Rotation::accept(const wire::Value& binding, const keys::Binding& parsed) {
  stage_ = Stage::keeping;
  asked_ = true;
  const keys::KeyPair& fresh = *next();
  const keys::KeyId before = account_.record().id();
  storage::WriteBatch batch;
  put_account_pair(batch, fresh);
  batch.puts.push_back(put_row(table_account, row_binding, wire::encode(binding)));
  if (!mutant("client.forget_former_keys"))
    batch.puts.push_back(
        put_pair(OtherPair::State::former, to_unix_ms(core_.now), *account_.pair()));
  batch.erases.push_back(erase_row(table_pairs, key_of(fresh.record.id())));
  batch.erases.push_back(erase_row(table_account, row_stored));
  // The old key says itself which one follows it, so that nobody need take our server's word
  // (KEY-14).
  const keys::EventDraft draft{keys::EventType::supersede, to_unix_ms(core_.now), parsed.key};
  Result<wire::Value> event = ams::fail(Code::not_member, "a key of the store says nothing");
  if (!account_.stored()) event = keys::make_event(*account_.pair(), 1, before.fp, draft);
  if (event) batch.puts.push_back(Publisher::row_of(*event));
  core_.commit(std::move(batch), [this, binding, parsed, before, event](const Result<>& outcome) {
    asked_ = false;
    if (!outcome) {  // the server holds it; we ask again until we can keep it
      stage_ = Stage::associating;
      return failed(outcome.error());
    }
    account_.adopt_next(binding);
    lookup_.learn_record(std::make_shared<const keys::KeyRecord>(account_.pair()->record));
    if (event) publisher_.publish(*event, Publisher::Row::durable);
    end();
    core_.tell(KeyRotated{before, parsed.key, parsed.version});
  });
}

/// Temporary: again after a while. Else the key in use goes on; the pair is kept, since the server
/// may have bound it in spite of what it said.
void Rotation::failed(const Error& why) {
  core_.again = true;
  if (is_temporary(why) && stage_ != Stage::saving) {
    const bool lost = !link_.up();  // the link waits for itself
    retry_at_ = lost ? core_.now : core_.now + core_.backoff(attempt_++);
    if (!lost && attempt_ == 1) core_.tell(CommandFailed{"rotate", why});
    return;
  }
  storage::WriteBatch batch;
  if (const keys::KeyPair* unused = next())
    batch.puts.push_back(put_pair(OtherPair::State::former, to_unix_ms(core_.now), *unused));
  account_.give_up_next();
  core_.commit(std::move(batch), [](const Result<>&) {});  // undone: tried again after a restart
  end();
  core_.tell(CommandFailed{"rotate", why});
}

void Rotation::end() {
  stage_ = Stage::idle;
  outbox_.hold_sealing(false);
  core_.again = true;
}

std::optional<Instant> Rotation::due() const {
  if (asked_ || !link_.up() || !has_work()) return std::nullopt;
  if (retry_at_ > core_.now) return retry_at_;
  const bool waits = stage_ == Stage::associating && awaits_history();
  return waits ? std::optional(endorse_by_) : std::nullopt;
}

}  // namespace ams::client
