#include "sim_directory/scenario.h"

#include <optional>

#include "keys/records.h"
#include "sim_world/scenario_file.h"

namespace ams::sim {
namespace {

constexpr std::int64_t seconds_max = 30LL * 86'400;
constexpr std::int64_t peers_max = 4'096;

void read_directory(TableReader& in, DirectoryScenario& out) {
  in.integer("seconds", out.seconds, 1, seconds_max);
  in.integer("peers", out.peers, 2, peers_max);
  in.integer("interval_s", out.interval_s, 1, 3'600);
  in.integer("keys", out.keys, 0, 100'000);
  in.integer("apart", out.apart, 0, 100'000);
  in.integer("failing_permille", out.failing_permille, 0, 900);
  in.integer("quota", out.quota, 1, 10'000'000);
  in.integer("commit_ms", out.commit_ms, 0, 60'000);
  std::string exchange = "off";
  in.one_of("exchange", exchange, {"off", "on"});
  out.exchange = exchange == "on";
  in.integer("explicit_peers", out.explicit_peers, 0, peers_max);
}

void read_targets(TableReader& in, DirectoryTargets& out) {
  in.integer("healed_ms", out.healed_ms, 1, 1'000 * seconds_max);
  in.integer("reach_ms", out.reach_ms, 1, 1'000 * seconds_max);
  in.integer("reach_permille", out.reach_permille, 1, 1'000);
  in.integer("detect_rounds", out.detect_rounds, 1, 1'000);
  in.integer("evict_rounds", out.evict_rounds, 1, 1'000);
  in.integer("refuse_ms", out.refuse_ms, 1, 1'000 * seconds_max);
  in.integer("learned_min", out.learned_min, 1, 64);
  in.integer("learned_s", out.learned_s, 1, seconds_max);
  in.integer("crowd_max", out.crowd_max, 0, 64);
}

void read(TableReader& in, CutSpec& out) {
  in.integer("from_s", out.from_s, 0, seconds_max);
  in.integer("seconds", out.seconds, 1, seconds_max);
  in.integer("peers", out.peers, 1, peers_max);
}
void read(TableReader& in, PublishSpec& out) {
  in.integer("at_s", out.at_s, 0, seconds_max);
  in.integer("over_s", out.over_s, 0, seconds_max);
  in.integer("peer", out.peer, 0, peers_max);
  in.integer("count", out.count, 1, 10'000);
  in.integer("first_key", out.first_key, 0, 1'000'000);
  in.one_of("what", out.what, {"key", "card", "erasure", "revocation"});
}
void read(TableReader& in, ChurnSpec& out) {
  in.integer("from_s", out.from_s, 0, seconds_max);
  in.integer("seconds", out.seconds, 1, seconds_max);
  in.integer("crashes", out.crashes, 0, 1'000'000);
  in.integer("down_s", out.down_s, 1, seconds_max);
}
void read(TableReader& in, FloodSpec& out) {
  in.integer("from_s", out.from_s, 0, seconds_max);
  in.integer("seconds", out.seconds, 1, seconds_max);
  in.integer("per_s", out.per_s, 1, 10'000);
  in.integer("peer", out.peer, 0, peers_max);
  in.integer("bad_permille", out.bad_permille, 0, 1'000);
  in.one_of("through", out.through, {"quota", "peer"});
  in.one_of("grants", out.grants, {"own", "forged", "made-up"});
}
void read(TableReader& in, TwinSpec& out) {
  in.integer("peer", out.peer, 0, peers_max);
  in.integer("at_s", out.at_s, 0, seconds_max);
  in.one_of("shown_to", out.shown_to, {"half", "client"});
  in.one_of("sizes", out.sizes, {"any", "apart"});
}
void read(TableReader& in, WithholdSpec& out) { in.integer("peer", out.peer, 0, peers_max); }
void read(TableReader& in, PlaceSpec& out) {
  in.integer("first_peer", out.first_peer, 0, peers_max);
  in.integer("peers", out.peers, 1, peers_max);
}
void read(TableReader& in, CrowdSpec& out) {
  in.integer("teller", out.teller, 0, peers_max);
  in.integer("first_peer", out.first_peer, 0, peers_max);
  in.integer("peers", out.peers, 1, peers_max);
}
void read(TableReader& in, LookSpec& out) {
  in.integer("from_s", out.from_s, 0, seconds_max);
  in.integer("every_s", out.every_s, 1, seconds_max);
  in.integer("times", out.times, 1, 100'000);
  in.integer("first_peer", out.first_peer, 0, peers_max);
  in.integer("key", out.key, 0, 1'000'000);
}

void read(TableReader& in, CollisionSpec& out) {
  in.integer("at_s", out.at_s, 0, seconds_max);
  in.integer("first_peer", out.first_peer, 0, peers_max);
  in.integer("second_peer", out.second_peer, 0, peers_max);
}

/// Whether two keys of one kid can be found at all: only where that bug is planted.
bool kids_are_short() {
  Hash one{}, other{};
  other.back() = 1;
  other[8] = 1;
  return keys::kid_of(one) == keys::kid_of(other);
}

std::optional<std::string> judge_collisions(const DirectoryScenario& s) {
  for (const CollisionSpec& spec : s.collisions)
    if (spec.first_peer >= s.peers || spec.second_peer >= s.peers ||
        spec.first_peer == spec.second_peer)
      return "collision: expected two different peers, less than directory.peers";
  if (!s.collisions.empty() && !kids_are_short())
    return "collision: two keys of one kid take 2^61 tries; only `ams-sim-mut run … --mutant "
           "keys.short_kid` runs this file";
  return std::nullopt;
}

std::optional<std::string> judge_exchange(const DirectoryScenario& s) {
  for (const PlaceSpec& place : s.places)
    if (place.first_peer + place.peers > s.peers)
      return "place.first_peer: expected first_peer + peers to be at most directory.peers";
  for (const CrowdSpec& crowd : s.crowds) {
    if (crowd.first_peer + crowd.peers > s.peers || crowd.teller >= s.peers)
      return "crowd.first_peer: expected all of the crowd to be less than directory.peers";
    if (crowd.has(crowd.teller)) return "crowd.teller: expected a peer beside the crowd";
  }
  std::int64_t known = 0;
  for (std::int64_t peer = 0; peer < s.peers; ++peer) known += s.known(peer);
  if (s.explicit_peers >= known)
    return "directory.explicit_peers: expected less than the peers that are no crowd's";
  if (s.targets.learned_min > 0 && !s.exchange)
    return "targets.learned_min: expected directory.exchange = \"on\"";
  if (!s.crowds.empty() && s.explicit_peers == 0)
    return "crowd: expected directory.explicit_peers: else all know all";
  return std::nullopt;
}

std::optional<std::string> judge(const DirectoryScenario& s) {
  if (s.name.empty()) return "scenario.name: expected a string; it is missing";
  const auto is_peer = [&](std::int64_t peer) { return peer < s.peers; };
  for (const CutSpec& cut : s.cuts)
    if (!is_peer(cut.peers)) return "cut.peers: expected fewer than directory.peers";
  if (s.apart > 0 && s.cuts.empty()) return "directory.apart: expected a [[cut]] in the file";
  for (const PublishSpec& spec : s.publish) {
    if (!is_peer(spec.peer)) return "publish.peer: expected less than directory.peers";
    if (spec.what != "key" && spec.first_key + spec.count > s.keys)
      return "publish.first_key: expected first_key + count to be at most directory.keys";
  }
  for (const FloodSpec& flood : s.floods)
    if (!is_peer(flood.peer)) return "flood.peer: expected less than directory.peers";
  for (const FloodSpec& flood : s.floods)
    if (flood.grants != "own" && flood.through != "peer")
      return "flood.grants: expected through = \"peer\"";
  for (const TwinSpec& twin : s.twins)
    if (!is_peer(twin.peer)) return "twin.peer: expected less than directory.peers";
  for (const WithholdSpec& one : s.withholding)
    if (!is_peer(one.peer)) return "withhold.peer: expected less than directory.peers";
  for (const LookSpec& look : s.looks) {
    if (!is_peer(look.first_peer + 2)) return "look.first_peer: expected two peers after it";
    const auto colliding = 2 * static_cast<std::int64_t>(s.collisions.size());
    if (look.key >= s.keys + (colliding > 0 ? 2 * s.apart + colliding : 0))
      return "look.key: expected less than directory.keys";
  }
  if (auto what = judge_collisions(s)) return what;
  if (auto what = judge_exchange(s)) return what;
  return std::nullopt;
}

}  // namespace

bool is_directory_scenario(const std::string& path) {
  try {
    return toml::parse_file(path).get_as<toml::table>("directory") != nullptr;
  } catch (const toml::parse_error&) {
    return false;
  }
}

tl::expected<DirectoryScenario, FileError> load_directory_scenario(const std::string& path) {
  auto file = ScenarioFile::load(path);
  if (!file) return tl::unexpected(file.error());
  DirectoryScenario out;
  file->table("scenario", [&](TableReader& in) {
    std::int64_t seed = 1;
    in.text("name", out.name);
    in.integer("seed", seed, 0, std::int64_t{1} << 53);
    out.seed = static_cast<std::uint64_t>(seed);
  });
  file->table("directory", [&](TableReader& in) { read_directory(in, out); });
  file->table("network", [&](TableReader& in) { read(in, out.network); });
  file->table("targets", [&](TableReader& in) { read_targets(in, out.targets); });
  const auto each = [&](std::string_view name, auto& specs) {
    file->each(name, [&](TableReader& in) { read(in, specs.emplace_back()); });
  };
  each("cut", out.cuts);
  each("publish", out.publish);
  each("churn", out.churn);
  each("flood", out.floods);
  each("twin", out.twins);
  each("withhold", out.withholding);
  each("place", out.places);
  each("crowd", out.crowds);
  each("look", out.looks);
  each("collision", out.collisions);
  std::optional<FileError> error = file->finish();
  if (const auto what = judge(out); what && !error) error = FileError{path + ": " + *what};
  if (error) return tl::unexpected(*error);
  return out;
}

}  // namespace ams::sim
