#include "sim_directory/world.h"

#include <algorithm>
#include <limits>

#include "directory/peer.h"
#include "sim_world/internet.h"
#include "store/memory.h"

namespace ams::sim {
namespace {

keys::KeyPair pair_of(const DirectoryScenario& s, std::uint64_t entity, PeerDraw purpose) {
  return modern_pair(stream(s.seed, entity, purpose), key_times());
}

Instant second(std::int64_t s) { return world_start + std::chrono::seconds{s}; }

/// The peers stand in one place: what is far away is said by base_latency_ms alone.
std::shared_ptr<const NetModel> make_net(const DirectoryScenario& s, std::size_t nodes) {
  auto net = std::make_shared<NetModel>(net_options(s.network));
  for (std::size_t i = 0; i < nodes; ++i)
    net->add_node({0, 0, static_cast<std::uint64_t>(s.network.uplink_bytes_per_s)});
  for (const CutSpec& cut : s.cuts) {
    std::vector<LpId> a, b;
    for (LpId lp = 0; lp < static_cast<LpId>(s.peers); ++lp)
      (lp < static_cast<LpId>(cut.peers) ? a : b).push_back(lp);
    net->partition(second(cut.from_s), second(cut.from_s + cut.seconds), a, b);
  }
  return net;
}

/// The rows that a peer writes when it takes in these keys.
std::vector<storage::WriteBatch> rows_of(const std::vector<const keys::KeyPair*>& pairs) {
  std::vector<storage::WriteBatch> out;
  store::MemoryStorage disk;
  directory::PeerOptions options;
  options.domain = "start.example";
  options.full = true;
  options.quota = std::numeric_limits<std::int32_t>::max();
  directory::Peer peer(std::move(options), nullptr, disk, world_start);
  for (std::size_t first = 0; first < pairs.size(); first += directory::publish_max) {
    wire::Array records;
    for (std::size_t i = first; i < std::min(pairs.size(), first + directory::publish_max); ++i)
      records.push_back(pairs[i]->record.value());
    auto published =
        peer.publish(wire::Object{{"records", std::move(records)}}, "start.example", world_start);
    AMS_ASSERT(published && disk.apply(published->writes));
    out.push_back(std::move(published->writes));
  }
  return out;
}

wire::Value card_of(const DirectoryScenario& s, const keys::KeyPair& pair, std::size_t number,
                    bool erased) {
  keys::Card card;
  card.cseq = erased ? 2 : 1;
  stream(s.seed, number, PeerDraw::salt).fill(static_cast<std::uint64_t>(card.cseq), card.salt);
  if (!erased) card.desc = std::string(personal) + std::to_string(number);
  return *keys::make_card(pair, card);
}

/// Two owners of one kid for each: the second is the first of many whose kid is the first's.
void plan_collisions(DirectoryWorld& world) {
  const DirectoryScenario& s = world.scenario;
  std::uint64_t number = 0;
  for (const CollisionSpec& spec : s.collisions) {
    const auto next = [&] { return pair_of(s, number++, PeerDraw::colliding_key); };
    std::vector<keys::KeyPair> both;
    both.push_back(next());
    const Id16 kid = both.front().record.id().kid;
    for (both.push_back(next()); both.back().record.id().kid != kid;) both.back() = next();
    for (std::size_t i = 0; i < both.size(); ++i) {
      Publication one;
      one.at = second(spec.at_s);
      one.peer = static_cast<LpId>(i == 0 ? spec.first_peer : spec.second_peer);
      one.what = "key";
      one.kid = kid;
      one.object = both[i].record.value();
      world.publications.push_back(std::move(one));
      world.owners.push_back(std::move(both[i]));
    }
  }
}

void plan_publications(DirectoryWorld& world) {
  const DirectoryScenario& s = world.scenario;
  for (const PublishSpec& spec : s.publish)
    for (std::int64_t i = 0; i < spec.count; ++i) {
      Publication one;
      one.at = second(spec.at_s) + std::chrono::seconds{spec.over_s} * i / spec.count;
      one.peer = static_cast<LpId>(spec.peer);
      one.what = spec.what;
      std::size_t number = static_cast<std::size_t>(spec.first_key + i);
      if (spec.what == "key") {
        number = world.owners.size();
        world.owners.push_back(pair_of(s, number, PeerDraw::owner_key));
        one.object = world.owners.back().record.value();
      } else if (spec.what == "revocation") {
        one.object = *keys::make_revocation(world.owners[number]);
      } else {
        one.object = card_of(s, world.owners[number], number, spec.what == "erasure");
      }
      one.kid = world.owners[number].record.id().kid;
      world.publications.push_back(std::move(one));
    }
  std::stable_sort(world.publications.begin(), world.publications.end(),
                   [](const Publication& a, const Publication& b) { return a.at < b.at; });
}

/// Records of keys that nobody has; a bad one has another's signature.
void plan_floods(DirectoryWorld& world) {
  const DirectoryScenario& s = world.scenario;
  std::uint64_t number = 0;
  for (const FloodSpec& spec : s.floods)
    for (std::int64_t i = 0; i < spec.seconds * spec.per_s; ++i, ++number) {
      const keys::KeyPair pair = pair_of(s, number, PeerDraw::flood);
      FloodItem item{second(spec.from_s) + std::chrono::seconds{1} * i / spec.per_s,
                     static_cast<LpId>(spec.peer),
                     pair.record.id().kid,
                     pair.record.value(),
                     {}};
      const auto next = static_cast<std::size_t>((spec.peer + 1) % s.peers);
      if (spec.grants == "forged") item.granted_by = world.names[next];
      if (spec.grants == "made-up")
        item.granted_by = "made-up-" + std::to_string(number) + ".example";
      if (stream(s.seed, number, PeerDraw::flood)
              .bernoulli_ppm(1, static_cast<std::uint32_t>(spec.bad_permille * 1'000))) {
        item.object.as_object()["sig"] = *world.ops[0].record.value().find("sig");
      }
      world.flood.push_back(std::move(item));
    }
  std::stable_sort(world.flood.begin(), world.flood.end(),
                   [](const FloodItem& a, const FloodItem& b) { return a.at < b.at; });
}

void plan_churn(DirectoryWorld& world) {
  const DirectoryScenario& s = world.scenario;
  world.crashes.resize(world.peer_count());
  std::uint64_t number = 0;
  for (const ChurnSpec& spec : s.churn)
    for (std::int64_t i = 0; i < spec.crashes; ++i, ++number) {
      const RandomStream draws = stream(s.seed, number, PeerDraw::crash);
      const std::uint64_t peer = draws.below(0, world.peer_count());
      world.crashes[peer].push_back(
          {second(spec.from_s) + draws.uniform(1, Duration{0}, std::chrono::seconds{spec.seconds}),
           std::chrono::seconds{spec.down_s}});
    }
}

/// Whom each peer knows from the start: all, or the next ones in the ring of those that are known.
void plan_acquaintance(DirectoryWorld& world) {
  const DirectoryScenario& s = world.scenario;
  const auto peers = static_cast<LpId>(s.peers);
  std::vector<LpId> ring;
  for (LpId lp = 0; lp < peers; ++lp)
    if (s.known(static_cast<std::int64_t>(lp))) ring.push_back(lp);
  world.told.resize(peers);
  for (LpId lp = 0; lp < peers; ++lp) {
    auto& told = world.told[lp];
    if (s.explicit_peers == 0) {
      for (LpId other = 0; other < peers; ++other)
        if (other != lp) told.push_back(other);
      continue;
    }
    // One of a crowd stands after its teller.
    const CrowdSpec* crowd = s.crowd_of(static_cast<std::int64_t>(lp));
    const auto self = crowd != nullptr ? static_cast<LpId>(crowd->teller) : lp;
    const auto at =
        static_cast<std::size_t>(std::find(ring.begin(), ring.end(), self) - ring.begin());
    if (self != lp) told.push_back(self);
    for (std::size_t i = 1; told.size() < static_cast<std::size_t>(s.explicit_peers); ++i)
      told.push_back(ring[(at + i) % ring.size()]);
  }
  for (const CrowdSpec& crowd : s.crowds) {
    auto& members = world.crowds.emplace_back();
    members.push_back(static_cast<LpId>(crowd.teller));
    for (std::int64_t i = 0; i < crowd.peers; ++i)
      members.push_back(static_cast<LpId>(crowd.first_peer + i));
  }
}

}  // namespace

Bytes DirectoryWorld::address_of(LpId peer) const {
  const auto byte = [](std::uint64_t value) { return static_cast<std::uint8_t>(value & 0xff); };
  for (std::size_t i = 0; i < scenario.places.size(); ++i) {
    const PlaceSpec& place = scenario.places[i];
    const auto number = static_cast<std::int64_t>(peer);
    if (number >= place.first_peer && number < place.first_peer + place.peers)
      return {203, byte(i), byte(peer >> 8), byte(peer)};
  }
  return {byte(16 + (peer >> 8)), byte(peer), 0, 1};
}

std::size_t DirectoryWorld::side_of(LpId peer) const {
  return scenario.cuts.empty() || peer < static_cast<LpId>(scenario.cuts.front().peers) ? 0 : 1;
}

std::shared_ptr<const DirectoryWorld> make_directory_world(DirectoryScenario scenario) {
  auto world = std::make_shared<DirectoryWorld>();
  world->scenario = std::move(scenario);
  const DirectoryScenario& s = world->scenario;
  for (std::int64_t i = 0; i < s.peers; ++i) {
    world->names.push_back("p" + std::to_string(i) + ".example");
    world->by_name.emplace(world->names.back(), static_cast<LpId>(i));
    world->ops.push_back(pair_of(s, static_cast<std::uint64_t>(i), PeerDraw::op_key));
  }
  for (std::int64_t i = 0; i < s.keys + 2 * s.apart; ++i)
    world->owners.push_back(pair_of(s, static_cast<std::uint64_t>(i), PeerDraw::owner_key));
  const auto at = [&](std::int64_t first, std::int64_t count, auto& out) {
    for (std::int64_t i = first; i < first + count; ++i)
      out.push_back(&world->owners[static_cast<std::size_t>(i)]);
  };
  for (std::int64_t side = 0; side < 2; ++side) {
    std::vector<const keys::KeyPair*> held;
    at(0, s.keys, held);
    at(s.keys + side * s.apart, s.apart, held);
    world->at_start[side] = rows_of(held);
  }
  plan_collisions(*world);
  plan_publications(*world);
  plan_floods(*world);
  plan_churn(*world);
  plan_acquaintance(*world);
  world->net = make_net(s, world->peer_count() + s.looks.size());
  return world;
}

}  // namespace ams::sim
