// What all peers of a simulated directory share and nobody changes during a run: names, keys, what
// each holds at the start, what will be published when.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "keys/lineage.h"
#include "keys/records.h"
#include "sim_directory/scenario.h"
#include "sim_engine/random.h"
#include "sim_net/model.h"
#include "storage/storage.h"

namespace ams::sim {

/// Purposes of random streams in this room.
enum class PeerDraw : std::uint32_t {
  op_key = 64,
  owner_key,
  salt,
  phase,
  failing,
  crash,
  flood,
  rand_method,
  colliding_key,
  trials,
};
inline RandomStream stream(std::uint64_t seed, std::uint64_t entity, PeerDraw purpose) {
  return {seed, entity, static_cast<std::uint32_t>(purpose)};
}

inline constexpr std::string_view personal =
    "personal-data-of-";  // in every card that is no erasure
inline constexpr std::string_view flood_domain = "flood.example";
inline constexpr std::size_t look_peers = 3;

/// An owner's publication: which object goes to which peer, and when.
struct Publication {
  Instant at;
  LpId peer = 0;
  std::string what;  // as PublishSpec
  Id16 kid{};
  wire::Value object;
};
/// One of a flood.
struct FloodItem {
  Instant at;
  LpId peer = 0;
  Id16 kid{};
  wire::Value object;
  std::string granted_by;  // in whose name it comes with a grant; empty: the peer grants it
};
struct Crash {
  Instant at;
  Duration down{};
};

struct DirectoryWorld {
  DirectoryScenario scenario;
  std::shared_ptr<const NetModel> net;
  std::vector<std::string> names;  // of peers, by LpId
  std::map<std::string, LpId, std::less<>> by_name;
  std::vector<keys::KeyPair> ops;     // of peers, by LpId
  std::vector<keys::KeyPair> owners;  // of keys, by number: common, apart twice, published
  std::vector<storage::WriteBatch> at_start[2];  // disks of the first cut's two sides
  std::vector<Publication> publications;         // by time
  std::vector<FloodItem> flood;                  // by time
  std::vector<std::vector<Crash>> crashes;       // by peer

  std::vector<std::vector<LpId>> told;    // by peer: whom its operator told it of
  std::vector<std::vector<LpId>> crowds;  // by crowd: its members, the teller too

  /// Its IPv4 address: no two peers of one network block, but for those of a place.
  Bytes address_of(LpId peer) const;
  std::size_t peer_count() const { return names.size(); }
  std::size_t side_of(LpId peer) const;  // of the first cut
  bool honest(LpId peer) const {
    return !scenario.has_twin(peer) && !scenario.passes_floods(peer) && !scenario.withholds(peer);
  }
};

/// Everything follows from the scenario and its seed.
std::shared_ptr<const DirectoryWorld> make_directory_world(DirectoryScenario scenario);

}  // namespace ams::sim
