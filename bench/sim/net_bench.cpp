// Question: what does the modelled channel add to an event? A message of 1 KiB over a lossy link
// must stay below a microsecond, or a million protocol events a second are out of reach.
#include <benchmark/benchmark.h>

#include "sim_engine/engine.h"
#include "sim_net/stack.h"

namespace {

using namespace std::chrono_literals;
using namespace ams::sim;

// Everybody keeps one connection to the next domain; each message that arrives is sent on.
class Relay final : public Process {
 public:
  Relay(std::shared_ptr<const NetModel> model, LpId self) : net_(std::move(model), 1, self) {}
  void handle(const Event& event, Context& context) override {
    if (!NetStack::owns(event)) {
      net_.connect(static_cast<LpId>(event.a), 0, context);
      return;
    }
    const auto seen = net_.handle(event, context);
    if (!seen) return;
    if (const auto* connected = std::get_if<NetConnected>(&*seen)) {
      net_.send(connected->conn, ams::Bytes(1024), context);
    } else if (const auto* data = std::get_if<NetData>(&*seen)) {
      ++messages;
      net_.send(data->conn, ams::to_bytes(data->bytes.view()), context);
    }
  }
  std::uint64_t messages = 0;

 private:
  NetStack net_;
};

void net_messages(benchmark::State& state) {
  const auto domains = static_cast<LpId>(state.range(0));
  NetOptions net;
  net.link = {.jitter_mean = 2ms,
              .loss_ppm = static_cast<std::uint32_t>(state.range(1)),
              .duplicate_ppm = static_cast<std::uint32_t>(state.range(1))};
  std::uint64_t messages = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto model = std::make_shared<NetModel>(net);
    for (LpId lp = 0; lp < domains; ++lp) {
      const auto place = mix64(lp);
      model->add_node({.x = static_cast<std::int32_t>(place % 4000),
                       .y = static_cast<std::int32_t>(place / 4096 % 4000)});
    }
    Engine engine(EngineOptions{.look_ahead = net.base_latency});
    for (LpId lp = 0; lp < domains; ++lp) engine.add(std::make_unique<Relay>(model, lp));
    for (LpId lp = 0; lp < domains; ++lp) {
      engine.schedule(lp, ams::Instant{}, {.kind = 1, .a = (lp + 1) % domains});
    }
    state.ResumeTiming();
    engine.run_until(ams::Instant{12'000s / domains});
    state.PauseTiming();
    for (LpId lp = 0; lp < domains; ++lp) {
      messages += static_cast<Relay&>(engine.process(lp)).messages;
    }
    state.ResumeTiming();
  }
  state.counters["messages/s"] =
      benchmark::Counter(static_cast<double>(messages), benchmark::Counter::kIsRate);
}
BENCHMARK(net_messages)
    ->ArgNames({"domains", "loss_ppm"})
    ->Args({1'000, 0})
    ->Args({1'000, 10'000})
    ->Args({10'000, 10'000})
    ->Unit(benchmark::kMillisecond);

}  // namespace
