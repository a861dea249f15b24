// Question: how many deliveries a second does the simulator's engine make, and does that fall with
// the number of hosts? It should not: the cost of an event is its own, not the size of the world.
// Workload: sim/engine/hosts.h, the same that ns-3, SimGrid and ROSS were measured with (design
// 06).
#include <benchmark/benchmark.h>

#include "sim_engine/hosts.h"

namespace {

using namespace std::chrono_literals;
using ams::Instant;
using ams::sim::EngineOptions;
using ams::sim::LpId;

// Hosts, threads. Two million deliveries: each host sends once in 10 ms on average.
void engine_raw(benchmark::State& state) {
  const auto hosts = static_cast<LpId>(state.range(0));
  EngineOptions options;
  options.threads = static_cast<unsigned>(state.range(1));
  const Instant stop{10ms * (2'000'000 / hosts)};
  std::uint64_t deliveries = 0;
  std::uint64_t events = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto engine = ams::sim::make_hosts(hosts, 1, options);
    state.ResumeTiming();
    engine->run_until(stop);
    state.PauseTiming();
    events += engine->events_handled();
    for (LpId lp = 0; lp < hosts; ++lp) {
      deliveries += static_cast<ams::sim::Host&>(engine->process(lp)).arrived();
    }
    engine.reset();
    state.ResumeTiming();
  }
  state.counters["deliveries/s"] =
      benchmark::Counter(static_cast<double>(deliveries), benchmark::Counter::kIsRate);
  state.counters["events/s"] =
      benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
}
BENCHMARK(engine_raw)
    ->ArgNames({"hosts", "threads"})
    ->ArgsProduct({{100, 1'000, 10'000}, {1}})
    ->Args({10'000, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// A process whose every event costs real work, as protocol code does: `rounds` dependent mixings.
class Worker final : public ams::sim::Process {
 public:
  Worker(LpId self, LpId count, std::uint64_t rounds)
      : self_(self), count_(count), rounds_(rounds) {}
  void handle(const ams::sim::Event& event, ams::sim::Context& context) override {
    std::uint64_t state = event.a;
    for (std::uint64_t i = 0; i < rounds_; ++i) state = ams::sim::mix64(state + i);
    const auto to = static_cast<LpId>(ams::sim::scale_to(ams::sim::mix64(state), count_));
    context.send(to, 7ms, ams::sim::Message{.kind = 1, .size = 64, .a = state + self_});
  }

 private:
  LpId self_;
  LpId count_;
  std::uint64_t rounds_;
};

// Question: do two threads pay once an event costs 2 us? (The target with real TLS is 1.6 times.)
void engine_with_work(benchmark::State& state) {
  constexpr LpId hosts = 1'000;
  EngineOptions options;
  options.look_ahead = 7ms;
  options.threads = static_cast<unsigned>(state.range(0));
  std::uint64_t events = 0;
  for (auto _ : state) {
    state.PauseTiming();
    ams::sim::Engine engine(options);
    for (LpId lp = 0; lp < hosts; ++lp) engine.add(std::make_unique<Worker>(lp, hosts, 500));
    for (LpId lp = 0; lp < hosts; ++lp) {
      for (std::uint64_t i = 0; i < 4; ++i) {
        engine.schedule(lp, Instant{Instant::duration{lp * 7'000 + i}}, {.kind = 1, .a = lp});
      }
    }
    state.ResumeTiming();
    engine.run_until(Instant{500ms});
    events += engine.events_handled();
  }
  state.counters["events/s"] =
      benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
}
BENCHMARK(engine_with_work)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
