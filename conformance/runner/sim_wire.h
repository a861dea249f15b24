// What the simulated targets share: one end of a virtual connection, as the suite holds it. A world
// has machine (null: it is off), elapsed, now(), due(), run(), wait_until() and drop().
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "crypto/crypto.h"
#include "machine/machine.h"
#include "runner/target.h"

namespace ams::conform {

struct SimEnd {
  machine::ConnId id = 0;
  Hash exporter{};
  Bytes inbox;  // for the suite
  bool closed = false;
};

inline std::shared_ptr<SimEnd> make_sim_end(machine::ConnId id) {
  auto end = std::make_shared<SimEnd>();
  end->id = id;
  Bytes seed = to_bytes(std::string_view("exporter"));
  append_u64(seed, id);
  end->exporter = crypto::sha256(seed);
  return end;
}

template <class World>
class SimChannel final : public Channel {
 public:
  SimChannel(World& world, std::shared_ptr<SimEnd> end) : world_(world), end_(std::move(end)) {}
  ~SimChannel() override {
    if (!end_->closed) world_.drop(end_->id);
  }
  void send(ByteView bytes) override {
    if (end_->closed || !world_.machine) return;
    world_.machine->handle_bytes(end_->id, bytes, world_.now());
    world_.run();
  }
  bool wait(Millis at_most) override {
    world_.wait_until(at_most, [&] { return !end_->inbox.empty() || end_->closed; });
    return !end_->inbox.empty() || end_->closed;
  }
  Bytes take() override { return std::exchange(end_->inbox, {}); }
  bool closed() const override { return end_->closed; }
  const Hash& exporter() const override { return end_->exporter; }

 private:
  World& world_;
  std::shared_ptr<SimEnd> end_;
};

/// Moves time from timer to timer until `done` or until `at_most` has passed.
template <class World, class Done>
void step_until(World& world, Millis at_most, Done done) {
  const Millis end = world.elapsed + at_most;
  world.run();
  while (!done() && world.elapsed < end) {
    Millis next = end;
    if (const auto due = world.due()) {
      const Millis left{to_unix_ms(*due + std::chrono::microseconds{999}) -
                        to_unix_ms(world.now())};
      next = std::clamp(world.elapsed + left, world.elapsed + Millis{1}, end);
    }
    world.elapsed = next;
    if (world.machine) world.machine->handle_timeout(world.now());
    world.run();
  }
}

/// The ends that came in, oldest first: the suite's side of accept().
template <class World>
std::unique_ptr<Channel> accept_sim_end(World& world, Millis at_most) {
  world.wait_until(at_most, [&] { return !world.incoming.empty(); });
  if (world.incoming.empty()) return nullptr;
  auto end = std::move(world.incoming.front());
  world.incoming.pop_front();
  return std::make_unique<SimChannel<World>>(world, std::move(end));
}

}  // namespace ams::conform
