#include "client/evidence.h"

#include <algorithm>

#include "bindlog/proof.h"
#include "crypto/vrf.h"

namespace ams::client {
namespace {

Evidence verified(const keys::Chain& chain, decltype(bindlog::Lie::what) what) {
  const bindlog::Lie lie{chain.record.domain, std::move(what)};
  const auto log = bindlog::identity_of(chain.record);
  if (!log || !bindlog::verify_lie(lie, *log, &chain)) return std::nullopt;
  return bindlog::to_value(lie);
}

const bindlog::Item* item_of(const bindlog::History& history, std::int64_t version) {
  const auto at =
      std::find_if(history.items.begin(), history.items.end(),
                   [&](const bindlog::Item& item) { return item.entry.version == version; });
  return at == history.items.end() ? nullptr : &*at;
}

bindlog::Sighting sighting_of(const bindlog::History& history, const bindlog::Item& item) {
  return {history.head, item.place.path, bindlog::value_of(item.entry, item.r)};
}

/// Another value stands under the label of `vrf` at one of the heads than at the other.
Evidence two_values(const keys::Chain& chain, const bindlog::Identity& log, ByteView vrf,
                    bindlog::Sighting one, bindlog::Sighting two) {
  const auto beta = crypto::vrf_proof_to_hash(vrf);
  if (!beta) return std::nullopt;
  const auto older = bindlog::open_head(one.head, log), newer = bindlog::open_head(two.head, log);
  if (older && newer && older->size > newer->size) std::swap(one, two);
  return verified(chain,
                  bindlog::Rewrite{bindlog::label_of(*beta), std::move(one), std::move(two)});
}

}  // namespace

Evidence contradiction(const keys::Chain& chain, const wire::Value& binding,
                       const wire::Value& proof) {
  return verified(chain, bindlog::Contradiction{binding, proof});
}

Evidence denial(const keys::Chain& chain, const wire::Value& history, std::int64_t version,
                const keys::KeyPair& owner) {
  const auto shown = bindlog::parse_history(history);
  if (!shown) return std::nullopt;
  const bindlog::Item* first = item_of(*shown, version - 1);
  const bindlog::Item* second = item_of(*shown, version);
  if (first == nullptr || second == nullptr) return std::nullopt;
  const bindlog::History two{shown->addr, {*first, *second}, {}, {}, shown->head};
  auto deny = bindlog::make_denial(second->entry, bindlog::value_of(second->entry, second->r),
                                   owner.signing);
  if (!deny) return std::nullopt;
  return verified(chain, bindlog::Denial{bindlog::to_value(two), owner.record.value(), *deny});
}

Evidence fork(const keys::Chain& chain, std::string_view note, std::string_view other) {
  const auto log = bindlog::identity_of(chain.record);
  if (!log) return std::nullopt;
  const auto notes = verifiable::make_equivocation(note, other, log->log);
  return notes ? verified(chain, bindlog::Fork{*notes}) : std::nullopt;
}

Evidence rewrite(const keys::Chain& chain, const wire::Value& before, const wire::Value& now) {
  const auto log = bindlog::identity_of(chain.record);
  const auto then = bindlog::parse_history(before);
  const auto shown = bindlog::parse_history(now);
  if (!log || !then || !shown) return std::nullopt;
  if (const auto notes =
          verifiable::make_equivocation(then->head.checkpoint, shown->head.checkpoint, log->log))
    return verified(chain, bindlog::Fork{*notes});
  for (const bindlog::Item& item : then->items) {
    const bindlog::Item* other = item_of(*shown, item.entry.version);
    if (other == nullptr) continue;
    bindlog::Sighting one = sighting_of(*then, item), two = sighting_of(*shown, *other);
    if (one.value == two.value) continue;
    return two_values(chain, *log, item.place.vrf, std::move(one), std::move(two));
  }
  return std::nullopt;
}

Evidence rewrite_proven(const keys::Chain& chain, const wire::Value& before,
                        const wire::Value& now) {
  const auto log = bindlog::identity_of(chain.record);
  const auto then = bindlog::parse_proof(before);
  const auto shown = bindlog::parse_proof(now);
  if (!log || !then || !shown || !then->entry || !shown->entry) return std::nullopt;
  if (auto forked = fork(chain, then->head.checkpoint, shown->head.checkpoint)) return forked;
  const auto sighting = [](const bindlog::Proof& proof) {
    return bindlog::Sighting{proof.head, proof.here.path, bindlog::value_of(*proof.entry, proof.r)};
  };
  return two_values(chain, *log, then->here.vrf, sighting(*then), sighting(*shown));
}

}  // namespace ams::client
