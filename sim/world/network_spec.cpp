#include "sim_world/network_spec.h"

#include "sim_world/table_reader.h"

namespace ams::sim {

void read(TableReader& in, NetworkSpec& out) {
  in.integer("base_latency_ms", out.base_latency_ms, 1, 10'000);
  in.integer("jitter_ms", out.jitter_ms, 0, 10'000);
  in.integer("loss_permille", out.loss_permille, 0, 900);
  in.integer("duplicate_permille", out.duplicate_permille, 0, 1'000);
  in.integer("uplink_bytes_per_s", out.uplink_bytes_per_s, 0, std::int64_t{1} << 40);
}

NetOptions net_options(const NetworkSpec& spec) {
  NetOptions out;
  out.base_latency = std::chrono::milliseconds{spec.base_latency_ms};
  out.link.jitter_mean = std::chrono::milliseconds{spec.jitter_ms};
  out.link.loss_ppm = static_cast<std::uint32_t>(spec.loss_permille * 1'000);
  out.link.duplicate_ppm = static_cast<std::uint32_t>(spec.duplicate_permille * 1'000);
  return out;
}

}  // namespace ams::sim
