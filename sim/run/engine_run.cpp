#include "sim_run/engine_run.h"

#include "sim_world/internet.h"

namespace ams::sim {

EngineOptions engine_options(const RunOptions& options, std::int64_t base_latency_ms,
                             std::uint64_t parallel_events_min) {
  EngineOptions out;
  out.look_ahead = std::chrono::milliseconds{base_latency_ms};
  out.threads = options.threads;
  out.record_windows = options.record_windows;
  out.parallel_events_min = parallel_events_min;
  return out;
}

EngineRun run_engine(Engine& engine, const RunOptions& options, Duration total,
                     std::uint64_t progress_windows) {
  if (options.progress)
    engine.on_progress(progress_windows, [&](const Progress& at) {
      options.progress(at.now - world_start, total, at.events);
      return true;
    });
  engine.run_until(world_start + total);
  EngineRun out;
  out.hash = engine.trace_hash();
  for (LpId lp = 0; lp < engine.lp_count(); ++lp) out.lp_hashes.push_back(engine.trace_hash(lp));
  out.windows = engine.window_hashes();
  out.events = engine.events_handled();
  return out;
}

std::string to_text(const TraceHash& hash) {
  Bytes bytes;
  append_u64(bytes, hash.high);
  append_u64(bytes, hash.low);
  return to_hex(bytes);
}

}  // namespace ams::sim
