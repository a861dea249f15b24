#include "sim_net/stack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "sim_net/talkers.h"

namespace ams::sim {
namespace {

using namespace std::chrono_literals;

struct TestNet {
  std::shared_ptr<NetModel> model;
  std::unique_ptr<Engine> engine;
  Talker& at(LpId lp) { return static_cast<Talker&>(engine->process(lp)); }
  NetStats stats() {
    NetStats all;
    for (LpId lp = 0; lp < engine->lp_count(); ++lp) all += at(lp).net.stats();
    return all;
  }
  void command(Instant at, LpId lp, std::uint32_t kind, std::uint64_t word = 0) {
    engine->schedule(lp, at, Message{.kind = kind, .a = word});
  }
};

// A ring: everybody's next is the neighbour. `prepare` may add faults to the model.
TestNet make_ring(LpId count, NetOptions net_options, Talker::Options talk, unsigned threads = 1) {
  TestNet net;
  net.model = std::make_shared<NetModel>(net_options);
  for (LpId i = 0; i < count; ++i) {
    const auto x = static_cast<std::int32_t>(i) * 1000;
    net.model->add_node({.x = x, .y = 0, .uplink_bytes_per_s = 10'000'000});
  }
  EngineOptions options;
  options.look_ahead = net_options.base_latency;
  options.threads = threads;
  options.parallel_events_min = 1;
  options.parallel_deliveries_min = 0;
  net.engine = std::make_unique<Engine>(options);
  for (LpId i = 0; i < count; ++i) {
    auto talker = std::make_unique<Talker>(net.model, talk, i);
    talker->set_next((i + 1) % count);
    net.engine->add(std::move(talker));
  }
  return net;
}

// The promise of the channel, for every connection of a finished run.
void expect_streams_kept(TestNet& net) {
  const LpId count = net.engine->lp_count();
  for (LpId lp = 0; lp < count; ++lp) {
    for (const auto& [conn, here] : net.at(lp).tallies) {
      EXPECT_TRUE(here.intact) << "lp " << lp << " conn " << conn;
      if (conn >> 32 != lp) continue;
      const auto& others = net.at((lp + 1) % count).tallies;
      const auto found = others.find(conn);
      if (found == others.end()) {  // the opening never arrived
        EXPECT_FALSE(here.established);
        continue;
      }
      const Talker::Tally& there = found->second;
      EXPECT_LE(there.received, here.sent);
      EXPECT_LE(here.received, there.sent);
      EXPECT_EQ(there.service, 25u);
      if (here.established) {
        EXPECT_EQ(here.exporter, there.exporter);
      }
      if (there.closed == CloseReason::by_peer) {
        EXPECT_EQ(there.received, here.sent);
      }
      // No end is left waiting for ever.
      EXPECT_TRUE(here.closed || here.closed_here || here.crashed) << conn;
      EXPECT_TRUE(there.closed || there.crashed) << conn;
    }
  }
  for (LpId lp = 0; lp < count; ++lp) EXPECT_EQ(net.at(lp).net.connection_count(), 0u) << lp;
}

// Ten minutes in which everybody dials every few seconds for two, under faults drawn from the seed.
TestNet stormy_run(std::uint64_t seed, unsigned threads) {
  const RandomStream draws(seed, 0, 0x777u);
  NetOptions options;
  options.link.loss_ppm = static_cast<std::uint32_t>(draws.below(0, 300'000));
  options.link.duplicate_ppm = static_cast<std::uint32_t>(draws.below(1, 200'000));
  options.link.jitter_mean = draws.uniform(2, 0ms, 50ms);
  options.segment_size_max = 2048;  // so that small messages, quick to check, span several
  options.attempts_max = static_cast<std::uint32_t>(3 + draws.below(3, 8));
  TestNet net = make_ring(4, options, {.seed = seed, .size_max = 5'000}, threads);
  const bool partitions = draws.below(4, 2) == 1;
  const bool crashes = draws.below(5, 2) == 1;
  for (std::uint64_t i = 0; i < 120; ++i) {
    const Instant at{draws.uniform(100 + i, 0s, 120s)};
    const auto lp = static_cast<LpId>(draws.below(300 + i, 4));
    net.command(at, lp, Talker::kind_dial, (lp + 1) % 4);
  }
  for (std::uint64_t i = 0; i < 6; ++i) {
    const Instant at{draws.uniform(500 + i, 0s, 120s)};
    const Duration length = draws.uniform(600 + i, 0s, 50s);
    const auto lp = static_cast<LpId>(draws.below(700 + i, 4));
    if (partitions && i % 2 == 0) net.model->partition(at, at + length, {lp});
    if (partitions && i % 2 == 1) {
      net.model->add_fault({.from = at, .until = at + length, .src = {lp}, .dst = {}});
    }
    if (crashes) {
      net.command(at, lp, Talker::kind_crash, draws.below(800 + i, 2));
      net.command(at + length, lp, Talker::kind_restart);
    }
  }
  net.engine->run_until(Instant{600s});
  return net;
}

// tools/sanitize sets AMS_TEST_SCALE: one n-th of the seeds, where instrumented code is slow.
std::uint64_t scale() {
  const char* text = std::getenv("AMS_TEST_SCALE");
  return text == nullptr ? 1 : std::clamp<std::uint64_t>(std::strtoull(text, nullptr, 10), 1, 10);
}

// Goal: whatever the weather, what arrives is a prefix of what was sent, whole after an orderly
// close; every connection ends at both ends. Method: 60 seeds of faults, duplicates and crashes.
TEST(NetStack, streams_are_prefixes_in_any_weather) {
  NetStats all;
  std::uint64_t closes[5] = {};
  for (std::uint64_t seed = 1; seed <= 60 / scale(); ++seed) {
    SCOPED_TRACE(seed);
    TestNet net = stormy_run(seed, 1);
    expect_streams_kept(net);
    all += net.stats();
    for (LpId lp = 0; lp < 4; ++lp) {
      for (const auto& [conn, tally] : net.at(lp).tallies) {
        if (tally.closed) ++closes[static_cast<std::size_t>(*tally.closed)];
      }
    }
  }
  // The storm must have reached every ending and every counter.
  for (std::uint64_t count : closes) EXPECT_GT(count, 20u / scale());
  EXPECT_GT(all.lost, 1000u / scale());
  EXPECT_GT(all.retransmitted, 1000u / scale());
  EXPECT_GT(all.duplicated, 1000u / scale());
  EXPECT_GT(all.duplicates_dropped, 1000u / scale());
  EXPECT_GT(all.payload_bytes, 10'000'000u / scale());
}

TEST(NetStack, same_result_at_any_thread_count) {
  for (std::uint64_t seed : {3u, 4u}) {
    TestNet reference = stormy_run(seed, 1);
    for (unsigned threads : {2u, 3u, 4u}) {
      TestNet other = stormy_run(seed, threads);
      EXPECT_EQ(other.engine->trace_hash(), reference.engine->trace_hash());
      EXPECT_EQ(other.stats(), reference.stats());
    }
  }
}

// Goal: gcc and clang agree on payload digests, draws and arithmetic of the whole channel.
TEST(NetStack, golden_trace_hash) {
  EXPECT_EQ(stormy_run(1, 2).engine->trace_hash().low, 2'290'793'967'890'696'174u);
}

NetOptions calm() { return {}; }  // base 2 ms, 8 us per km: 10 ms between neighbours of the ring

// Goal: exact virtual times of the calm case. Method: one way 10 ms; the opening takes one way, the
// answer (TCP + TLS: 2 round trips) comes back after 40 ms.
TEST(NetStack, handshake_takes_its_round_trips) {
  TestNet net = make_ring(2, calm(), {.messages = 0, .closes = false});
  net.command(Instant{}, 0, Talker::kind_dial, 1);
  net.engine->run_until(Instant{1s});
  const auto& [conn, here] = *net.at(0).tallies.begin();
  EXPECT_EQ(conn, 1u);
  // 62 bytes at 10 MB/s leave in 6.2 us, once in each direction.
  EXPECT_EQ(here.at, Instant{40ms} + 2 * 6'200ns);
  EXPECT_EQ(net.at(1).tallies.at(conn).at, Instant{10ms} + 6'200ns);
  EXPECT_EQ(here.exporter, net.at(1).tallies.at(conn).exporter);
  EXPECT_NE(here.exporter, Hash{});
  EXPECT_EQ(net.stats().segments, 2u);
}

// Goal: bandwidth is a queue: 1 MB at 10 MB/s takes 0.1 s plus overhead, however it is cut.
TEST(NetStack, bandwidth_serialises) {
  TestNet net = make_ring(2, calm(), {.messages = 1, .size_max = 1, .closes = true});
  struct Bulk final : Process {
    Bulk(std::shared_ptr<const NetModel> model) : net(std::move(model), 1, 0) {}
    void handle(const Event& event, Context& context) override {
      if (event.kind == 1)
        net.connect(1, 0, context);
      else if (auto seen = net.handle(event, context)) {
        if (const auto* connected = std::get_if<NetConnected>(&*seen)) {
          start = context.now();
          EXPECT_TRUE(net.send(connected->conn, Bytes(1'000'000), context));
          net.close(connected->conn, context);
          EXPECT_FALSE(net.send(connected->conn, Bytes(1), context));
        }
      }
    }
    NetStack net;
    Instant start{};
  };
  Engine engine(EngineOptions{.look_ahead = 2ms});
  engine.add(std::make_unique<Bulk>(net.model));
  engine.add(std::make_unique<Talker>(net.model, Talker::Options{.messages = 0}, 1));
  engine.schedule(0, Instant{}, Message{.kind = 1});
  engine.run_until(Instant{10s});
  const auto& tally = static_cast<Talker&>(engine.process(1)).tallies.begin()->second;
  EXPECT_EQ(tally.received, 1'000'000u);
  EXPECT_EQ(tally.closed, CloseReason::by_peer);
  const std::int64_t wire_bytes = 1'000'000 + 63 * 62;  // 62 records and the close
  EXPECT_NEAR(static_cast<double>((tally.at - static_cast<Bulk&>(engine.process(0)).start).count()),
              static_cast<double>((10ms + wire_bytes * 100ns).count()), 100.0);
}

TEST(NetStack, refused_after_one_round_trip_when_the_process_is_down) {
  TestNet net = make_ring(2, calm(), {});
  net.command(Instant{}, 1, Talker::kind_crash, 0);
  net.command(Instant{1s}, 0, Talker::kind_dial, 1);
  net.engine->run_until(Instant{100s});
  const auto& tally = net.at(0).tallies.begin()->second;
  EXPECT_EQ(tally.closed, CloseReason::refused);
  EXPECT_EQ(tally.at, Instant{1s} + 20ms + 6'200ns);
  EXPECT_EQ(net.at(0).net.stats().refused, 1u);
}

TEST(NetStack, times_out_when_the_machine_is_silent_or_cut_off) {
  TestNet net = make_ring(2, calm(), {});
  net.command(Instant{}, 1, Talker::kind_crash, 1);
  net.command(Instant{1s}, 0, Talker::kind_dial, 1);
  net.command(Instant{50s}, 1, Talker::kind_restart);
  net.model->partition(Instant{60s}, Instant{100s}, {0}, {1});
  net.command(Instant{61s}, 0, Talker::kind_dial, 1);
  net.engine->run_until(Instant{300s});
  const auto& tallies = net.at(0).tallies;
  ASSERT_EQ(tallies.size(), 2u);
  EXPECT_EQ(tallies.at(1).closed, CloseReason::timed_out);
  EXPECT_EQ(tallies.at(1).at, Instant{31s});
  EXPECT_EQ(tallies.at(2).closed, CloseReason::timed_out);
  EXPECT_EQ(tallies.at(2).at, Instant{91s});
}

// Goal: a partition resets both ends; after healing a new connection works.
TEST(NetStack, partition_resets_then_reconnect_works) {
  TestNet net = make_ring(2, calm(), {.messages = 1000, .pause = 500ms});
  net.model->partition(Instant{20s}, Instant{120s}, {0}, {1});
  net.command(Instant{}, 0, Talker::kind_dial, 1);
  net.command(Instant{130s}, 0, Talker::kind_dial, 1);
  net.engine->run_until(Instant{1000s});
  const auto& first = net.at(0).tallies.at(1);
  EXPECT_EQ(first.closed, CloseReason::timed_out);
  EXPECT_GT(first.at, Instant{50s});
  EXPECT_LT(first.at, Instant{52s});  // first unheard segment + 30 s
  EXPECT_TRUE(net.at(1).tallies.at(1).closed);
  EXPECT_LT(net.at(1).tallies.at(1).received, first.sent);
  const auto& second = net.at(0).tallies.at(2);
  EXPECT_TRUE(second.closed_here);
  EXPECT_EQ(net.at(1).tallies.at(2).received, second.sent);
  expect_streams_kept(net);
}

// Goal: an outage shorter than the timeout only delays. Method: 5 s; nothing is lost or reset.
TEST(NetStack, short_outage_only_delays) {
  TestNet net = make_ring(2, calm(), {.messages = 100});
  net.model->partition(Instant{5s}, Instant{10s}, {0}, {1});
  net.command(Instant{}, 0, Talker::kind_dial, 1);
  net.engine->run_until(Instant{200s});
  EXPECT_EQ(net.at(1).tallies.at(1).closed, CloseReason::by_peer);
  EXPECT_EQ(net.stats().resets, 0u);
  EXPECT_GT(net.stats().retransmitted, 10u);
  expect_streams_kept(net);
}

// Goal: the ambiguity of a one-way partition: data got through, the sender cannot know and resets.
TEST(NetStack, one_way_partition_delivers_and_still_resets) {
  TestNet net = make_ring(2, calm(), {.messages = 1000, .pause = 2s});
  net.model->add_fault({.from = Instant{20s}, .until = Instant{200s}, .src = {1}, .dst = {0}});
  net.command(Instant{}, 0, Talker::kind_dial, 1);
  net.engine->run_until(Instant{600s});
  const auto& sender = net.at(0).tallies.at(1);
  EXPECT_EQ(sender.closed, CloseReason::timed_out);
  EXPECT_EQ(net.at(1).tallies.at(1).received, sender.sent);
  EXPECT_GT(net.at(1).net.stats().duplicates_dropped, 5u);
  expect_streams_kept(net);
}

// Goal: a crash kills every connection of the node; a sending peer learns by reset within a round
// trip of its next send, a silent one by keepalive.
TEST(NetStack, crash_kills_connections) {
  TestNet chatty = make_ring(2, calm(), {.messages = 1000, .pause = 100ms});
  chatty.command(Instant{}, 0, Talker::kind_dial, 1);
  chatty.command(Instant{10s}, 1, Talker::kind_crash, 0);
  chatty.command(Instant{11s}, 1, Talker::kind_restart);
  chatty.engine->run_until(Instant{200s});
  EXPECT_EQ(chatty.at(0).tallies.at(1).closed, CloseReason::reset);
  EXPECT_LT(chatty.at(0).tallies.at(1).at, Instant{10s} + 150ms);
  EXPECT_EQ(chatty.at(1).net.connection_count(), 0u);
  expect_streams_kept(chatty);

  TestNet quiet = make_ring(2, calm(), {.messages = 0, .closes = false});
  quiet.command(Instant{}, 0, Talker::kind_dial, 1);
  quiet.command(Instant{10s}, 1, Talker::kind_crash, 1);
  quiet.engine->run_until(Instant{200s});
  EXPECT_EQ(quiet.at(0).tallies.at(1).closed, CloseReason::vanished);
  EXPECT_EQ(quiet.at(0).tallies.at(1).at, Instant{70s} + 10ms);
}

// Goal: what a dead machine would have retransmitted never arrives.
// Method: the link is cut from 20 s to 22 s; the sender, in full flow, crashes at 21 s. Everything
// sent before the cut has arrived by then, nothing sent after it ever does.
TEST(NetStack, the_dead_do_not_retransmit) {
  TestNet net = make_ring(2, calm(), {.messages = 1000, .pause = 100ms});
  net.model->add_fault({.from = Instant{20s}, .until = Instant{22s}, .src = {0}, .dst = {1}});
  net.command(Instant{}, 0, Talker::kind_dial, 1);
  net.command(Instant{21s}, 0, Talker::kind_crash, 1);
  net.engine->run_until(Instant{20s} + 100ms);
  const std::uint64_t arrived = net.at(1).tallies.at(1).received;
  EXPECT_GT(arrived, 0u);
  net.engine->run_until(Instant{300s});
  EXPECT_GT(net.at(0).tallies.at(1).sent, arrived);
  EXPECT_EQ(net.at(1).tallies.at(1).received, arrived);
  EXPECT_EQ(net.at(1).tallies.at(1).closed, CloseReason::vanished);
  expect_streams_kept(net);
}

}  // namespace
}  // namespace ams::sim
