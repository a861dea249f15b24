#include "sim_directory/judge.h"

#include <algorithm>
#include <array>
#include <set>

#include "directory/history.h"
#include "sim_directory/agreement.h"
#include "sim_world/internet.h"
#include "verifiable/checkpoint.h"
#include "verifiable/rewrite.h"

namespace ams::sim {
namespace {

std::string seconds_text(Duration d) {
  return std::to_string(d / std::chrono::milliseconds{1}) + " ms";
}

class DirectoryJudge {
 public:
  DirectoryJudge(const DirectoryWorld& world, const std::vector<const PeerLedger*>& peers,
                 const std::vector<const LookLedger*>& looks)
      : world_(world), s_(world.scenario), peers_(peers), looks_(looks) {}

  DirectoryJudgement run() {
    const Agreement agreement(world_, peers_);
    out_.figures.agreement = agreement.samples();
    judge_cuts(agreement);
    judge_end();
    judge_publications();
    judge_splits();
    judge_looks();
    judge_floods();
    judge_collisions();
    for (Invariant* one :
         {&same_, &innocent_, &healed_, &taken_, &kept_, &reach_, &refuse_, &erased_, &noticed_,
          &proof_, &private_view_, &fooled_, &flood_, &relayed_, &collided_}) {
      InvariantResult result = one->take();
      if (result.checked > 0) out_.invariants.push_back(std::move(result));
    }
    TablesJudgement tables = judge_tables(world_, peers_);
    out_.figures.tables = std::move(tables.figures);
    for (InvariantResult& one : tables.invariants) out_.invariants.push_back(std::move(one));
    return std::move(out_);
  }

 private:
  Instant end() const { return world_start + s_.total_time(); }
  std::string name(LpId lp) const { return world_.names[lp]; }

  void judge_cuts(const Agreement& agreement) {
    for (const CutSpec& cut : s_.cuts) {
      const Instant over = world_start + std::chrono::seconds{cut.from_s + cut.seconds};
      const auto agreed = agreement.first_agreed(over);
      out_.figures.healed.push_back(agreed ? std::optional(*agreed - over) : std::nullopt);
      const Duration promised = std::chrono::milliseconds{s_.targets.healed_ms};
      if (s_.targets.healed_ms > 0)
        healed_.test(agreed && *agreed - over <= promised, agreed.value_or(end()),
                     "the cut that ended at " + seconds_text(over - world_start) + " was healed " +
                         (agreed ? seconds_text(*agreed - over) + " later" : "never") +
                         "; promised " + seconds_text(promised));
    }
  }

  void judge_end() {
    const PeerLedger* first = nullptr;
    for (LpId lp = 0; lp < peers_.size(); ++lp) {
      const PeerLedger& peer = *peers_[lp];
      for (const Eviction& eviction : peer.evictions) {
        const auto who = world_.by_name.find(eviction.domain);
        const bool guilty = who != world_.by_name.end() && !world_.honest(who->second);
        if (world_.honest(lp))
          innocent_.test(guilty, eviction.at, name(lp) + " evicted " + eviction.domain);
      }
      for (const Resurrection& back : peer.resurrections)
        erased_.test(
            false, back.at,
            name(lp) + " took a card again that it knew to be erased: " + to_uuid_text(back.kid));
      if (!world_.honest(lp)) continue;
      if (first == nullptr) first = &peer;
      innocent_.count(1);
      same_.test(peer.root == first->root && peer.keys > 0, end(),
                 name(lp) + " holds another set of " + std::to_string(peer.keys) + " keys");
      erased_.count(erasures() ? 1 : 0);
      if (peer.mentions_personal_data)
        erased_.test(false, end(),
                     name(lp) + " still has personal data on its disk that was erased");
    }
  }
  bool erasures() const {
    return std::any_of(s_.publish.begin(), s_.publish.end(),
                       [](const PublishSpec& spec) { return spec.what == "erasure"; });
  }

  void judge_publications() {
    std::vector<std::pair<std::size_t, const PublicationEnd*>> ends;
    for (const PeerLedger* peer : peers_)
      for (const PublicationEnd& one : peer->publications) ends.emplace_back(one.number, &one);
    std::sort(ends.begin(), ends.end());
    for (const auto& [number, one] : ends) {
      const Publication& asked = world_.publications[number];
      const std::string what =
          "publication " + std::to_string(number) + " (" + asked.what + ") at " + name(asked.peer);
      taken_.test(one->refused.empty(), asked.at, what + " was refused with " + one->refused);
      if (one->acknowledged) judge_reach(number, asked, what);
    }
  }

  void judge_reach(std::size_t number, const Publication& asked, const std::string& what) {
    std::vector<Instant> times;
    std::size_t honest = 0;
    for (LpId lp = 0; lp < peers_.size(); ++lp) {
      if (!world_.honest(lp)) continue;
      ++honest;
      const auto& changes = peers_[lp]->changes;
      const auto had = std::find_if(changes.begin(), changes.end(), [&](const EntryChange& c) {
        return c.at >= asked.at && c.kid == asked.kid && c.value;
      });
      kept_.test(had != changes.end(), end(), what + " never came to " + name(lp));
      if (had != changes.end()) times.push_back(had->at);
    }
    std::sort(times.begin(), times.end());
    const auto needed = static_cast<std::size_t>(
        (static_cast<std::int64_t>(honest) * s_.targets.reach_permille + 999) / 1'000);
    Reached reached{number, {}, {}};
    if (times.size() >= needed) reached.most = times[needed - 1] - asked.at;
    if (times.size() == honest) reached.all = times.back() - asked.at;
    const auto promise = [&](Invariant& one, std::int64_t ms, const std::optional<Duration>& took,
                             const std::string& whom) {
      if (ms == 0) return;
      one.test(took && *took <= std::chrono::milliseconds{ms}, asked.at,
               what + " was with " + whom + (took ? " after " + seconds_text(*took) : " never") +
                   "; promised " + std::to_string(ms) + " ms");
    };
    promise(reach_, s_.targets.reach_ms, reached.most,
            std::to_string(s_.targets.reach_permille) + " of 1,000 peers");
    if (asked.what == "revocation")
      promise(refuse_, s_.targets.refuse_ms, reached.all, "all peers");
    out_.figures.reached.push_back(reached);
  }

  // --- two faces

  void judge_splits() {
    for (const TwinSpec& twin : s_.twins) {
      Split split;
      const auto lp = static_cast<LpId>(twin.peer);
      split.peer = name(lp);
      split.to_clients = twin.shown_to == "client";
      split.from = world_start + std::chrono::seconds{twin.at_s};
      split.two_faces = shown_since(*peers_[lp], differ_since(*peers_[lp]));
      find_eviction(split);
      if (!split.to_clients) judge_split(split, lp);
      out_.figures.splits.push_back(std::move(split));
    }
  }

  static std::optional<Instant> differ_since(const PeerLedger& peer) {
    std::map<std::uint64_t, std::map<std::size_t, Bytes>> leaves;
    for (const FaceEpoch& epoch : peer.faces) {
      auto& both = leaves[epoch.index];
      both[epoch.face] = epoch.leaf;
      if (both.size() == 2 && both[0] != both[1]) return epoch.at;
    }
    return std::nullopt;
  }
  static std::optional<Instant> shown_since(const PeerLedger& peer,
                                            const std::optional<Instant>& differ) {
    std::array<bool, 2> seen{};
    for (const FaceShown& shown : peer.shown) {
      if (!differ || shown.at < *differ) continue;
      seen[shown.face] = true;
      if (seen[0] && seen[1]) return shown.at;
    }
    return std::nullopt;
  }

  void find_eviction(Split& split) const {
    std::size_t honest = 0;
    Instant last{};
    std::optional<Instant> proven;  // an honest peer holds a proof for others
    for (LpId lp = 0; lp < peers_.size(); ++lp) {
      if (!world_.honest(lp)) continue;
      ++honest;
      bool evicts = false;
      for (const Eviction& eviction : peers_[lp]->evictions) {
        if (eviction.domain != split.peer) continue;
        if (!evicts) last = std::max(last, eviction.at);
        evicts = true;
        if (!split.noticed || eviction.at < *split.noticed) {
          split.noticed = eviction.at;
          split.noticed_by = name(lp);
        }
        if (eviction.evidence.empty() || (proven && *proven <= eviction.at)) continue;
        proven = eviction.at;
        split.evidence = eviction.evidence;
      }
      split.evicted_by += evicts;
    }
    if (split.evicted_by == honest) split.evicted = last;
  }

  void judge_split(const Split& split, LpId lp) {
    const Instant at = split.two_faces.value_or(split.from);
    const auto judge = [&](const std::optional<Instant>& then, std::int64_t most,
                           const std::string& what) {
      const auto rounds = split.rounds_until(then, s_.interval_s);
      if (most > 0)
        noticed_.test(rounds && *rounds <= most, at,
                      split.peer + " has two faces, and was " + what +
                          (rounds ? " after " + std::to_string(*rounds) + " rounds" : " never") +
                          "; promised " + std::to_string(most));
    };
    judge(split.noticed, s_.targets.detect_rounds, "noticed");
    judge(split.evicted, s_.targets.evict_rounds, "evicted by all");
    const auto key = directory::log_key(split.peer, world_.ops[lp].record.signing(),
                                        verifiable::NoteKeyType::ed25519);
    const std::size_t most = verifiable::is_rewrite(split.evidence)
                                 ? verifiable::rewrite_size_max
                                 : verifiable::equivocation_size_max;
    const auto verified = verifiable::verify_conviction(split.evidence, *key);
    proof_.test(verified && split.evidence.size() <= most, at,
                "there is no proof of at most " + std::to_string(most) + " bytes that " +
                    split.peer + " has two faces");
  }

  // --- look-ups and floods

  void judge_looks() {
    std::map<Id16, Instant> refused_from;  // revoked, and known to all honest peers
    for (const Reached& one : out_.figures.reached) {
      const Publication& asked = world_.publications[one.number];
      if (asked.what == "revocation" && one.all) refused_from[asked.kid] = asked.at + *one.all;
    }
    for (std::size_t i = 0; i < looks_.size(); ++i) {
      const LookSpec& spec = s_.looks[i];
      const Id16 kid = world_.owners[static_cast<std::size_t>(spec.key)].record.id().kid;
      for (const Look& look : looks_[i]->looks) {
        ++out_.figures.verdicts[look.verdict];
        for (const LookAnswer& answer : look.answers) judge_answer(look, answer);
        const auto revoked = refused_from.find(kid);
        if (honest_is_asked(spec) && revoked != refused_from.end() && look.at >= revoked->second)
          fooled_.test(look.verdict != "usable", look.at,
                       "client " + std::to_string(i) + " believes in a key that was revoked");
      }
    }
  }
  bool honest_is_asked(const LookSpec& spec) const {
    for (std::size_t i = 0; i < look_peers; ++i)
      if (world_.honest(static_cast<LpId>(static_cast<std::size_t>(spec.first_peer) + i)))
        return true;
    return false;
  }
  void judge_answer(const Look& look, const LookAnswer& answer) {
    for (const TwinSpec& twin : s_.twins)
      if (twin.shown_to == "client" && name(static_cast<LpId>(twin.peer)) == answer.peer &&
          look.at >= world_start + std::chrono::seconds{twin.at_s})
        private_view_.test(!answer.code.empty(), look.at,
                           "what " + answer.peer + " shows to nobody else was believed");
  }

  /// DIR-54, DIR-60: of each peer that floods what its domain grants and what it was the first to
  /// pass on without a grant, and of all of them what came on through others or was compared.
  void judge_relayed() {
    std::set<Id16> kids;
    std::size_t rogues = 0;
    for (LpId lp = 0; lp < peers_.size(); ++lp) rogues += s_.passes_floods(lp);
    for (const FloodItem& item : world_.flood) kids.insert(item.kid);
    const double budgets = static_cast<double>(s_.quota) * static_cast<double>(2 * rogues + 1);
    for (LpId lp = 0; lp < peers_.size(); ++lp) {
      if (!world_.honest(lp)) continue;
      double taken = 0;
      for (const EntryChange& change : peers_[lp]->changes) {
        if (!change.value || !kids.contains(change.kid)) continue;
        ++taken;
        const double days =
            std::chrono::duration<double, std::ratio<86'400>>(change.at - world_start).count();
        relayed_.test(taken <= budgets * (1 + days) + 1, change.at,
                      name(lp) + " took " + std::to_string(static_cast<std::int64_t>(taken)) +
                          " keys of a flood that a peer passes on");
      }
      const auto refused = peers_[lp]->refused.find("publisher");
      relayed_.test(refused != peers_[lp]->refused.end(), end(),
                    name(lp) + " refused nothing of the flood: it was no flood");
    }
  }

  void judge_collisions() {
    for (LpId lp = 0; lp < peers_.size(); ++lp)
      for (const auto& [kid, answer] : peers_[lp]->colliding) {
        collided_.test(answer == "kid_quarantined", end(),
                       name(lp) + " says of a kid that two owners have: " + answer);
        collided_.test(peers_[lp]->fps.at(kid) == 2, end(),
                       name(lp) + " holds " + std::to_string(peers_[lp]->fps.at(kid)) +
                           " keys under a kid that two owners have");
      }
    if (s_.collisions.empty()) return;
    // A minute after both were published, nobody who asks is told of one of them.
    for (std::size_t i = 0; i < looks_.size(); ++i) {
      const std::int64_t number = (s_.looks[i].key - s_.keys - 2 * s_.apart) / 2;
      if (s_.looks[i].key < s_.keys + 2 * s_.apart) continue;
      const auto from =
          world_start +
          std::chrono::seconds{s_.collisions[static_cast<std::size_t>(number)].at_s + 60};
      for (const Look& look : looks_[i]->looks)
        if (look.at >= from)
          collided_.test(look.verdict == "kid_quarantined", look.at,
                         "client " + std::to_string(i) + " was told: " + look.verdict);
    }
  }

  void judge_floods() {
    if (s_.floods.empty()) return;
    if (s_.floods.front().through == "peer") return judge_relayed();
    std::map<std::string, std::uint64_t> answers;
    for (const PeerLedger* peer : peers_)
      for (const auto& [code, count] : peer->flood_answers) answers[code] += count;
    std::uint64_t peers = 0;
    for (const PeerLedger* peer : peers_) peers += !peer->flood_answers.empty();
    // A day's quota each, and what comes back of it while the run lasts.
    const double days = static_cast<double>(s_.seconds) / 86'400.0;
    const auto most = static_cast<std::uint64_t>(static_cast<double>(s_.quota) * (1.0 + days)) + 1;
    flood_.test(answers["taken"] <= most * peers, end(),
                std::to_string(answers["taken"]) + " objects of " + std::string(flood_domain) +
                    " were taken; its quota is " + std::to_string(s_.quota));
    flood_.test(answers["publisher"] + answers["rate"] > 0, end(),
                "nothing of the flood was refused by quota or rate: it was no flood");
  }

  const DirectoryWorld& world_;
  const DirectoryScenario& s_;
  const std::vector<const PeerLedger*>& peers_;
  const std::vector<const LookLedger*>& looks_;
  DirectoryJudgement out_;
  Invariant same_{"all honest peers hold the same keys in the end"};
  Invariant innocent_{"no honest peer is evicted"};
  Invariant healed_{"a cut is healed in the time promised"};
  Invariant taken_{"what an owner publishes is taken"};
  Invariant kept_{"what was acknowledged comes to every honest peer"};
  Invariant reach_{"a publication reaches the peers in the time promised"};
  Invariant refuse_{"a revoked key is given out by nobody after the time promised"};
  Invariant erased_{"what was erased does not come back"};
  Invariant noticed_{"two faces are noticed in the time promised"};
  Invariant proof_{"two faces are proven to anybody"};
  Invariant private_view_{"what no honest witness saw is not believed"};
  Invariant fooled_{"a client that asks one honest peer is not fooled"};
  Invariant collided_{"two keys of one kid are quarantined at every peer"};
  Invariant relayed_{"what a peer passes on is held to its budget"};
  Invariant flood_{"a flood is held to its domain's quota"};
};

}  // namespace

std::optional<std::int64_t> Split::rounds_until(const std::optional<Instant>& then,
                                                std::int64_t interval_s) const {
  if (!two_faces || !then) return std::nullopt;
  const Duration interval = std::chrono::seconds{interval_s};
  return std::max<std::int64_t>(0, (*then - *two_faces + interval - Duration{1}) / interval);
}

DirectoryJudgement judge_directory(const DirectoryWorld& world,
                                   const std::vector<const PeerLedger*>& peers,
                                   const std::vector<const LookLedger*>& looks) {
  return DirectoryJudge(world, peers, looks).run();
}

}  // namespace ams::sim
