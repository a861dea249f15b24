// The simulated internet as data: where domains are, how good links are, when they fail.
// Filled before the run, then shared as shared_ptr<const NetModel> by all logical processes.
//
// Not modelled: congestion control, routes shared by several domains, packet sizes below a segment.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "sim_engine/event.h"

namespace ams::sim {

/// Quality of one direction between two domains, on top of the latency that distance gives.
struct LinkParams {
  Duration extra_latency{0};   // >= 0
  Duration jitter_mean{0};     // exponential, drawn per segment
  std::uint32_t loss_ppm = 0;  // of segments, and of their acknowledgements on the way back
  std::uint32_t duplicate_ppm = 0;
};

struct NetOptions {
  /// Latency between two domains in one place: the engine's look-ahead must not exceed it.
  Duration base_latency = std::chrono::milliseconds{2};
  Duration latency_per_unit = std::chrono::microseconds{8};  // per unit (1 km) of the grid
  LinkParams link;                                           // where set_link() says nothing else
  Duration rto_min = std::chrono::milliseconds{200};  // first retransmission; never below 2 RTT
  Duration rto_max = std::chrono::seconds{10};        // doubling stops here
  Duration retransmit_timeout = std::chrono::seconds{30};  // from first sending to reset
  std::uint32_t attempts_max = 12;                         // per segment, then reset
  Duration connect_timeout = std::chrono::seconds{30};
  Duration keepalive_timeout = std::chrono::seconds{60};  // until a vanished peer is noticed
  std::uint32_t handshake_round_trips = 2;                // until connected: TCP 1 + TLS 1.3 1
  std::uint32_t segment_size_max = 16'384;                // application bytes: one TLS record
  std::uint32_t segment_overhead = 62;                    // bytes: TLS record 22, TCP/IP 40
};

struct NetNode {
  std::int32_t x = 0, y = 0;             // grid units (km), |x|, |y| < 2^20
  std::uint64_t uplink_bytes_per_s = 0;  // shared by all connections of the domain; 0: unlimited
};

/// A timestamped disturbance of all links from a domain in `src` to one in `dst`, one direction.
/// An empty list means every domain. An asymmetric partition is one fault, a symmetric one two.
struct LinkFault {
  Instant from;
  Instant until;  // exclusive
  std::vector<LpId> src;
  std::vector<LpId> dst;
  bool blocked = true;         // nothing passes
  std::uint32_t loss_ppm = 0;  // added
  Duration extra_latency{0};   // added, >= 0
};

/// One direction of a link at one instant.
struct LinkState {
  bool blocked = false;
  std::uint32_t loss_ppm = 0;
  std::uint32_t duplicate_ppm = 0;
  Duration latency{0};
  Duration jitter_mean{0};
};

class NetModel {
 public:
  explicit NetModel(NetOptions options);

  /// Nodes are the engine's logical processes, in the same order.
  LpId add_node(NetNode node);
  /// One direction.
  void set_link(LpId src, LpId dst, LinkParams link);
  void add_fault(LinkFault fault);
  /// Both directions between the groups `a` and `b`; with `b` empty, between `a` and all others.
  void partition(Instant from, Instant until, const std::vector<LpId>& a,
                 const std::vector<LpId>& b = {});

  const NetOptions& options() const { return options_; }
  const NetNode& node(LpId lp) const { return nodes_.at(lp); }
  std::size_t node_count() const { return nodes_.size(); }
  /// Base and distance, without link extras: symmetric, >= base_latency. O(1).
  Duration distance_latency(LpId src, LpId dst) const;
  /// O(log set_link calls + faults that name src + faults that name everyone).
  LinkState link(LpId src, LpId dst, Instant at) const;

 private:
  void apply_fault(const LinkFault& fault, LpId src, LpId dst, Instant at, LinkState& out) const;

  NetOptions options_;
  std::vector<NetNode> nodes_;
  std::map<std::pair<LpId, LpId>, LinkParams> links_;
  std::vector<LinkFault> faults_;
  std::map<LpId, std::vector<std::size_t>> faults_by_src_;
  std::vector<std::size_t> faults_of_all_;
};

}  // namespace ams::sim
