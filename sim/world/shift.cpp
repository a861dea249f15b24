// What domains publish of their policies in a scenario, and their key stores as they are set up
// before the run.
#include <algorithm>

#include "keystore/asker.h"
#include "keystore/store.h"
#include "sim_world/internet.h"
#include "store/memory.h"

namespace ams::sim {
namespace {

constexpr Duration flip_age = std::chrono::hours{72};  // how long ago a flip says it was published

Instant hour(std::int64_t hours) { return world_start + std::chrono::hours{hours}; }

Bytes draw(const Scenario& s, std::int64_t index, Draw purpose, std::uint64_t decision,
           std::size_t size) {
  Bytes out(size);
  stream(s.seed, static_cast<std::uint64_t>(index), purpose).fill(decision, out);
  return out;
}

std::shared_ptr<const keys::KeyPair> corporate_pair(const Scenario& s, std::int64_t index,
                                                    std::uint64_t decision) {
  keys::KeyPairOptions options = key_times();
  options.custody = keys::Custody::corporate;
  auto made = keys::make_modern(draw(s, index, Draw::flip_key, decision, 80), options);
  AMS_ASSERT(made.has_value());
  return std::make_shared<const keys::KeyPair>(std::move(*made));
}

/// Sets up one key store as its administrator does: keys for the domain, two groups and each user.
class VaultMaker {
 public:
  VaultMaker(const Scenario& s, std::int64_t index, const std::string& domain)
      : s_(s), index_(index), out_(std::make_shared<VaultInfo>()) {
    out_->key = draw(s, index, Draw::vault, 0, 32);
    store_.emplace(keystore::StoreOptions{.domain = domain}, out_->key, disk_, ring_);
    auto writes = store_->init(world_start, entropy());
    AMS_ASSERT(writes.has_value());
    keep(std::move(*writes));
    out_->corporate = {{"", shared(std::nullopt)}};
    out_->groups = {{"even", shared("even")}, {"odd", shared("odd")}};
  }
  void add_member(std::int64_t user, const std::string& addr) {
    create({addr, std::nullopt});
    const crypto::SigningKey device = device_key(s_, user);
    act(keystore::GrantArgs{{addr,
                             false,
                             {keystore::device_of(device)},
                             key_times().exp,
                             {user % 2 == 0 ? "even" : "odd"},
                             {keystore::Purpose::decap, keystore::Purpose::sign}}});
  }
  std::shared_ptr<const VaultInfo> take() { return out_; }

 private:
  Bytes entropy() { return draw(s_, index_, Draw::vault, ++draws_, 32); }
  void keep(storage::WriteBatch writes) {
    AMS_ASSERT(disk_.apply(writes).has_value() && disk_.commit().has_value());
    out_->writes.push_back(std::move(writes));
  }
  keystore::Ok act(const keystore::Args& args) {
    keystore::Acted acted = store_->act(args, world_start, entropy());
    AMS_ASSERT(acted.ok.has_value());
    keep(std::move(acted.writes));
    return std::move(*acted.ok);
  }
  keys::KeyId create(keystore::Scope scope) {
    const keystore::Ok made =
        act(keystore::CreateArgs{std::move(scope), key_times().exp, false, key_times().nbf});
    auto record = keys::KeyRecord::parse(std::get<keystore::Made>(made).record);
    AMS_ASSERT(record.has_value());
    return record->id();
  }
  keys::KeyId shared(std::optional<std::string> group) {
    return create({std::nullopt, std::move(group)});
  }

  const Scenario& s_;
  std::int64_t index_;
  std::shared_ptr<VaultInfo> out_;
  store::MemoryStorage disk_;
  keystore::SoftKeys ring_;
  std::optional<keystore::Store> store_;
  std::uint64_t draws_ = 0;
};

/// Writes the records of one domain, each the successor of the one before.
class Publisher {
 public:
  Publisher(const keys::KeyPair& root, DomainInfo& domain) : root_(root), domain_(domain) {
    domain_.published.push_back({world_start, domain_.chain, keys::isp_policy(), false});
  }
  void add(Instant at, keys::DomainPolicy policy, bool flip = false) {
    const keys::DomainRecord record{
        domain_.name, root_.record.id(), domain_.op->record.id(), policy, ++seq_, domain_.log};
    auto signed_record = keys::make_domain_record(record, root_.signing);
    AMS_ASSERT(signed_record.has_value());
    wire::Value chain = keys::chain_value(*signed_record, root_.record, domain_.op->record);
    AMS_ASSERT(keys::verify_chain(chain, domain_.name, root_.record.id()).has_value());
    domain_.published.push_back({at, std::move(chain), std::move(policy), flip});
  }
  const keys::DomainPolicy& last() const { return domain_.published.back().policy; }

 private:
  const keys::KeyPair& root_;
  DomainInfo& domain_;
  std::int64_t seq_ = 1;
};

/// Both records of a flip are well formed: they lie about when they were published.
void add_flip(Publisher& to, const DomainSpan& flip, const keys::SharedKey& shared) {
  const auto terms = [](keys::Policy mode, Instant effective, std::vector<keys::SharedKey> keys) {
    return keys::PolicyTerms{mode, to_unix_ms(effective), std::move(keys)};
  };
  const Duration notice = std::chrono::milliseconds{keys::policy_notice_ms};
  const Instant start = hour(flip.from_hour), end = start + std::chrono::hours{flip.hours};
  const keys::PolicyTerms corporate =
      terms(keys::Policy::corporate, start - flip_age + notice, {shared});
  to.add(start, {to_unix_ms(start - flip_age), corporate, keys::PolicyTerms{}}, true);
  keys::PolicyTerms prior = corporate;
  prior.effective = std::min(prior.effective, to_unix_ms(end - notice));
  to.add(end, {to_unix_ms(end - notice), terms(keys::Policy::isp, end, {}), prior});
}

}  // namespace

crypto::SigningKey device_key(const Scenario& scenario, std::int64_t user) {
  return crypto::SigningKey::ed25519_from_seed(draw(scenario, user, Draw::user_seed, 0, 32));
}

void plan_policies(const Scenario& scenario, std::int64_t index, const keys::KeyPair& root,
                   DomainInfo& domain) {
  Publisher publisher(root, domain);
  for (const PolicySpec& spec : scenario.policies) {
    if (!spec.at.holds(index)) continue;
    if (!domain.vault) {
      VaultMaker maker(scenario, index, domain.name);
      for (std::int64_t user = index; user < scenario.users; user += scenario.domains)
        maker.add_member(user, "u" + std::to_string(user) + "@" + domain.name);
      domain.vault = maker.take();
    }
    const keys::Policy mode = *keys::find_policy(spec.mode);
    std::vector<keys::SharedKey> listed;
    if (mode == keys::Policy::corporate) listed = domain.vault->corporate;
    if (mode == keys::Policy::groups) listed = domain.vault->groups;
    const Instant at = hour(spec.at.from_hour);
    publisher.add(at, keys::next_policy(publisher.last(), mode, std::move(listed), at));
  }
  for (const DomainSpan& flip : scenario.flips) {
    if (!flip.holds(index)) continue;
    if (!domain.flip_shared) {
      domain.flip_signs = corporate_pair(scenario, index, 0);
      domain.flip_shared = corporate_pair(scenario, index, 1);
    }
    add_flip(publisher, flip, {"", domain.flip_shared->record.id()});
  }
}

}  // namespace ams::sim
