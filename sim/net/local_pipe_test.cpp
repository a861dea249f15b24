#include "sim_net/local_pipe.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace ams::sim {
namespace {

using namespace std::chrono_literals;

// One domain: `script` runs on kind 1; what pipes report is written down, and listeners echo.
struct Site final : Process {
  explicit Site(LocalPipeOptions options) : pipes(options, 1, 0) {}
  void handle(const Event& event, Context& context) override {
    if (!LocalPipes::owns(event)) return script(event.a, context);
    const auto seen = pipes.handle(event, context);
    if (!seen) return;
    static constexpr const char* names[] = {"opened", "data", "closed", "broken"};
    log.push_back(std::to_string((context.now() - Instant{}) / 1us) + " " +
                  (seen->at == PipeEnd::opener ? "client " : "server ") +
                  names[static_cast<std::size_t>(seen->type)] + " " +
                  to_string(seen->bytes.view()));
    if (seen->type == PipeEventType::data && seen->at == PipeEnd::listener) {
      pipes.send(seen->pipe, seen->at, to_bytes(seen->bytes.view()), context);
    }
  }
  LocalPipes pipes;
  std::function<void(std::uint64_t, Context&)> script;
  std::vector<std::string> log;
};

std::vector<std::string> run(LocalPipeOptions options, std::vector<Duration> times,
                             std::function<void(Site&, std::uint64_t, Context&)> script) {
  Engine engine(EngineOptions{});
  auto owned = std::make_unique<Site>(options);
  Site& site = *owned;
  site.script = [&](std::uint64_t step, Context& context) { script(site, step, context); };
  engine.add(std::move(owned));
  for (std::uint64_t i = 0; i < times.size(); ++i) {
    engine.schedule(0, Instant{times[i]}, Message{.kind = 1, .a = i});
  }
  engine.run_until(Instant{100s});
  return site.log;
}

TEST(LocalPipes, talk_and_close_at_exact_times) {
  const auto log = run({.latency = 200us}, {0ms, 1ms, 2ms}, [](Site& site, auto step, auto& ctx) {
    if (step == 0) {
      EXPECT_EQ(site.pipes.open(7, ctx), 1u);
      EXPECT_FALSE(site.pipes.send(1, PipeEnd::opener, to_bytes("early"), ctx));
    }
    if (step == 1) {
      EXPECT_TRUE(site.pipes.send(1, PipeEnd::opener, to_bytes("a"), ctx));
      EXPECT_TRUE(site.pipes.send(1, PipeEnd::opener, to_bytes("b"), ctx));
    }
    if (step == 2) site.pipes.close(1, PipeEnd::opener, ctx);
  });
  EXPECT_EQ(log, (std::vector<std::string>{"200 server opened ", "400 client opened ",
                                           "1200 server data a", "1200 server data b",
                                           "1400 client data a", "1400 client data b",
                                           "2200 server closed "}));
}

// Goal: loss delays and holds up what follows, but never reorders or drops.
TEST(LocalPipes, loss_keeps_order) {
  const auto log =
      run({.latency = 0us, .loss_ppm = 300'000}, {0s, 1s}, [](Site& site, auto step, auto& ctx) {
        if (step == 0) site.pipes.open(0, ctx);
        if (step == 0) return;
        for (char c = 'a'; c <= 'z'; ++c) {
          site.pipes.send(1, PipeEnd::opener, Bytes{static_cast<std::uint8_t>(c)}, ctx);
        }
      });
  std::string at_server;
  std::string at_client;
  for (const std::string& line : log) {
    if (line.find("server data") != std::string::npos) at_server += line.back();
    if (line.find("client data") != std::string::npos) at_client += line.back();
  }
  EXPECT_EQ(at_server, "abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(at_client, at_server);
}

TEST(LocalPipes, crash_of_the_server_breaks_the_clients) {
  const auto log = run({.latency = 1ms}, {0ms, 10ms, 20ms}, [](Site& site, auto step, auto& ctx) {
    if (step == 0) {
      site.pipes.open(1, ctx);
      site.pipes.open(2, ctx);
    }
    if (step == 1) {
      site.pipes.send(1, PipeEnd::opener, to_bytes("lost"), ctx);
      site.pipes.crash_listener(ctx);
      EXPECT_EQ(site.pipes.pipe_count(), 0u);
    }
    if (step != 2) return;
    EXPECT_FALSE(site.pipes.send(1, PipeEnd::opener, to_bytes("x"), ctx));
  });
  EXPECT_EQ(log, (std::vector<std::string>{"1000 server opened ", "1000 server opened ",
                                           "2000 client opened ", "2000 client opened ",
                                           "11000 client broken ", "11000 client broken "}));
}

TEST(LocalPipes, exporters_differ_by_pipe) {
  const LocalPipes pipes({}, 1, 4);
  EXPECT_EQ(pipes.exporter(1), pipes.exporter(1));
  EXPECT_NE(pipes.exporter(1), pipes.exporter(2));
  EXPECT_NE(pipes.exporter(1), LocalPipes({}, 1, 5).exporter(1));
}

}  // namespace
}  // namespace ams::sim
