#include "client/witnesses.h"

#include <utility>

#include "bindlog/lie.h"
#include "client/evidence.h"
#include "client/lookup.h"
#include "directory/history.h"
#include "policy/mutant.h"

namespace ams::client {
namespace {

constexpr Duration keys_life = std::chrono::hours{24};
constexpr Duration none_life = std::chrono::minutes{1};  // where too few are known
constexpr Duration compare_again = std::chrono::hours{1};
constexpr std::size_t compared_max = 1'024;
constexpr std::size_t compared_peers_max = 3;

}  // namespace

void Witnesses::ready(std::function<void()> then, bool needed) {
  if ((!demanded() && !needed) || core_.now < next_) return then();
  waiting_.push_back(std::move(then));
  if (asking_) return;
  asking_ = true;
  ask();
}

void Witnesses::ask() {
  if (!core_.options.witness_domains.empty()) return learn(core_.options.witness_domains);
  const auto at = core_.options.addr.find('@');
  const std::string own = core_.options.addr.substr(at + 1);
  link_.request("directory.relay", wire::Object{{"domain", own}},
                [this, own](const Result<wire::Value>& answer) {
                  // Our own server may be a full peer, too: of others' logs a witness like any.
                  std::vector<std::string> domains{own};
                  const wire::Value* peers = answer ? answer->find("peers") : nullptr;
                  if (peers != nullptr && peers->is_array())
                    for (const wire::Value& peer : peers->as_array())
                      if (peer.is_string()) domains.push_back(peer.as_string());
                  learn(std::move(domains));
                });
}

void Witnesses::learn(std::vector<std::string> domains) {
  if (domains.size() > witnesses_max) domains.resize(witnesses_max);
  if (domains.empty()) return finish();
  std::erase_if(keys_, [&](const auto& known) {
    return std::find(domains.begin(), domains.end(), known.first) == domains.end();
  });
  awaited_ = domains.size();
  for (const std::string& domain : domains)
    lookup_.chain(domain, Lookup::Ask::cached_will_do,
                  [this, domain](const Result<ChainPtr>& chain) {
                    if (chain) {
                      keys_.erase(domain);
                      auto key = directory::log_key(domain, (*chain)->op.signing(),
                                                    verifiable::NoteKeyType::cosignature_v1);
                      if (key) keys_.emplace(domain, std::move(*key));
                    }
                    if (--awaited_ == 0) finish();
                  });
}

void Witnesses::finish() {
  asking_ = false;
  const bool enough = keys_.size() >= static_cast<std::size_t>(core_.options.log_witnesses);
  next_ = core_.now + (enough && !keys_.empty() ? keys_life : none_life);
  core_.again = true;
  for (const auto& then : std::exchange(waiting_, {})) then();
}

HeldAgainst hold_against(const keys::Chain& chain, const std::string& note,
                         const wire::Value& got) {
  HeldAgainst out;
  const auto judge = [&]() -> Result<> {
    AMS_TRY(const bindlog::Identity log, bindlog::identity_of(chain.record));
    if (const wire::Value* told = got.find("lie")) {
      AMS_TRY(const bindlog::Lie lie, bindlog::parse_lie(*told));
      AMS_CHECK(bindlog::verify_lie(lie, log, &chain));
      out.lie = *told;
      return fail(Code::log_rewritten, "it has the proof of a fork");
    }
    const wire::Value* shown = got.find("checkpoint");
    if (shown == nullptr) return {};
    if (!shown->is_string()) return fail(Code::schema, "directory.domain.checkpoint");
    AMS_TRY(const auto theirs, verifiable::open_checkpoint(shown->as_string(), log.log));
    AMS_TRY(const auto ours, verifiable::open_checkpoint(note, log.log));
    out.seen = std::to_string(theirs.checkpoint.size) + " epochs";
    const bool apart = theirs.checkpoint.size == ours.checkpoint.size &&
                       theirs.checkpoint.root != ours.checkpoint.root;
    if (!apart || mutant("client.skip_fork")) return {};
    out.lie = fork(chain, note, shown->as_string());
    return fail(Code::log_rewritten, "another root of the same size");
  };
  out.outcome = judge();
  return out;
}

void Witnesses::compare(const std::string& addr, const std::string& note,
                        const keys::Chain& chain) {
  const std::string domain = chain.record.domain;
  const auto at = compared_.find(domain);
  if (at != compared_.end() && core_.now < at->second + compare_again) return;
  if (mutant("client.skip_compare")) return;
  if (compared_.size() >= compared_max) compared_.clear();
  compared_[domain] = core_.now;
  std::size_t asked = 0;
  for (const auto& [peer, key] : keys_) {
    const bool own = core_.options.addr.ends_with("@" + peer);
    if (peer == domain || own || ++asked > compared_peers_max) continue;
    link_.request("directory.relay", wire::Object{{"domain", domain}, {"peer", peer}},
                  [this, addr, note, chain](const Result<wire::Value>& answer) {
                    core_.again = true;
                    const wire::Value* got = answer ? answer->find("got") : nullptr;
                    if (got == nullptr) return;
                    HeldAgainst held = hold_against(chain, note, *got);
                    if (held.lie)
                      core_.tell(Alarm{addr, Error{Code::log_rewritten, "directory.domain"}, *got,
                                       std::move(held.lie)});
                  });
  }
}

Demand Witnesses::demand(const std::string& domain) const {
  Demand out;
  if (demanded() && !mutant("client.skip_witnesses"))
    out.quorum = static_cast<std::size_t>(core_.options.log_witnesses);
  for (const auto& [name, key] : keys_)
    if (name != domain || mutant("client.own_witness")) out.keys.push_back(key);
  return out;
}

}  // namespace ams::client
