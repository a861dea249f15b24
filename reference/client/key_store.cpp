#include "client/key_store.h"

#include "policy/mutant.h"

namespace ams::client {
namespace {

constexpr std::int64_t capability_spare_ms = 60'000;  // of life left, when it is used
constexpr std::size_t keys_max = 1'024;               // of a store that would have us hold more

/// A store that answers nonsense may be replaced by one that does not: asked again later.
Error temporary_of(const Error& why) {
  switch (why.code) {
    case Code::kid_mismatch:
    case Code::fp_mismatch:
    case Code::signature:
    case Code::algorithm_mix:
    case Code::unwrap:
      return Error{Code::keystore_answer, why.where};
    default:
      return why;
  }
}

Result<HeldKey> held_key(const keystore::ListedKey& listed) {
  AMS_TRY(keys::KeyRecord record, keys::KeyRecord::parse(listed.record));
  if (record.custody() != keys::Custody::corporate) return fail(Code::key_origin, "listed key");
  HeldKey out{std::move(record), listed.scope, listed.retired, {}, {}};
  for (const keystore::Capability& capability : listed.capabilities) {
    if (capability.kid != out.record.id().kid) return fail(Code::keystore_answer, "capability");
    if (capability.purpose == keystore::Purpose::decap) out.decap = capability;
    if (capability.purpose == keystore::Purpose::sign) out.sign = capability;
  }
  return out;
}

}  // namespace

void KeyStoreLink::ask(keystore::Args args, std::optional<keystore::Capability> capability,
                       std::optional<keys::KeyRecord> record, Judged then) {
  keystore::Request request;
  request.addr = core_.options.addr;
  request.args = std::move(args);
  request.capability = std::move(capability);
  request.device = to_array<32>(device_.public_raw()).value();
  request.id = core_.drbg.array<16>();
  request.ts = to_unix_ms(core_.now);
  const std::uint64_t ticket = next_ticket_++;
  auto signed_text = keystore::sign_request(request, device_);
  Pending& pending = pending_[ticket];
  pending.asked = std::move(request);
  pending.record = std::move(record);
  pending.then = std::move(then);
  pending.deadline = core_.now + key_store_patience;
  // A device key always signs; without a store, or with one that fails, the deadline answers.
  if (signed_text && is_there()) asks_.push_back(KeyStoreAsk{ticket, std::move(*signed_text)});
  if (!is_there()) pending.deadline = core_.now;
}

void KeyStoreLink::handle(std::uint64_t ticket, const Result<Bytes>& answer) {
  const auto at = pending_.find(ticket);
  if (at == pending_.end()) return;  // its deadline passed
  const Pending pending = std::move(at->second);
  pending_.erase(at);
  core_.again = true;
  if (!answer) return pending.then(tl::unexpected(answer.error()));
  auto judged =
      keystore::judge_answer(pending.asked, *answer, pending.record ? &*pending.record : nullptr);
  if (judged) return pending.then(std::move(*judged));
  core_.log(machine::Log::Level::warning,
            "client.key_store " + std::string(code_info(judged.error().code).name));
  pending.then(tl::unexpected(temporary_of(judged.error())));
}

// --- what is there
// --------------------------------------------------------------------------------

void KeyStoreLink::refresh(Done then) {
  list_waiters_.push_back(std::move(then));
  if (list_waiters_.size() > 1) return;
  fresh_.clear();
  list_from(std::nullopt);
}

void KeyStoreLink::list_from(std::optional<Id16> after) {
  ask(keystore::ListArgs{after}, std::nullopt, std::nullopt,
      [this](Result<keystore::Ok> answer) { listed(std::move(answer)); });
}

void KeyStoreLink::listed(Result<keystore::Ok> answer) {
  if (!answer) return finish_list(tl::unexpected(answer.error()));
  const auto& page = std::get<keystore::Listed>(*answer);
  const std::size_t before = fresh_.size();
  std::optional<Id16> last;
  for (const keystore::ListedKey& listed : page.keys) {
    auto key = held_key(listed);
    if (!key) return finish_list(tl::unexpected(temporary_of(key.error())));
    last = key->record.id().kid;
    fresh_.insert_or_assign(key->record.id(), std::move(*key));
  }
  // Pages that bring nothing new would have us turn in circles.
  if (!page.more || fresh_.size() == before || fresh_.size() >= keys_max) return finish_list({});
  list_from(last);
}

void KeyStoreLink::finish_list(const Result<>& outcome) {
  if (outcome) keys_ = std::move(fresh_);
  fresh_.clear();
  const std::deque<Done> waiters = std::exchange(list_waiters_, {});
  core_.again = true;
  for (const Done& waiter : waiters) waiter(outcome);
}

const HeldKey* KeyStoreLink::find(const keys::KeyId& key) const {
  const auto at = keys_.find(key);
  return at == keys_.end() ? nullptr : &at->second;
}

const HeldKey* KeyStoreLink::successor(const HeldKey& key) const {
  if (!key.retired || key.scope.addr) return nullptr;
  for (const auto& [id, other] : keys_)
    if (!other.retired && other.scope == key.scope) return &other;
  return nullptr;
}

std::string KeyStoreLink::group_address(const HeldKey& key) const {
  const std::string& addr = core_.options.addr;
  return key.scope.group ? *key.scope.group + addr.substr(addr.find('@')) : std::string();
}

const HeldKey* KeyStoreLink::own() const {
  for (const auto& [id, key] : keys_)
    if (!key.retired && key.sign && key.scope.addr == core_.options.addr &&
        key.record.valid_at(core_.now))
      return &key;
  return nullptr;
}

// --- using a key
// ----------------------------------------------------------------------------------

/// With a capability that still lives; without one the store is asked once what we have.
void KeyStoreLink::use(const keys::KeyId& key, keystore::Args args,
                       std::optional<keys::KeyRecord> record, bool listed, Judged then) {
  const HeldKey* held = find(key);
  const bool signs = std::holds_alternative<keystore::SignArgs>(args);
  const std::optional<keystore::Capability>* capability = !held   ? nullptr
                                                          : signs ? &held->sign
                                                                  : &held->decap;
  const bool lives =
      capability && *capability && to_unix_ms(core_.now) + capability_spare_ms < (*capability)->exp;
  if (!lives && listed) return then(fail(Code::not_member, "key of the store"));
  if (!lives)
    return refresh([this, key, args = std::move(args), record = std::move(record),
                    then = std::move(then)](const Result<>& outcome) {
      if (!outcome) return then(tl::unexpected(outcome.error()));
      use(key, args, record, true, then);
    });
  ask(std::move(args), **capability, std::move(record),
      [this, key, then = std::move(then)](Result<keystore::Ok> ok) {
        if (!ok) keys_.erase(key);  // the next time the store is asked what we have
        then(std::move(ok));
      });
}

void KeyStoreLink::decap(const keys::KeyId& key, Bytes enc, Secret then) {
  use(key, keystore::DecapArgs{std::move(enc), key.kid}, std::nullopt, false,
      [then = std::move(then)](Result<keystore::Ok> ok) {
        if (!ok) return then(tl::unexpected(ok.error()));
        then(std::move(std::get<keystore::Shared>(*ok).shared));
      });
}

void KeyStoreLink::sign(const keys::KeyRecord& record, Bytes text, Signature then) {
  use(record.id(), keystore::SignArgs{record.id().kid, std::move(text)}, record, false,
      [then = std::move(then)](Result<keystore::Ok> ok) {
        if (!ok) return then(tl::unexpected(ok.error()));
        then(std::move(std::get<keystore::Signed>(*ok).sig));
      });
}

void KeyStoreLink::rewrap(const keys::KeyId& from, const keys::KeyId& to,
                          std::vector<keystore::RewrapItem> items, Wrapped then) {
  use(from, keystore::RewrapArgs{std::move(items), from.kid, to.kid}, std::nullopt, false,
      [then = std::move(then)](Result<keystore::Ok> ok) {
        if (!ok) return then(tl::unexpected(ok.error()));
        then(std::move(std::get<keystore::Rewrapped>(*ok)));
      });
}

// --- time
// -----------------------------------------------------------------------------------------

std::optional<KeyStoreAsk> KeyStoreLink::poll() {
  if (asks_.empty()) return std::nullopt;
  KeyStoreAsk out = std::move(asks_.front());
  asks_.pop_front();
  return out;
}

void KeyStoreLink::run() {
  std::vector<std::uint64_t> late;
  for (const auto& [ticket, pending] : pending_)
    if (core_.now >= pending.deadline) late.push_back(ticket);
  const Code code = is_there() ? Code::keystore_timeout : Code::keystore_unreachable;
  for (const std::uint64_t ticket : late) handle(ticket, fail(code, "key store"));
}

std::optional<Instant> KeyStoreLink::due() const {
  std::optional<Instant> out;
  for (const auto& [ticket, pending] : pending_) out = earlier(out, pending.deadline);
  return out;
}

}  // namespace ams::client
