#include "sim_net/model.h"

#include <algorithm>

#include "base/result.h"

namespace ams::sim {
namespace {

std::int64_t integer_root(std::int64_t square) {
  std::int64_t root = 0;
  for (std::int64_t bit = std::int64_t{1} << 22; bit != 0; bit >>= 1) {
    if ((root + bit) * (root + bit) <= square) root += bit;
  }
  return root;
}

bool names(const std::vector<LpId>& sorted, LpId lp) {
  return sorted.empty() || std::binary_search(sorted.begin(), sorted.end(), lp);
}

}  // namespace

NetModel::NetModel(NetOptions options) : options_(options) {
  AMS_ASSERT(options_.base_latency >= std::chrono::milliseconds{1});
  AMS_ASSERT(options_.segment_size_max > 0);
  AMS_ASSERT(options_.handshake_round_trips >= 1);
  AMS_ASSERT(options_.rto_min.count() > 0);
}

LpId NetModel::add_node(NetNode node) {
  constexpr std::int32_t limit = 1 << 20;
  AMS_ASSERT(node.x > -limit && node.x < limit && node.y > -limit && node.y < limit);
  nodes_.push_back(node);
  return static_cast<LpId>(nodes_.size() - 1);
}

void NetModel::set_link(LpId src, LpId dst, LinkParams link) {
  AMS_ASSERT(link.extra_latency.count() >= 0 && link.jitter_mean.count() >= 0);
  links_[{src, dst}] = link;
}

void NetModel::add_fault(LinkFault fault) {
  AMS_ASSERT(fault.extra_latency.count() >= 0);
  std::sort(fault.src.begin(), fault.src.end());
  std::sort(fault.dst.begin(), fault.dst.end());
  const std::size_t index = faults_.size();
  for (LpId lp : fault.src) faults_by_src_[lp].push_back(index);
  if (fault.src.empty()) faults_of_all_.push_back(index);
  faults_.push_back(std::move(fault));
}

void NetModel::partition(Instant from, Instant until, const std::vector<LpId>& a,
                         const std::vector<LpId>& b) {
  std::vector<LpId> others = b;
  if (others.empty()) {
    for (LpId lp = 0; lp < nodes_.size(); ++lp) {
      if (std::find(a.begin(), a.end(), lp) == a.end()) others.push_back(lp);
    }
  }
  if (a.empty() || others.empty()) return;
  add_fault({.from = from, .until = until, .src = a, .dst = others});
  add_fault({.from = from, .until = until, .src = others, .dst = a});
}

Duration NetModel::distance_latency(LpId src, LpId dst) const {
  const NetNode& a = nodes_.at(src);
  const NetNode& b = nodes_.at(dst);
  const std::int64_t dx = std::int64_t{a.x} - b.x;
  const std::int64_t dy = std::int64_t{a.y} - b.y;
  return options_.base_latency + options_.latency_per_unit * integer_root(dx * dx + dy * dy);
}

LinkState NetModel::link(LpId src, LpId dst, Instant at) const {
  LinkParams params = options_.link;
  if (!links_.empty()) {
    if (const auto found = links_.find({src, dst}); found != links_.end()) params = found->second;
  }
  LinkState state{.blocked = false,
                  .loss_ppm = params.loss_ppm,
                  .duplicate_ppm = params.duplicate_ppm,
                  .latency = distance_latency(src, dst) + params.extra_latency,
                  .jitter_mean = params.jitter_mean};
  for (std::size_t index : faults_of_all_) apply_fault(faults_[index], src, dst, at, state);
  if (!faults_by_src_.empty()) {
    if (const auto found = faults_by_src_.find(src); found != faults_by_src_.end()) {
      for (std::size_t index : found->second) apply_fault(faults_[index], src, dst, at, state);
    }
  }
  return state;
}

void NetModel::apply_fault(const LinkFault& fault, LpId src, LpId dst, Instant at,
                           LinkState& out) const {
  if (at < fault.from || at >= fault.until) return;
  if (!names(fault.src, src) || !names(fault.dst, dst)) return;
  out.blocked = out.blocked || fault.blocked;
  out.loss_ppm = std::min<std::uint32_t>(1'000'000, out.loss_ppm + fault.loss_ppm);
  out.latency += fault.extra_latency;
}

}  // namespace ams::sim
