// Determinism self-check: runs a simulation twice and names the first difference.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sim_engine/engine.h"

namespace ams::sim {

/// Builds a fresh engine with all processes and first events. Copies `recording`'s record_* fields
/// into its EngineOptions; everything else (seed, threads, build) is the factory's business.
using MakeEngine = std::function<std::unique_ptr<Engine>(const EngineOptions& recording)>;

struct Divergence {
  std::size_t window;    // index of the first window whose hash differs
  Instant window_start;  // of whichever run's window began first
  /// In key order, the first place where the window's events differ: what each run handled there;
  /// empty for a run that had no more. Both empty: the recorded pair of runs no longer differed.
  std::optional<EventRecord> first;
  std::optional<EventRecord> second;
};

/// Runs both to `stop` and compares window hashes; on a difference runs both again, recording the
/// events of that window. Empty: equal. Costs two runs, or four.
std::optional<Divergence> find_divergence(const MakeEngine& first, const MakeEngine& second,
                                          Instant stop);

/// One line for people: "window 12 at 1.300000000 s: event (lp 4 #17) -> lp 3, kind 2 …".
std::string describe(const Divergence& divergence);

}  // namespace ams::sim
