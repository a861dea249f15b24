// Test processes: they connect at random, send bytes that tell their own position, and keep tallies
// from which a test decides whether streams were kept.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/overload.h"
#include "sim_engine/engine.h"
#include "sim_engine/random.h"
#include "sim_net/stack.h"

namespace ams::sim {

class Talker final : public Process {
 public:
  // Commands come first at their instant, steps last.
  static constexpr std::uint32_t kind_dial = 1;   // a: to whom
  static constexpr std::uint32_t kind_crash = 2;  // a: CrashKind
  static constexpr std::uint32_t kind_restart = 3;
  static constexpr std::uint32_t kind_step = 0x1000;  // a: connection
  struct Options {
    std::uint64_t seed = 1;
    std::uint64_t messages = 10;  // per connection and direction, then the opener closes
    std::uint64_t size_max = 40'000;
    Duration pause = std::chrono::milliseconds{300};
    bool closes = true;
  };
  struct Tally {
    std::uint64_t sent = 0, received = 0;  // bytes
    std::uint64_t steps = 0;
    bool intact = true;  // every byte received was the one its position demands
    bool established = false;
    bool closed_here = false;
    bool crashed = false;
    std::optional<CloseReason> closed;
    Instant at{};  // of the last change of state
    Hash exporter{};
    std::uint32_t service = 0;
  };

  Talker(std::shared_ptr<const NetModel> model, Options options, LpId self)
      : net(std::move(model), options.seed, self), options_(options), self_(self) {}

  void handle(const Event& event, Context& context) override {
    switch (event.kind) {
      case kind_dial: {
        if (!net.up()) return;
        const ConnId conn = net.connect(static_cast<LpId>(event.a), 25, context);
        tallies[conn].at = context.now();
        return;
      }
      case kind_crash:
        net.crash(static_cast<CrashKind>(event.a), context);
        for (auto& [conn, tally] : tallies) {
          if (!tally.closed) tally.crashed = true;
        }
        return;
      case kind_restart:
        return net.restart();
      case kind_step:
        return step(event.a, context);
      default:
        break;
    }
    AMS_ASSERT(NetStack::owns(event));
    if (auto seen = net.handle(event, context)) take(*seen, context);
  }

  NetStack net;
  std::map<ConnId, Tally> tallies;

 private:
  // Byte `position` of the stream that `from` sends on `conn`.
  static std::uint8_t byte_at(ConnId conn, LpId from, std::uint64_t position) {
    return static_cast<std::uint8_t>(mix64(conn * 31 + from + position / 8) >> (position % 8 * 8));
  }

  void step(ConnId conn, Context& context) {
    Tally& tally = tallies[conn];
    if (tally.closed || tally.crashed || tally.closed_here) return;
    const RandomStream draws(options_.seed, conn * 2 + (conn >> 32 == self_ ? 0 : 1), 0x900u);
    if (tally.steps == options_.messages) {
      if (conn >> 32 != self_ || !options_.closes) return;
      tally.closed_here = true;
      net.close(conn, context);
      return;
    }
    const std::uint64_t size = draws.below(2 * tally.steps, options_.size_max) + 1;
    const Duration pause = draws.uniform(2 * tally.steps + 1, Duration{0}, options_.pause);
    ++tally.steps;
    Bytes bytes;
    for (std::uint64_t i = 0; i < size; ++i) bytes.push_back(byte_at(conn, self_, tally.sent + i));
    if (net.send(conn, std::move(bytes), context)) tally.sent += size;
    context.schedule(pause, Message{.kind = kind_step, .a = conn});
  }

  void take(const NetEvent& seen, Context& context) {
    std::visit(
        Overload{[&](const NetConnected& e) { begin(e.conn, e.exporter, 0, context); },
                 [&](const NetAccepted& e) { begin(e.conn, e.exporter, e.service, context); },
                 [&](const NetData& e) {
                   Tally& tally = tallies[e.conn];
                   const LpId from =
                       e.conn >> 32 == self_ ? peer_of(e.conn) : static_cast<LpId>(e.conn >> 32);
                   for (std::uint8_t byte : e.bytes.view()) {
                     tally.intact &= byte == byte_at(e.conn, from, tally.received);
                     ++tally.received;
                   }
                 },
                 [&](const NetClosed& e) {
                   tallies[e.conn].closed = e.reason;
                   tallies[e.conn].at = context.now();
                 }},
        seen);
  }

  void begin(ConnId conn, const Hash& exporter, std::uint32_t service, Context& context) {
    Tally& tally = tallies[conn];
    tally.established = true;
    tally.exporter = exporter;
    tally.service = service;
    tally.at = context.now();
    context.schedule(Duration{0}, Message{.kind = kind_step, .a = conn});
  }

  // In these tests everybody dials the next one.
  LpId peer_of(ConnId) const { return next_; }

 public:
  void set_next(LpId next) { next_ = next; }

 private:
  Options options_;
  LpId self_;
  LpId next_ = 0;
};

}  // namespace ams::sim
