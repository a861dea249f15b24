// Who answers for a new key: the domain that granted it, the domain that published it here, or
// nobody (spec DIR-59 to DIR-61).
#include "directory/peer.h"
#include "policy/mutant.h"

namespace ams::directory {

/// The seam for standing (design 05): one quota for all domains until then.
bool Peer::may_publish(std::string_view domain, Instant now) const {
  return quotas_.has(domain, now) || mutant("directory.skip_quota");
}

void Peer::charge(std::string_view domain, Instant now) { (void)quotas_.take(domain, now); }

/// Empty: no domain answers for it. A light peer takes new keys from its own users alone, or knows
/// who publishes them: it looks at no grant.
Result<std::optional<Peer::Backing>> Peer::backing_of(const wire::Value& object, const KeyName& key,
                                                      const Offer& offer, Instant now) {
  std::optional<Backing> none;
  if (!options_.full || mutant("directory.grants_ignored")) return none;
  if (offer.aside != nullptr) return weigh(*offer.aside, now);
  if (offer.vouchers == nullptr) return none;
  const auto& voucher = offer.vouchers->of(offer.place);
  if (!voucher) return none;
  const auto& grant = offer.vouchers->grant(*voucher);
  AMS_CHECK(grant);
  AMS_CHECK(verify_place(**grant, key.fp, voucher->place));
  return weigh(
      {object, key.kid, std::string(offer.from_domain), offer.on, {*grant, voucher->place}}, now);
}

/// DIR-60, DIR-61. A grant by a key that is not the domain's counts as none: it may have had that
/// key when it granted, and nobody can tell. So does one of a domain that did not answer.
Result<std::optional<Peer::Backing>> Peer::weigh(SetAside key, Instant now) {
  const Grant& grant = *key.vouched.grant;
  const bool own = grant.domain == options_.domain;
  const crypto::VerifyKey* op = grantors_.find(grant.domain, now);
  if (own) op = own_op_ ? &*own_op_ : nullptr;
  if (op == nullptr && mutant("directory.grants_of_strangers"))
    return std::optional(Backing{std::move(key.vouched), true});
  const bool named =
      op != nullptr && (op_key_hash(*op) == grant.op_key || mutant("directory.grant_any_op_key"));
  if (!named) {
    const bool asks = aside_.waits_for(grant.domain) || grantors_.may_ask(grant.domain, now);
    if (own || !asks || !is_peer(key.from)) return std::optional<Backing>();
    return set_aside(std::move(key), now);
  }
  Backing out{std::move(key.vouched), false};
  if (!may_publish(out.vouched.grant->domain, now)) return std::optional(std::move(out));
  AMS_CHECK(verified_grants_.verify(*out.vouched.grant, *op));
  out.verified = true;
  return std::optional(std::move(out));
}

/// DIR-61. The domain is asked who it is, once for all that wait for it.
Result<std::optional<Peer::Backing>> Peer::set_aside(SetAside key, Instant now) {
  const std::string domain = key.vouched.grant->domain;
  const std::string from = key.from;
  const auto later = [] { return fail(Code::peer_unreachable, "grant.domain"); };
  const bool waits = aside_.waits_for(domain);
  if (!waits && !grantor_asks_.has(from, now) && !mutant("directory.ask_without_end"))
    return later();
  if (!aside_.put(std::move(key)) || waits) return later();
  (void)grantor_asks_.take(from, now);
  grantors_.asked(domain, now);
  ask({Purpose::grantor, domain, {}, {}, {}, {}, {}}, "directory.head", wire::Object{});
  return later();
}

void Peer::handle_grantor(const std::string& domain, const crypto::VerifyKey* op, Instant now) {
  if (op != nullptr) grantors_.put(domain, *op, now);
  std::map<std::string, std::set<Id16>> taken;
  storage::WriteBatch writes;
  Draft draft;
  for (const SetAside& one : aside_.take(domain)) {
    if (evicted(one.from)) continue;
    const auto kid = judge(one.record, {{}, one.from, one.on, nullptr, 0, &one}, draft, now);
    if (kid) {
      taken[one.from].insert(*kid);
    } else {
      count(kid.error().code);
    }
  }
  if (!keep(draft, writes)) return;
  for (const auto& [from, kids] : taken) push(kids, from, nullptr);
  write(std::move(writes));
}

void Peer::note_new(Draft& draft, const KeyName& key, const Vouched* vouched, bool relayed) {
  if (vouched != nullptr) {
    draft.vouched.emplace(key.kid, *vouched);
  } else if (!relayed) {
    draft.to_vouch.emplace_back(key.kid, key.fp);
  }
}

/// DIR-59. What others publish may use up half of our quota elsewhere: the rest is our own users'.
void Peer::vouch(Draft& draft, std::string_view from_domain, Instant now) {
  const bool own = from_domain == options_.domain;
  const bool ours = own || options_.full || mutant("directory.grant_for_others");
  if (op_ == nullptr || !ours || mutant("directory.grant_nothing")) return;
  std::vector<Id16> kids;
  std::vector<Hash> fps;
  for (const auto& [kid, fp] : draft.to_vouch) {
    if (!own && !lent_.take("", now) && !mutant("directory.lend_without_end")) break;
    kids.push_back(kid);
    fps.push_back(fp);
  }
  if (kids.empty()) return;
  const auto granted = make_grant(options_.domain, fps, *op_);
  if (!granted) return;  // it goes without: DIR-54
  auto grant = parse_grant(granted->grant);
  if (!grant) return;
  const auto shared = std::make_shared<const Grant>(std::move(*grant));
  for (std::size_t i = 0; i < kids.size(); ++i)
    draft.vouched.emplace(kids[i], Vouched{shared, granted->places[i]});
}

}  // namespace ams::directory
