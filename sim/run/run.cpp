#include "sim_run/run.h"

#include <mutex>

#include "sim_rand/rand_hook.h"
#include "sim_world/domain.h"

namespace ams::sim {
namespace {

constexpr std::uint64_t progress_windows = 20'000;

EngineOptions engine_options(const Scenario& scenario, const RunOptions& options) {
  EngineOptions out;
  out.look_ahead = std::chrono::milliseconds{scenario.base_latency_ms};
  out.threads = options.threads;
  out.record_windows = options.record_windows;
  // Where there are RSA keys a domain stays on one thread: OpenSSL blinds a key per thread, with
  // draws from RAND, and a key that changed threads would draw otherwise than in a run on one.
  // Else a window of an event or two is not worth the waking of a thread.
  out.parallel_events_min = scenario.rsa_users_permille > 0 ? 0 : 3;
  return out;
}

}  // namespace

RunResult run(std::shared_ptr<const Internet> world, const RunOptions& options) {
  static std::once_flag hooked;
  std::call_once(hooked, install_rand_hook);
  Engine engine(engine_options(world->scenario, options));
  for (LpId lp = 0; lp < world->domains.size(); ++lp)
    engine.add(std::make_unique<DomainProcess>(world, lp));
  for (LpId lp = 0; lp < world->domains.size(); ++lp)
    static_cast<DomainProcess&>(engine.process(lp)).plan(engine);
  const Duration total = world->scenario.total_time();
  if (options.progress)
    engine.on_progress(progress_windows, [&](const Progress& at) {
      options.progress(at.now - world_start, total, at.events);
      return true;
    });
  engine.run_until(world_start + total);

  RunResult out;
  out.world = world;
  out.hash = engine.trace_hash();
  out.windows = engine.window_hashes();
  out.events = engine.events_handled();
  std::vector<const Ledger*> ledgers;
  for (LpId lp = 0; lp < world->domains.size(); ++lp) {
    out.domain_hashes.push_back(engine.trace_hash(lp));
    out.ledgers.push_back(static_cast<DomainProcess&>(engine.process(lp)).ledger());
    out.net += out.ledgers.back().net;
  }
  for (const Ledger& ledger : out.ledgers) ledgers.push_back(&ledger);
  out.judgement = judge(*world, ledgers);
  return out;
}

std::string to_text(const TraceHash& hash) {
  Bytes bytes;
  append_u64(bytes, hash.high);
  append_u64(bytes, hash.low);
  return to_hex(bytes);
}

}  // namespace ams::sim
