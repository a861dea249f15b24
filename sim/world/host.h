// Host: one machine with its storage on a simulated disk. Production code runs in it unchanged; the
// domain process (domain.h) carries its bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "machine/machine.h"
#include "sim_engine/engine.h"
#include "store/memory.h"

namespace ams::sim {

struct Resolver;  // names.h

inline constexpr Duration refused_latency = std::chrono::milliseconds{1};

/// An event of a domain's own, to be scheduled.
inline Message message(std::uint32_t kind, std::uint64_t a = 0, std::uint64_t b = 0,
                       std::uint64_t c = 0) {
  Message out;
  out.kind = kind;
  out.a = a;
  out.b = b;
  out.c = c;
  return out;
}

struct Host {
  std::unique_ptr<machine::Machine> machine;  // null while crashed
  store::MemoryStorage disk;
  std::vector<machine::BatchId> waiting;  // applied, not yet durable
  bool commit_scheduled = false;
  std::uint64_t epoch = 0;  // of the process: events of an earlier life are void
  std::uint64_t timer = 0;  // generation of the armed timer
  std::optional<Instant> armed;
  std::shared_ptr<Resolver> resolver;     // made when DNS is asked for the first time
  std::optional<Instant> resolver_armed;  // when it is looked at again

  bool up() const { return machine != nullptr; }
  /// What a power cut leaves: what was durable.
  void crash() {
    machine.reset();
    disk.crash();
    waiting.clear();
    commit_scheduled = false;
    ++epoch;
    ++timer;
    armed.reset();
    resolver.reset();
    resolver_armed.reset();
  }
};

}  // namespace ams::sim
