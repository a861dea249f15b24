// The raw workload by which engines are compared (design 06, table "Measured here"): every host's
// timer fires each 5 to 15 ms and sends 64 modelled bytes to a random host, 7 ms away.
#pragma once

#include <cstdint>
#include <memory>

#include "sim_engine/engine.h"
#include "sim_engine/random.h"

namespace ams::sim {

class Host final : public Process {
 public:
  static constexpr std::uint32_t kind_arrival = 1;
  static constexpr std::uint32_t kind_timer = 2;
  static constexpr Duration latency = std::chrono::milliseconds{7};

  Host(std::uint64_t seed, LpId self, LpId hosts)
      : random_(seed, self, Purpose::workload), hosts_(hosts) {}

  void handle(const Event& event, Context& context) override {
    if (event.kind == kind_arrival) {
      ++arrived_;
      bytes_ += event.size;
      return;
    }
    const std::uint64_t tick = event.a;
    const auto to = static_cast<LpId>(random_.below(2 * tick, hosts_));
    const Duration wait =
        random_.uniform(2 * tick + 1, std::chrono::milliseconds{5}, std::chrono::milliseconds{15});
    context.send(to, latency, Message{.kind = kind_arrival, .size = 64, .a = tick});
    context.schedule(wait, Message{.kind = kind_timer, .a = tick + 1});
  }

  std::uint64_t arrived() const { return arrived_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  RandomStream random_;
  LpId hosts_;
  std::uint64_t arrived_ = 0;
  std::uint64_t bytes_ = 0;
};

/// `hosts` of them in a fresh engine, first timers spread over 10 ms from the epoch.
inline std::unique_ptr<Engine> make_hosts(LpId hosts, std::uint64_t seed, EngineOptions options) {
  options.look_ahead = Host::latency;
  auto engine = std::make_unique<Engine>(options);
  for (LpId id = 0; id < hosts; ++id) engine->add(std::make_unique<Host>(seed, id, hosts));
  const RandomStream start(seed, hosts, Purpose::workload);
  for (LpId id = 0; id < hosts; ++id) {
    const Duration wait = start.uniform(id, Duration{0}, std::chrono::milliseconds{10});
    engine->schedule(id, Instant{wait}, Message{.kind = Host::kind_timer});
  }
  return engine;
}

}  // namespace ams::sim
