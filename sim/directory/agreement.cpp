#include "sim_directory/agreement.h"

#include <algorithm>
#include <array>

#include "crypto/crypto.h"
#include "sim_world/internet.h"

namespace ams::sim {
namespace {

constexpr std::int64_t samples_wanted = 300;

/// Independent of the order in which entries came: the sum of a term for each.
using Print = std::array<std::uint64_t, 2>;

Print term(const Id16& kid, const Hash& value) {
  Bytes both = to_bytes(ByteView(kid));
  append(both, ByteView(value));
  const Hash hash = crypto::sha256(both);
  return {read_u64(ByteView(hash).first(8)), read_u64(ByteView(hash).subspan(8, 8))};
}
void toggle(Print& print, const Print& by) {
  print[0] ^= by[0];
  print[1] ^= by[1];
}

struct Step {
  Instant at;
  LpId peer = 0;
  const EntryChange* change = nullptr;  // else: life
  bool up = false;
};

struct State {
  bool up = false;
  Print print{};
  std::map<Id16, Print> terms;
};

std::vector<Step> steps_of(const DirectoryWorld& world,
                           const std::vector<const PeerLedger*>& peers) {
  std::vector<Step> out;
  for (LpId lp = 0; lp < peers.size(); ++lp) {
    if (!world.honest(lp)) continue;
    for (const EntryChange& change : peers[lp]->changes)
      out.push_back({change.at, lp, &change, {}});
    for (const auto& [at, up] : peers[lp]->life) out.push_back({at, lp, nullptr, up});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Step& a, const Step& b) { return a.at < b.at; });
  return out;
}

}  // namespace

Agreement::Agreement(const DirectoryWorld& world, const std::vector<const PeerLedger*>& peers) {
  std::size_t honest = 0;
  for (LpId lp = 0; lp < peers.size(); ++lp) honest += world.honest(lp);
  std::vector<State> states(peers.size());
  std::map<Print, std::size_t> sets;  // of peers that are up
  std::size_t up = 0;
  const auto count = [&](const State& state, bool in) {
    if (!state.up) return;
    if (in) {
      ++sets[state.print];
    } else if (--sets[state.print] == 0) {
      sets.erase(state.print);
    }
  };
  const auto sample = [&](Instant at) {
    std::size_t most = 0;
    for (const auto& [print, peers_with] : sets) most = std::max(most, peers_with);
    samples_.push_back({at, up, most, sets.size()});
  };
  const Duration every = world.scenario.total_time() / samples_wanted;
  Instant next = world_start;
  for (const Step& step : steps_of(world, peers)) {
    for (; next < step.at; next += every) sample(next);
    State& state = states[step.peer];
    count(state, false);
    if (step.change == nullptr) {
      up += step.up ? 1 : 0;
      up -= state.up && !step.up ? 1 : 0;
      state.up = step.up;
    } else {
      Print& held = state.terms[step.change->kid];
      toggle(state.print, held);
      held = step.change->value ? term(step.change->kid, *step.change->value) : Print{};
      toggle(state.print, held);
    }
    count(state, true);
    const bool agreed = up == honest && sets.size() == 1;
    if (agreed_.empty() || agreed_.back().second != agreed) agreed_.emplace_back(step.at, agreed);
  }
  for (; next <= world_start + world.scenario.total_time(); next += every) sample(next);
}

std::optional<Instant> Agreement::first_agreed(Instant from) const {
  bool agreed = false;
  for (const auto& [at, now] : agreed_) {
    if (at >= from && agreed) return from;
    if (at >= from && now) return at;
    agreed = now;
  }
  return agreed ? std::optional(from) : std::nullopt;
}

}  // namespace ams::sim
