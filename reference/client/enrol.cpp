#include "client/enrol.h"

#include "policy/mutant.h"

namespace ams::client {
namespace {

constexpr std::int64_t clock_slack_ms = 600'000;  // others' clocks may be behind ours

}  // namespace

Account::Account(Core& core, Link& link) : core_(core), link_(link), retry_at_(core.now) { load(); }

void Account::load() {
  auto pair = read_account_pair(core_.reader);
  if (!pair) return core_.tell(CommandFailed{"load", pair.error()});
  if (!*pair) return;
  pair_ = std::move(**pair);
  auto others = read_other_pairs(core_.reader);
  if (!others) return core_.tell(CommandFailed{"load", others.error()});
  for (OtherPair& other : *others) others_.push_back(std::move(other));
  if (const auto token = core_.row(table_account, row_token)) {
    token_ = to_array<32>(*token);
    if (token_) stage_ = Stage::enrolling;
  }
  if (const auto bytes = core_.row(table_account, row_binding)) {
    auto binding = wire::decode(*bytes);
    if (!binding) return core_.tell(CommandFailed{"load", binding.error()});
    binding_ = std::move(*binding);
    stage_ = Stage::ready;
  }
  if (const auto bytes = core_.row(table_account, row_stored)) {
    auto stored = parse_stored_keys(*bytes);
    if (!stored) return core_.tell(CommandFailed{"load", stored.error()});
    stored_ = std::move(*stored);
  }
}

/// Whether a key that we made may be associated now (POL-2).
bool Account::by_client() const {
  return keys::policy_at(link_.chain().record, core_.now).mode == keys::Policy::isp;
}

void Account::adopt_stored(StoredKeys stored, const wire::Value& binding) {
  stored_ = std::move(stored);
  binding_ = binding;
  stage_ = Stage::ready;
  token_.reset();
}

Result<keys::KeyPair> Account::make_pair() {
  const Bytes entropy = core_.drbg.bytes(80);
  keys::KeyPairOptions options;
  options.nbf = std::max<std::int64_t>(to_unix_ms(core_.now) - clock_slack_ms, 0);
  options.exp = options.nbf + std::min(core_.options.key_life_ms, keys::key_life_ms_max);
  return keys::make_modern(entropy, options);
}

const keys::KeyPair* Account::pair_of(const keys::KeyId& id) const {
  if (pair_ && pair_->record.id() == id) return &*pair_;
  for (const OtherPair& other : others_)
    if (other.pair.record.id() == id) return &other.pair;
  return nullptr;
}

void Account::add_next(keys::KeyPair pair) {
  others_.push_back(OtherPair{OtherPair::State::next, to_unix_ms(core_.now), std::move(pair)});
}

void Account::adopt_next(const wire::Value& binding) {
  for (OtherPair& other : others_) {
    if (other.state != OtherPair::State::next) continue;
    std::swap(other.pair, *pair_);
    other.state = OtherPair::State::former;
    other.at = to_unix_ms(core_.now);
  }
  stored_.reset();
  binding_ = binding;
}

void Account::give_up_next() {
  for (OtherPair& other : others_) other.state = OtherPair::State::former;
}

void Account::enrol(const Hash& token, std::optional<keys::KeyPair> pair) {
  if (ready()) return core_.tell(CommandFailed{"enrol", Error{Code::address_taken, "enrolled"}});
  // An attempt that was kept goes on with its pair, which the server may have bound already.
  if (has_work() && token_ == token) return;
  if (has_work() && asked_)
    return core_.tell(CommandFailed{"enrol", Error{Code::enrol_token, "under way"}});
  token_ = token;
  if (pair && !has_work()) {
    pair_ = std::move(*pair);
  } else if (!pair_) {  // a pair of an enrolment that was refused serves the next one
    auto made = make_pair();
    if (!made) return core_.tell(CommandFailed{"enrol", made.error()});
    pair_ = std::move(*made);
  }
  save();
}

void Account::save() {
  stage_ = Stage::saving;
  asked_ = true;
  version_ = 1;
  attempt_ = 0;
  enrol_refused_.reset();
  storage::WriteBatch batch;
  put_account_pair(batch, *pair_);
  if (auto put = put_revocation(batch, *pair_); !put)
    return core_.tell(CommandFailed{"enrol", put.error()});
  batch.puts.push_back(put_row(table_account, row_token, to_bytes(ByteView(*token_))));
  core_.commit(std::move(batch), [this](const Result<>& outcome) {
    asked_ = false;
    if (!outcome) return failed("enrol", outcome.error());
    stage_ = Stage::enrolling;
    retry_at_ = core_.now;
  });
}

void Account::run() {
  if (asked_ || !link_.up() || core_.now < retry_at_) return;
  if (stage_ == Stage::enrolling) ask_enrol();
  if (stage_ == Stage::associating && !asked_ && by_client()) ask_associate();
}

void Account::ask_enrol() {
  asked_ = true;
  link_.request("account.enrol", wire::Object{{"token", to_base64url(*token_)}},
                [this](const Result<wire::Value>& answer) {
                  asked_ = false;
                  if (!answer && answer.error().code != Code::enrol_token)
                    return failed("enrol", answer.error());
                  // The token may have been used by us, and the answer lost: associating will show.
                  if (!answer) enrol_refused_ = answer.error();
                  stage_ = Stage::associating;
                });
}

void Account::ask_associate() {
  asked_ = true;
  wire::Object args{{"record", pair_->record.value()}, {"version", version_}};
  if (mutant("client.leak_private_key"))
    args.emplace("x_debug", to_base64url(pair_->signing.private_raw().view()));
  link_.request("keys.associate", std::move(args), [this](const Result<wire::Value>& answer) {
    asked_ = false;
    if (!answer && answer.error().code == Code::version_conflict) return ask_own_binding();
    if (!answer && answer.error().code == Code::auth_key && enrol_refused_)
      return failed("enrol", *enrol_refused_);
    if (!answer) return failed("associate", answer.error());
    const auto binding = own_binding(*answer);
    if (!binding) return failed("associate", binding.error());
    if (binding->key != pair_->record.id())
      return failed("associate", Error{Code::from_binding, "binding of another key"});
    accept(*answer->find("binding"), *binding);
  });
}

/// Something is bound already: by us, with the answer lost, or by an earlier device of this
/// account.
void Account::ask_own_binding() {
  asked_ = true;
  link_.request(
      "keys.lookup", wire::Object{{"addr", core_.options.addr}},
      [this](const Result<wire::Value>& answer) {
        asked_ = false;
        if (!answer) return failed("associate", answer.error());
        const auto binding = own_binding(*answer);
        if (!binding) return failed("associate", binding.error());
        if (binding->key == pair_->record.id()) return accept(*answer->find("binding"), *binding);
        if (binding->version + 1 == version_)  // that was the successor, and still refused
          return failed("associate", Error{Code::version_conflict, "binding"});
        version_ = binding->version + 1;
      });
}

Result<keys::Binding> Account::own_binding(const wire::Value& answer) const {
  const wire::Value* value = answer.find("binding");
  if (!value) return ams::fail(Code::schema, "binding");
  auto binding = keys::verify_binding(*value, link_.chain());
  if (!binding && mutant("client.skip_binding_check")) binding = keys::parse_binding(*value);
  if (!binding) return tl::unexpected(binding.error());
  if (binding->addr != core_.options.addr) return ams::fail(Code::from_binding, "binding.addr");
  return std::move(*binding);
}

void Account::accept(const wire::Value& binding, const keys::Binding& parsed) {
  stage_ = Stage::keeping;
  asked_ = true;
  binding_ = binding;
  storage::WriteBatch batch;
  batch.puts.push_back(put_row(table_account, row_binding, wire::encode(binding)));
  batch.erases.push_back(erase_row(table_account, row_token));
  core_.commit(std::move(batch), [this, parsed](const Result<>& outcome) {
    asked_ = false;
    if (!outcome) {  // the server holds it; we ask again until we can keep it
      stage_ = Stage::associating;
      return failed("associate", outcome.error());
    }
    stage_ = Stage::ready;
    token_.reset();
    core_.again = true;
    core_.tell(AccountReady{parsed.key, parsed.version});
  });
}

/// Temporary: again, from the same stage, after a while. Else the token is spent and the keys stay.
void Account::failed(std::string what, const Error& why) {
  core_.again = true;
  if (is_temporary(why) && stage_ != Stage::saving) {
    const bool lost = !link_.up();  // the link waits for itself
    retry_at_ = lost ? core_.now : core_.now + core_.backoff(attempt_++);
    if (!lost && attempt_ == 1) core_.tell(CommandFailed{std::move(what), why});
    return;
  }
  stage_ = Stage::none;
  token_.reset();
  core_.tell(CommandFailed{std::move(what), why});
  storage::WriteBatch batch;
  batch.erases.push_back(erase_row(table_account, row_token));
  core_.commit(std::move(batch), [](const Result<>&) {});
}

std::optional<Instant> Account::due() const {
  if (asked_ || !link_.up() || !has_work()) return std::nullopt;
  return retry_at_;
}

}  // namespace ams::client
