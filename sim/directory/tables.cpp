#include "sim_directory/tables.h"

#include <algorithm>
#include <set>

#include "directory/slots.h"
#include "sim_world/internet.h"

namespace ams::sim {
namespace {

constexpr std::int64_t samples_wanted = 300;

class TablesJudge {
 public:
  TablesJudge(const DirectoryWorld& world, const std::vector<const PeerLedger*>& peers)
      : world_(world), s_(world.scenario), tables_(peers.size()) {
    for (LpId lp = 0; lp < peers.size(); ++lp) {
      if (!world_.honest(lp)) continue;
      honest_.push_back(lp);
      for (const LearnedChange& change : peers[lp]->learned) steps_.push_back({lp, &change});
    }
    std::stable_sort(steps_.begin(), steps_.end(),
                     [](const Step& a, const Step& b) { return a.change->at < b.change->at; });
  }

  TablesJudgement run() {
    const Duration every = s_.total_time() / samples_wanted;
    Instant next = world_start;
    for (const Step& step : steps_) {
      for (; next < step.change->at; next += every) sample(next);
      take(step);
    }
    for (; next <= end(); next += every) sample(next);
    conclude();
    for (Invariant* one : {&bounded_, &filled_, &crowd_}) {
      InvariantResult result = one->take();
      if (result.checked > 0) out_.invariants.push_back(std::move(result));
    }
    return std::move(out_);
  }

 private:
  struct Step {
    LpId peer = 0;
    const LearnedChange* change = nullptr;
  };
  using Table = std::map<std::string, std::string>;  // domain -> where it stands

  Instant end() const { return world_start + s_.total_time(); }
  std::size_t crowd_in(const Table& table) const {
    return static_cast<std::size_t>(std::count_if(table.begin(), table.end(), [&](const auto& one) {
      const auto lp = world_.by_name.find(one.first);
      return s_.crowd_of(static_cast<std::int64_t>(lp->second)) != nullptr;
    }));
  }
  std::size_t least() const {
    std::size_t out = directory::learned_max;
    for (const LpId lp : honest_) out = std::min(out, tables_[lp].size());
    return out;
  }
  double mean() const {
    double sum = 0;
    for (const LpId lp : honest_) sum += static_cast<double>(tables_[lp].size());
    return honest_.empty() ? 0 : sum / static_cast<double>(honest_.size());
  }
  void sample(Instant at) {
    TablesSample one{at, least(), mean(), 0};
    for (const LpId lp : honest_) one.crowd = std::max(one.crowd, crowd_in(tables_[lp]));
    out_.figures.samples.push_back(one);
  }

  void take(const Step& step) {
    const LearnedChange& change = *step.change;
    Table& table = tables_[step.peer];
    if (!change.in) {
      table.erase(change.domain);
    } else {
      const LpId lp = world_.by_name.find(change.domain)->second;
      table[change.domain] = directory::network_block(world_.address_of(lp));
      look_at(step.peer, table, change.at);
    }
    const bool filled =
        s_.targets.learned_min > 0 && least() >= static_cast<std::size_t>(s_.targets.learned_min);
    if (!filled) filled_at_.reset();
    if (filled && !filled_at_) filled_at_ = change.at;
  }

  void look_at(LpId peer, const Table& table, Instant at) {
    std::map<std::string, std::size_t> blocks;
    std::size_t most = 0;
    for (const auto& [domain, block] : table) most = std::max(most, ++blocks[block]);
    bounded_.test(most <= directory::learned_block_max && table.size() <= directory::learned_max,
                  at,
                  world_.names[peer] + " uses " + std::to_string(table.size()) +
                      " learned peers, " + std::to_string(most) + " of one network block");
    const std::size_t crowd = crowd_in(table);
    out_.figures.crowd_most = std::max(out_.figures.crowd_most, crowd);
    if (crowd > 0) with_crowd_.insert(peer);
    if (s_.targets.crowd_max >= 0 && !s_.crowds.empty())
      crowd_.test(crowd <= static_cast<std::size_t>(s_.targets.crowd_max), at,
                  world_.names[peer] + " uses " + std::to_string(crowd) +
                      " peers of a crowd; promised at most " +
                      std::to_string(s_.targets.crowd_max));
  }

  void conclude() {
    TablesFigures& figures = out_.figures;
    figures.least = least();
    figures.mean = mean();
    figures.filled = filled_at_;
    figures.crowd_tables = with_crowd_.size();
    if (!s_.exchange) figures.samples.clear();
    if (s_.targets.learned_min == 0) return;
    const Instant promised = world_start + std::chrono::seconds{s_.targets.learned_s};
    filled_.test(filled_at_ && *filled_at_ <= promised, filled_at_.value_or(end()),
                 "not every honest peer has learned " + std::to_string(s_.targets.learned_min) +
                     " peers by " + std::to_string(s_.targets.learned_s) +
                     " s and keeps so many; the least has " + std::to_string(figures.least));
  }

  const DirectoryWorld& world_;
  const DirectoryScenario& s_;
  std::vector<Table> tables_;
  std::vector<LpId> honest_;
  std::vector<Step> steps_;
  std::set<LpId> with_crowd_;
  std::optional<Instant> filled_at_;
  TablesJudgement out_;
  Invariant bounded_{"no peer learns more than sixteen, or two of one network block"};
  Invariant filled_{"every honest peer learns others in the time promised"};
  Invariant crowd_{"a crowd of one hand gets no more places than promised"};
};

}  // namespace

TablesJudgement judge_tables(const DirectoryWorld& world,
                             const std::vector<const PeerLedger*>& peers) {
  return TablesJudge(world, peers).run();
}

}  // namespace ams::sim
