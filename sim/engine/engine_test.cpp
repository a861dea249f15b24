#include "sim_engine/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <tuple>

#include "sim_engine/divergence.h"
#include "sim_engine/hosts.h"

namespace ams::sim {
namespace {

using namespace std::chrono_literals;

constexpr Instant stop{1s};

EngineOptions with_threads(unsigned threads) {
  EngineOptions options;
  options.threads = threads;
  options.parallel_events_min = 1;  // always parallel: small tests must exercise it
  options.parallel_deliveries_min = 0;
  return options;
}

// Goal: the result is a function of scenario and seed alone.
// Method: the raw workload at several thread counts, serial and parallel, and with the buffers
// delivered in a permuted order; then another seed, which must differ.
TEST(Engine, same_trace_for_any_worker_count_and_insertion_order) {
  const auto reference = make_hosts(101, 5, with_threads(1));
  reference->run_until(stop);
  EXPECT_GT(reference->events_handled(), 15'000u);
  for (unsigned threads : {2u, 3u, 4u, 7u}) {
    for (std::uint64_t shuffle : {0u, 77u}) {
      EngineOptions options = with_threads(threads);
      options.shuffle_seed = shuffle;
      const auto other = make_hosts(101, 5, options);
      other->run_until(stop);
      EXPECT_EQ(other->trace_hash(), reference->trace_hash()) << threads << " " << shuffle;
      EXPECT_EQ(other->events_handled(), reference->events_handled());
    }
  }
  const auto other_seed = make_hosts(101, 6, with_threads(1));
  other_seed->run_until(stop);
  EXPECT_NE(other_seed->trace_hash(), reference->trace_hash());
}

// Goal: gcc and clang, today and next year, agree. Method: a constant.
TEST(Engine, golden_trace_hash) {
  const auto engine = make_hosts(10, 1, with_threads(2));
  engine->run_until(stop);
  EXPECT_EQ(engine->trace_hash().low, 7'818'863'793'406'518'940u);
  EXPECT_EQ(engine->trace_hash().high, 15'213'258'684'156'866'050u);
}

// Goal: where windows begin and where a run is interrupted changes nothing but the windows.
TEST(Engine, stopping_and_going_on_changes_nothing) {
  const auto whole = make_hosts(20, 1, with_threads(1));
  whole->run_until(stop);
  const auto pieces = make_hosts(20, 1, with_threads(2));
  for (Instant t{}; t < stop; t += 3'333'333ns) pieces->run_until(t);
  pieces->run_until(stop);
  EXPECT_EQ(pieces->trace_hash(), whole->trace_hash());
  EXPECT_GT(pieces->windows(), whole->windows());
}

// Writes down what arrives, in order; on kind 9 it sends as word a says.
struct Scribe final : Process {
  std::vector<std::string> seen;
  void handle(const Event& event, Context& context) override {
    if (event.kind == 9) {
      context.send(static_cast<LpId>(event.a), std::chrono::nanoseconds{event.b},
                   Message{.kind = static_cast<std::uint32_t>(event.c)});
      return;
    }
    seen.push_back(std::to_string(context.now().time_since_epoch().count()) + "/" +
                   std::to_string(event.kind) + "/" + std::to_string(event.src) + "/" +
                   to_string(event.bytes()));
  }
};

std::unique_ptr<Engine> make_scribes(unsigned count, EngineOptions options = {}) {
  auto engine = std::make_unique<Engine>(options);
  for (unsigned i = 0; i < count; ++i) engine->add(std::make_unique<Scribe>());
  return engine;
}

Message order(LpId to, Duration delay, std::uint32_t kind) {
  return {.kind = 9, .a = to, .b = static_cast<std::uint64_t>(delay.count()), .c = kind};
}

// Goal: events of one instant come by kind, then source, then the sender's count, however inserted.
// Method: senders 1..3 aim at instant 10 ms of LP 0, in two insertion orders.
TEST(Engine, equal_times_are_ordered_by_key) {
  const std::vector<std::string> expected = {"10000000/1/1/", "10000000/1/3/", "10000000/2/1/",
                                             "10000000/2/2/"};
  for (bool reversed : {false, true}) {
    const auto engine = make_scribes(4);
    std::vector<std::tuple<LpId, Duration, std::uint32_t>> orders = {
        {2, 3ms, 2}, {1, 5ms, 2}, {3, 1ms, 1}, {1, 6ms, 1}};
    if (reversed) std::reverse(orders.begin(), orders.end());
    for (const auto& [from, delay, kind] : orders) {
      engine->schedule(from, Instant{10ms} - delay, order(0, delay, kind));
    }
    engine->run_until(stop);
    EXPECT_EQ(static_cast<Scribe&>(engine->process(0)).seen, expected);
  }
}

// Goal: the stop is exclusive, and idle time costs no windows.
TEST(Engine, stop_is_exclusive_and_idle_time_is_skipped) {
  const auto engine = make_scribes(1);
  engine->schedule(0, Instant{1h}, Message{.kind = 4});
  EXPECT_TRUE(engine->run_until(Instant{1h}));
  EXPECT_EQ(engine->events_handled(), 0u);
  EXPECT_TRUE(engine->run_until(Instant{1h} + 1ns));
  EXPECT_EQ(engine->events_handled(), 1u);
  EXPECT_EQ(engine->windows(), 1u);
}

// Goal: payload bytes arrive unchanged, are shared, and are freed with events still in flight.
// Method: one block to the process itself twice; ASan's leak check sees the rest.
TEST(Engine, payloads_travel) {
  const auto engine = make_scribes(2);
  const Payload payload(to_bytes("hello"));
  engine->schedule(0, Instant{1ms}, Message{.kind = 1, .payload = payload});
  engine->schedule(1, Instant{2ms}, Message{.kind = 1, .payload = payload});
  engine->schedule(1, Instant{2s}, Message{.kind = 1, .payload = payload});
  engine->run_until(stop);
  EXPECT_EQ(static_cast<Scribe&>(engine->process(0)).seen[0], "1000000/1/0/hello");
  EXPECT_EQ(static_cast<Scribe&>(engine->process(1)).seen[0], "2000000/1/1/hello");
}

TEST(EngineDeathTest, sending_below_the_look_ahead_is_a_bug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto engine = make_scribes(2, EngineOptions{.look_ahead = 2ms});
  engine->schedule(0, Instant{}, order(1, 2ms, 1));
  engine->run_until(Instant{1ms});
  engine->schedule(0, Instant{5ms}, order(1, 2ms - 1ns, 1));
  EXPECT_DEATH(engine->run_until(stop), "delay >= look_ahead_");
}

TEST(Engine, progress_reports_and_stops) {
  const auto engine = make_hosts(10, 1, with_threads(1));
  std::uint64_t calls = 0;
  engine->on_progress(5, [&](const Progress& progress) {
    ++calls;
    EXPECT_EQ(progress.windows, 5 * calls);
    EXPECT_EQ(progress.events, engine->events_handled());
    return calls < 3;
  });
  EXPECT_FALSE(engine->run_until(stop));
  EXPECT_EQ(engine->windows(), 15u);
}

// Goal: a difference is found and named: window, LP, event.
// Method: a host that, in one of the two runs, sends one extra message at 500 ms.
struct LeakyHost final : Process {
  explicit LeakyHost(bool leaky) : leaky_(leaky) {}
  void handle(const Event& event, Context& context) override {
    if (event.kind != 2) return;
    if (leaky_ && event.a == 50) context.send(3, 20ms, Message{.kind = 1, .size = 7});
    context.send(1, 20ms, Message{.kind = 1, .size = 5});
    context.schedule(10ms, Message{.kind = 2, .a = event.a + 1});
  }
  bool leaky_;
};

MakeEngine make_leaky(bool leaky) {
  return [leaky](const EngineOptions& recording) {
    EngineOptions options = recording;
    options.look_ahead = 10ms;
    auto engine = std::make_unique<Engine>(options);
    for (int i = 0; i < 4; ++i) engine->add(std::make_unique<LeakyHost>(leaky && i == 2));
    engine->schedule(2, Instant{}, Message{.kind = 2});
    return engine;
  };
}

TEST(Engine, first_divergence_is_named) {
  EXPECT_EQ(find_divergence(make_leaky(false), make_leaky(false), stop), std::nullopt);
  const auto divergence = find_divergence(make_leaky(false), make_leaky(true), stop);
  ASSERT_TRUE(divergence);
  // The extra message goes out at 500 ms; the timer set right after it has another number in each
  // run, and is handled before anything arrives elsewhere.
  EXPECT_EQ(divergence->window_start, Instant{510ms});
  ASSERT_TRUE(divergence->first && divergence->second);
  EXPECT_EQ(divergence->first->at, Instant{510ms});
  EXPECT_EQ(divergence->first->dst, 2u);
  EXPECT_EQ(divergence->first->src_seq + 1, divergence->second->src_seq);
  EXPECT_NE(describe(*divergence).find("lp 2 handles event #"), std::string::npos);
}

// Goal: a record leads to its cause: the record of the sender whose emissions include it.
TEST(Engine, records_hold_the_causal_chain) {
  EngineOptions recording;
  recording.record_from = Instant{};
  const auto engine = make_leaky(false)(recording);
  engine->run_until(Instant{100ms});
  const auto& arrivals = engine->records(1);
  const auto& sender = engine->records(2);
  ASSERT_EQ(arrivals.size(), 8u);
  ASSERT_EQ(sender.size(), 10u);
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    EXPECT_EQ(arrivals[i].src_seq, sender[i].first_seq);
    EXPECT_EQ(arrivals[i].at - sender[i].at, 20ms);
  }
  EXPECT_EQ(engine->records().size(), 18u);
}

}  // namespace
}  // namespace ams::sim
