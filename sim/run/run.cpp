#include "sim_run/run.h"

#include "sim_rand/rand_hook.h"
#include "sim_world/domain.h"

namespace ams::sim {
namespace {

constexpr std::uint64_t progress_windows = 20'000;

// Where there are RSA keys a domain stays on one thread: OpenSSL blinds a key per thread, with
// draws from RAND, and a key that changed threads would draw otherwise than in a run on one.
std::uint64_t parallel_events_min(const Scenario& scenario) {
  return scenario.rsa_users_permille > 0 ? 0 : parallel_events_usual;
}

}  // namespace

RunResult run(std::shared_ptr<const Internet> world, const RunOptions& options) {
  install_rand_hook();
  const Scenario& scenario = world->scenario;
  Engine engine(
      engine_options(options, scenario.network.base_latency_ms, parallel_events_min(scenario)));
  for (LpId lp = 0; lp < world->domains.size(); ++lp)
    engine.add(std::make_unique<DomainProcess>(world, lp));
  for (LpId lp = 0; lp < world->domains.size(); ++lp)
    static_cast<DomainProcess&>(engine.process(lp)).plan(engine);
  RunResult out;
  static_cast<EngineRun&>(out) =
      run_engine(engine, options, scenario.total_time(), progress_windows);
  out.world = world;
  std::vector<const Ledger*> ledgers;
  for (LpId lp = 0; lp < world->domains.size(); ++lp) {
    out.ledgers.push_back(static_cast<DomainProcess&>(engine.process(lp)).ledger());
    out.net += out.ledgers.back().net;
  }
  for (const Ledger& ledger : out.ledgers) ledgers.push_back(&ledger);
  out.judgement = judge(*world, ledgers);
  return out;
}

}  // namespace ams::sim
