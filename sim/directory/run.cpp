#include "sim_directory/run.h"

#include "sim_directory/look_process.h"
#include "sim_directory/peer_process.h"
#include "sim_rand/rand_hook.h"
#include "sim_world/internet.h"

namespace ams::sim {
namespace {

constexpr std::uint64_t progress_windows = 2'000;

}  // namespace

DirectoryRun run_directory(std::shared_ptr<const DirectoryWorld> world, const RunOptions& options) {
  install_rand_hook();
  Engine engine(engine_options(options, world->scenario.network.base_latency_ms));
  const auto peers = static_cast<LpId>(world->peer_count());
  const auto looks = static_cast<LpId>(world->scenario.looks.size());
  for (LpId lp = 0; lp < peers; ++lp) engine.add(std::make_unique<PeerProcess>(world, lp));
  for (LpId i = 0; i < looks; ++i) engine.add(std::make_unique<LookProcess>(world, peers + i, i));
  for (LpId lp = 0; lp < peers; ++lp) static_cast<PeerProcess&>(engine.process(lp)).plan(engine);
  for (LpId lp = peers; lp < peers + looks; ++lp)
    static_cast<LookProcess&>(engine.process(lp)).plan(engine);
  DirectoryRun out;
  static_cast<EngineRun&>(out) =
      run_engine(engine, options, world->scenario.total_time(), progress_windows);
  out.world = world;
  for (LpId lp = 0; lp < peers + looks; ++lp) {
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
