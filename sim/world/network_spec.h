// The [network] of a scenario: links that are all alike.
#pragma once

#include <cstdint>

#include "sim_net/model.h"

namespace ams::sim {

class TableReader;

struct NetworkSpec {
  std::int64_t base_latency_ms = 5;
  std::int64_t jitter_ms = 0;
  std::int64_t loss_permille = 0;
  std::int64_t duplicate_permille = 0;
  std::int64_t uplink_bytes_per_s = 0;  // of each node; 0: unlimited
};
void read(TableReader& in, NetworkSpec& out);
NetOptions net_options(const NetworkSpec& spec);

}  // namespace ams::sim
