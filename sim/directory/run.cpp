#include "sim_directory/run.h"

#include <mutex>

#include "sim_directory/look_process.h"
#include "sim_directory/peer_process.h"
#include "sim_rand/rand_hook.h"
#include "sim_world/internet.h"

namespace ams::sim {
namespace {

constexpr std::uint64_t progress_windows = 2'000;

EngineOptions engine_options(const DirectoryScenario& scenario, const RunOptions& options) {
  EngineOptions out;
  out.look_ahead = std::chrono::milliseconds{scenario.base_latency_ms};
  out.threads = options.threads;
  out.record_windows = options.record_windows;
  out.parallel_events_min = 3;
  return out;
}

}  // namespace

DirectoryRun run_directory(std::shared_ptr<const DirectoryWorld> world, const RunOptions& options) {
  static std::once_flag hooked;
  std::call_once(hooked, install_rand_hook);
  Engine engine(engine_options(world->scenario, options));
  const auto peers = static_cast<LpId>(world->peer_count());
  const auto looks = static_cast<LpId>(world->scenario.looks.size());
  for (LpId lp = 0; lp < peers; ++lp) engine.add(std::make_unique<PeerProcess>(world, lp));
  for (LpId i = 0; i < looks; ++i) engine.add(std::make_unique<LookProcess>(world, peers + i, i));
  for (LpId lp = 0; lp < peers; ++lp) static_cast<PeerProcess&>(engine.process(lp)).plan(engine);
  for (LpId lp = peers; lp < peers + looks; ++lp)
    static_cast<LookProcess&>(engine.process(lp)).plan(engine);
  const Duration total = world->scenario.total_time();
  if (options.progress)
    engine.on_progress(progress_windows, [&](const Progress& at) {
      options.progress(at.now - world_start, total, at.events);
      return true;
    });
  engine.run_until(world_start + total);

  DirectoryRun out;
  out.world = world;
  out.hash = engine.trace_hash();
  out.windows = engine.window_hashes();
  out.events = engine.events_handled();
  for (LpId lp = 0; lp < peers + looks; ++lp) {
    out.lp_hashes.push_back(engine.trace_hash(lp));
    if (lp < peers) {
      out.peers.push_back(static_cast<PeerProcess&>(engine.process(lp)).finish());
      out.net += out.peers.back().net;
    } else {
      out.looks.push_back(static_cast<LookProcess&>(engine.process(lp)).finish());
      out.net += out.looks.back().net;
    }
  }
  std::vector<const PeerLedger*> peer_ledgers;
  for (const PeerLedger& ledger : out.peers) peer_ledgers.push_back(&ledger);
  std::vector<const LookLedger*> look_ledgers;
  for (const LookLedger& ledger : out.looks) look_ledgers.push_back(&ledger);
  out.judgement = judge_directory(*world, peer_ledgers, look_ledgers);
  return out;
}

}  // namespace ams::sim
