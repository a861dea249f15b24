#include "client/witnesses.h"

#include <utility>

#include "client/lookup.h"
#include "directory/history.h"
#include "policy/mutant.h"

namespace ams::client {
namespace {

constexpr Duration keys_life = std::chrono::hours{24};
constexpr Duration none_life = std::chrono::minutes{1};  // where too few are known

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
  link_.request("directory.relay", wire::Object{{"domain", core_.options.addr.substr(at + 1)}},
                [this](const Result<wire::Value>& answer) {
                  std::vector<std::string> domains;
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

Demand Witnesses::demand(const std::string& domain) const {
  Demand out;
  if (demanded() && !mutant("client.skip_witnesses"))
    out.quorum = static_cast<std::size_t>(core_.options.log_witnesses);
  for (const auto& [name, key] : keys_)
    if (name != domain || mutant("client.own_witness")) out.keys.push_back(key);
  return out;
}

}  // namespace ams::client
