// A scenario of directory peers alone: what a TOML file with a [directory] table says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim_world/scenario.h"

namespace ams::sim {

/// The first `peers` peers are cut off from the others.
struct CutSpec {
  std::int64_t from_s = 0, seconds = 60, peers = 1;
};
/// Owners publish at a peer, one after the other over some time.
struct PublishSpec {
  std::int64_t at_s = 0, over_s = 0;
  std::int64_t peer = 0, count = 1;
  std::int64_t first_key = 0;  // of cards, erasures and revocations: which keys, counted from 0
  std::string what = "key";    // "key", "card", "erasure", "revocation"
};
/// Random peers crash and come back with what was durable.
struct ChurnSpec {
  std::int64_t from_s = 0, seconds = 60, crashes = 0, down_s = 30;
};
/// One domain publishes as fast as it can at a peer: good keys, and keys with broken signatures.
struct FloodSpec {
  std::int64_t from_s = 0, seconds = 60, per_s = 100, peer = 0;
  std::int64_t bad_permille = 500;
  std::string through = "quota";  // "peer": that peer takes it all and passes it on
  // Of what a peer passes on: granted by itself; in another peer's name, by a key that is not that
  // one's; in the names of domains that nobody has.
  std::string grants = "own";  // "forged", "made-up"
};
/// From then on the peer runs two logs under one key.
struct TwinSpec {
  std::int64_t peer = 0, at_s = 0;
  std::string shown_to = "half";  // "half": of the peers see the other one; "client": only look-ups
  // "apart": one shows its checkpoints of even sizes alone, the other those of odd sizes.
  std::string sizes = "any";
};
/// The peer takes in no revocation, and logs and shows what it does hold to everybody.
struct WithholdSpec {
  std::int64_t peer = 0;
};
/// These peers stand in one network block; every other peer has a block of its own.
struct PlaceSpec {
  std::int64_t first_peer = 0, peers = 1;
};
/// Peers of one hand: `teller`, which others may have been told of by their operators, and `peers`
/// peers from `first_peer` on, which nobody was told of. They name each other alone, by turns, and
/// take in no revocation.
struct CrowdSpec {
  std::int64_t teller = 0, first_peer = 0, peers = 1;
  bool has(std::int64_t peer) const { return peer >= first_peer && peer < first_peer + peers; }
};
/// A client looks the key `key` up at three peers, again and again.
struct LookSpec {
  std::int64_t from_s = 0, every_s = 60, times = 1;
  std::int64_t first_peer = 0;  // and the two after it
  std::int64_t key = 0;         // from directory.keys + 2 * apart on: of collisions, two each
};
/// Two owners whose keys have one kid publish at once, each at a peer. It needs kids that are cut
/// short (the mutant keys.short_kid).
struct CollisionSpec {
  std::int64_t at_s = 0, first_peer = 0, second_peer = 1;
};
/// What the run must reach; 0: nothing is promised.
struct DirectoryTargets {
  std::int64_t healed_ms = 0;  // from a cut's end until all honest peers hold one set
  std::int64_t reach_ms = 0;   // from a publication until `reach_permille` hold it
  std::int64_t reach_permille = 990;
  std::int64_t detect_rounds = 0;  // from two faces until somebody notices
  std::int64_t evict_rounds = 0;   // until all honest peers have the proof
  std::int64_t refuse_ms = 0;      // from a revocation until no honest peer gives the key out
  std::int64_t learned_min = 0;    // peers that each honest peer has learned
  std::int64_t learned_s = 0;      // by then, and from then on to the end
  std::int64_t crowd_max = -1;     // of crowds, in use at one honest peer at once; -1: any number
};

struct DirectoryScenario {
  std::string name;
  std::uint64_t seed = 1;
  std::int64_t seconds = 600;
  std::int64_t peers = 12;
  std::int64_t interval_s = 60;       // between two rounds of a peer
  std::int64_t keys = 16;             // held by all from the start
  std::int64_t apart = 0;             // and by each side of the first cut alone
  std::int64_t failing_permille = 0;  // of requests, at the peer that is asked
  std::int64_t quota = 100'000;       // new objects a day from one domain
  bool exchange = false;              // peers learn of each other
  std::int64_t explicit_peers = 0;    // each is told of so many: those after it in a ring; 0: all
  NetworkSpec network{.base_latency_ms = 50};
  std::int64_t commit_ms = 4;
  std::vector<CutSpec> cuts;
  std::vector<PublishSpec> publish;
  std::vector<ChurnSpec> churn;
  std::vector<FloodSpec> floods;
  std::vector<TwinSpec> twins;
  std::vector<WithholdSpec> withholding;
  std::vector<PlaceSpec> places;
  std::vector<CrowdSpec> crowds;
  std::vector<LookSpec> looks;
  std::vector<CollisionSpec> collisions;
  DirectoryTargets targets;

  bool withholds(std::int64_t peer) const {
    for (const WithholdSpec& one : withholding)
      if (one.peer == peer) return true;
    return crowd_of(peer) != nullptr;
  }
  const CrowdSpec* crowd_of(std::int64_t peer) const {
    for (const CrowdSpec& crowd : crowds)
      if (crowd.teller == peer || crowd.has(peer)) return &crowd;
    return nullptr;
  }
  /// Whether operators know of it, so that it stands in the ring.
  bool known(std::int64_t peer) const {
    const CrowdSpec* crowd = crowd_of(peer);
    return crowd == nullptr || crowd->teller == peer;
  }
  bool passes_floods(std::int64_t peer) const {
    for (const FloodSpec& flood : floods)
      if (flood.peer == peer && flood.through == "peer") return true;
    return false;
  }
  Duration total_time() const { return std::chrono::seconds{seconds}; }
  bool has_twin(std::int64_t peer) const {
    for (const TwinSpec& twin : twins)
      if (twin.peer == peer) return true;
    return false;
  }
};

/// Whether the file has a [directory] table: then it is for load_directory_scenario. False, too,
/// when it cannot be read.
bool is_directory_scenario(const std::string& path);
tl::expected<DirectoryScenario, FileError> load_directory_scenario(const std::string& path);

}  // namespace ams::sim
