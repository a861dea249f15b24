// What a run of the engine is asked for and leaves, whatever its processes are.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/instant.h"
#include "sim_engine/engine.h"

namespace ams::sim {

struct RunOptions {
  unsigned threads = 1;
  bool record_windows = false;  // for the determinism check
  /// Called now and then with virtual time reached and events handled.
  std::function<void(Duration reached, Duration total, std::uint64_t events)> progress;
};

struct EngineRun {
  TraceHash hash;
  std::vector<TraceHash> lp_hashes;
  std::vector<WindowHash> windows;
  std::uint64_t events = 0;
};

/// Where a window of an event or two is not worth the waking of a thread.
inline constexpr std::uint64_t parallel_events_usual = 3;

EngineOptions engine_options(const RunOptions& options, std::int64_t base_latency_ms,
                             std::uint64_t parallel_events_min = parallel_events_usual);
/// From world_start on; progress is told every `progress_windows` windows.
EngineRun run_engine(Engine& engine, const RunOptions& options, Duration total,
                     std::uint64_t progress_windows);

/// "00000000000004d2…": for people and for comparisons.
std::string to_text(const TraceHash& hash);

}  // namespace ams::sim
