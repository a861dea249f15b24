// Cosignatures of our own log, sought as soon as an epoch is durable: a round brings one, and where
// every minute has an epoch no proof would ever have two (spec DIR-78).
#include <algorithm>

#include "directory/peer.h"
#include "policy/mutant.h"

namespace ams::directory {

void Peer::seek_cosignatures() {
  if (!options_.full || history_.checkpoint().empty() || mutant("directory.wait_for_cosigners"))
    return;
  if (cosigning_.size != history_.size()) cosigning_ = {history_.size(), {}, 0};
  // Those that the operator named first: a learned one cosigns only if it learned us, too.
  const std::size_t peers = in_order().size();
  for (std::size_t i = 0; i < 2 * peers; ++i) {
    if (history_.cosignatures() + cosigning_.in_flight >= cosignatures_wanted) return;
    const bool enough = cosigning_.asked.size() >= cosigners_asked_max;
    if (enough && !mutant("directory.seek_all")) return;
    const std::string& domain = in_order()[next_cosigner_++ % peers];
    if (slots_.configured(domain) != (i < peers)) continue;
    if (evicted(domain) || !cosigning_.asked.insert(domain).second) continue;
    ++cosigning_.in_flight;
    Asked asked{Purpose::cosigning, domain, {}, {}, {}, {}, {}};
    asked.known.size = cosigning_.size;
    ask(std::move(asked), "directory.gossip", wire::Value(shown_to(domain)));
  }
}

void Peer::handle_cosigning(const Asked& asked, const Result<wire::Value>& outcome,
                            const crypto::VerifyKey* op, Instant now) {
  const bool current = asked.known.size == cosigning_.size;
  if (current) --cosigning_.in_flight;
  if (outcome && is_peer(asked.domain)) {
    const auto known = shown_.find(asked.domain);
    const std::uint64_t before = known == shown_.end() ? 0 : known->second;
    const std::size_t had = history_.cosignatures();
    take_shown(asked, *outcome, op, now);
    // It knows our log from a time that we forgot: with the proof from there on it may cosign.
    const auto told = shown_.find(asked.domain);
    const bool again = told != shown_.end() && told->second > before &&
                       told->second < history_.size() && history_.cosignatures() == had;
    if (current && again) cosigning_.asked.erase(asked.domain);
  }
  if (current) seek_cosignatures();
}

}  // namespace ams::directory
