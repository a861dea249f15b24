// Who acts in a case: accounts of the target, users and domains of the suite.
#include "runner/stage.h"
#include "runner/suite_domain.h"

namespace ams::conform {

Roster::Roster(const Target& target, const std::string& run_tag) {
  for (const AccountGrant& grant : target.grants) {
    const Hash seed = crypto::sha256(as_bytes(run_tag + " device " + grant.addr));
    all_.push_back({grant, crypto::SigningKey::ed25519_from_seed(seed), {}, 0, false});
  }
}

/// a1 to a3: kept; f1 to f9: fresh, each taken from the roster when first named.
Account& Stage::account(const std::string& name) {
  const bool known = name.size() == 2 && (name[0] == 'a' || name[0] == 'f');
  if (!known || name[1] < '1' || name[1] > '9')
    throw StepFailed{Verdict::suite_error, "no such account: " + name};
  Account* found = nullptr;
  if (name[0] == 'a') {
    const auto number = static_cast<std::size_t>(name[1] - '0');
    if (number <= Roster::kept) found = roster_.ready(number);
  } else {
    const auto at = fresh_.find(name);
    found = at != fresh_.end() ? at->second : roster_.fresh();
    if (found) fresh_[name] = found;
  }
  if (!found)
    throw StepFailed{Verdict::not_exercised,
                     "no account left for " + name + ": give more --account"};
  return *found;
}

/// The key of an account, or of a user of the suite's own ("u@conform.test").
const Key& Stage::key_of(const std::string& who) {
  if (who.find('@') == std::string::npos) {
    Account& one = account(who);
    if (!one.key) {
      const std::int64_t nbf = target_.unix_ms() - 86'400'000;
      one.key = make_key("account " + one.grant.addr + to_hex(one.grant.token), nbf);
    }
    return *one.key;
  }
  const auto at = users_.find(who);
  if (at != users_.end()) return at->second;
  const std::int64_t nbf = target_.unix_ms() - 86'400'000;
  return users_.emplace(who, make_key(tag_ + " user " + who, nbf)).first->second;
}

/// "server" is conform.test, "server:NAME" a domain that nobody can discover.
const Domain& Stage::domain_of(const std::string& as) {
  const std::size_t colon = as.find(':');
  const std::string name = colon == std::string::npos ? suite_name : as.substr(colon + 1);
  const auto at = domains_.find(name);
  if (at != domains_.end()) return at->second;
  const std::int64_t now = target_.unix_ms();
  Domain made = name == second_suite_name ? second_suite_domain(now) : make_domain(name, name, now);
  return domains_.emplace(name, std::move(made)).first->second;
}

/// conform.test with keys that are not its own.
const Domain& Stage::impostor(const std::string& root) {
  const auto at = domains_.find("impostor " + root);
  if (at != domains_.end()) return at->second;
  Domain made = make_domain(suite_name, root, target_.unix_ms());
  return domains_.emplace("impostor " + root, std::move(made)).first->second;
}

const crypto::SigningKey& Stage::other_device(const std::string& name) {
  const auto at = devices_.find(name);
  if (at != devices_.end()) return at->second;
  const Hash seed = crypto::sha256(as_bytes(tag_ + " device " + name));
  return devices_.emplace(name, crypto::SigningKey::ed25519_from_seed(seed)).first->second;
}

void Stage::enrol(Session& session, Account& who) {
  call(session, "account.enrol", {{"token", b64(who.grant.token)}});
  who.enrolled = true;
}

/// `more`: further members of the args.
void Stage::associate(Session& session, Account& who, const Json& more) {
  const Key& key = key_of(session.as);
  Json args = {{"record", key.record}, {"version", who.version + 1}};
  args.update(more);
  const Json ok = call(session, "keys.associate", args);
  ++who.version;
  const Json wanted = {{"$signed",
                        {{"ams", "bind/1"},
                         {"addr", who.grant.addr},
                         {"kid", key.kid},
                         {"fp", b64(key.fp)},
                         {"version", who.version}}}};
  require(wanted, ok.value("binding", Json()), "keys.associate's binding");
}

}  // namespace ams::conform
