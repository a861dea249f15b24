// Question: what does a proven look-up cost a domain's server and its asker as the domain grows,
// and where does the time go? A VRF proof is three multiplications on P-256; all else are hashes. A
// server keeps the VRF proofs of the labels it was asked for ("warm"); "cold" is the first answer.
#include <benchmark/benchmark.h>

#include <map>
#include <random>

#include "bindlog/prover.h"

namespace ams::bindlog {
namespace {

constexpr std::int64_t owners = 256;  // addresses with real entries; the rest is filler of hashes
constexpr std::uint64_t now_s = 1'893'456'000;

Entry entry_of(std::int64_t i) {
  Entry entry;
  entry.addr = "user" + std::to_string(i) + "@bench.example";
  entry.at = 1;
  return entry;
}

Prover make_prover() {
  return *Prover::make("bench.example", {crypto::VrfKey::from_seed(Bytes(32, 1)),
                                         crypto::SigningKey::ed25519_from_seed(Bytes(32, 2)),
                                         crypto::Secret::copy_of(Bytes(32, 3))});
}

Prover filled(std::int64_t count) {
  std::mt19937_64 random(1);
  std::vector<Leaf> leaves(static_cast<std::size_t>(count - owners));
  for (Leaf& leaf : leaves) {
    for (auto& byte : leaf.kid) byte = static_cast<std::uint8_t>(random());
    leaf.value[0] = static_cast<std::uint8_t>(random());
  }
  Prover out = make_prover();
  if (!out.restore(std::move(leaves), {}, {})) return out;
  for (std::int64_t i = 0; i < owners; ++i) benchmark::DoNotOptimize(out.add(entry_of(i)));
  out.seal(now_s);
  return out;
}
const Prover& prepared(std::int64_t count) {
  static std::map<std::int64_t, Prover> all;
  auto at = all.find(count);
  if (at == all.end()) at = all.emplace(count, filled(count)).first;
  return at->second;
}

void prove_warm(benchmark::State& state) {
  const Prover& log = prepared(state.range(0));
  for (std::int64_t i = 0; i < owners; ++i) benchmark::DoNotOptimize(log.prove(entry_of(i)));
  std::int64_t i = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    const Proof proof = log.prove(entry_of(i++ % owners));
    bytes += wire::encode(to_value(proof)).size();
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["answer_bytes"] =
      static_cast<double>(bytes) / static_cast<double>(state.iterations());
}

/// Addresses that were never asked for: a VRF proof each.
void prove_cold(benchmark::State& state) {
  const Prover& log = prepared(state.range(0));
  static std::int64_t i = owners;  // never one again, whoever calls how often
  for (auto _ : state)
    benchmark::DoNotOptimize(log.prove_none("n" + std::to_string(i++) + "@bench.example"));
  state.SetItemsProcessed(state.iterations());
}

void verify(benchmark::State& state) {
  const Prover& log = prepared(state.range(0));
  std::vector<wire::Value> proofs;
  for (std::int64_t i = 0; i < owners; ++i) proofs.push_back(to_value(log.prove(entry_of(i))));
  std::int64_t i = 0;
  for (auto _ : state) {
    const std::int64_t who = i++ % owners;
    if (!verify_proof(proofs[static_cast<std::size_t>(who)], entry_of(who).addr, log.identity()))
      state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations());
}

/// An owner's first check: one version, fifteen gaps.
void verify_owner(benchmark::State& state) {
  const Prover& log = prepared(state.range(0));
  const std::vector<Entry> entries{entry_of(0)};
  const wire::Value history = to_value(log.history(entries, true, 0));
  for (auto _ : state) {
    if (!verify_history(history, entries[0].addr, log.identity(), {}))
      state.SkipWithError("refused");
  }
  state.counters["answer_bytes"] = static_cast<double>(wire::encode(history).size());
  state.SetItemsProcessed(state.iterations());
}

/// Versions added, in epochs of a thousand.
void update(benchmark::State& state) {
  Prover log = filled(state.range(0));
  std::int64_t i = state.range(0) + owners;
  for (auto _ : state) {
    if (!log.add(entry_of(i++))) state.SkipWithError("refused");
    if (i % 1000 == 0) log.seal(now_s);
  }
  state.SetItemsProcessed(state.iterations());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(10000)->Arg(100000)->Arg(1000000);
}

BENCHMARK(prove_warm)->Name("bindlog/prove_warm")->Apply(sizes);
BENCHMARK(prove_cold)->Name("bindlog/prove_cold")->Apply(sizes);
BENCHMARK(verify)->Name("bindlog/verify")->Apply(sizes);
BENCHMARK(verify_owner)->Name("bindlog/verify_owner")->Arg(1000000);
BENCHMARK(update)->Name("bindlog/update")->Apply(sizes);

}  // namespace
}  // namespace ams::bindlog
