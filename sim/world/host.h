// Host: one machine with its storage on a simulated disk. Production code runs in it unchanged; the
// domain process (domain.h) carries its bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "machine/machine.h"
#include "store/memory.h"

namespace ams::sim {

struct Host {
  std::unique_ptr<machine::Machine> machine;  // null while crashed
  store::MemoryStorage disk;
  std::vector<machine::BatchId> waiting;  // applied, not yet durable
  bool commit_scheduled = false;
  std::uint64_t epoch = 0;       // of the process: events of an earlier life are void
  std::uint64_t timer = 0;       // generation of the armed timer
  std::optional<Instant> armed;

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
  }
};

}  // namespace ams::sim
