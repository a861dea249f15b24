// Question: what do a root, a proof and a key's memory cost as the directory grows? Targets at 10^6
// keys: proofs of at most 660 bytes in the mean and 32 (log2 n + 0.33) + 5 by the fit, 200,000
// proofs a second; a restart that builds the map must stay far below 5 s.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <map>
#include <random>

#include "crypto/crypto.h"
#include "verifiable/checkpoint.h"
#include "verifiable/log.h"
#include "verifiable/map.h"

namespace ams::verifiable {
namespace {

/// `count` kids from a fixed seed: kids are hashes, so any random bytes stand for them.
std::vector<Entry> entries_of(std::int64_t count) {
  std::mt19937_64 random(1);
  std::vector<Entry> out(static_cast<std::size_t>(count));
  for (Entry& e : out) {
    for (auto& byte : e.kid) byte = static_cast<std::uint8_t>(random());
    for (auto& byte : e.value) byte = static_cast<std::uint8_t>(random());
  }
  return out;
}

/// One map of each size for all benchmarks.
struct Prepared {
  std::vector<Entry> entries;
  Map map;
};
const Prepared& prepared(std::int64_t count) {
  static std::map<std::int64_t, Prepared> all;
  Prepared& one = all[count];
  if (one.entries.empty()) {
    one.entries = entries_of(count);
    one.map = Map::of(one.entries);
  }
  return one;
}

/// With the map's end.
void map_build(benchmark::State& state) {
  const auto entries = entries_of(state.range(0));
  double bytes = 0;
  for (auto _ : state) {
    const auto before = mallinfo2().uordblks;
    const Map map = Map::of(entries);
    bytes = static_cast<double>(mallinfo2().uordblks - before);
    benchmark::DoNotOptimize(map.root());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["bytes_per_key"] = bytes / static_cast<double>(state.range(0));
}

/// A new value for a kid of the full map, never the one it has.
void map_insert(benchmark::State& state) {
  const auto& [entries, full] = prepared(state.range(0));
  Map map = full;
  std::size_t i = 0;
  std::uint8_t round = 0;
  for (auto _ : state) {
    Hash value = entries[i].value;
    value[0] = static_cast<std::uint8_t>(value[0] + 1 + round % 2);
    if (!map.insert(entries[i].kid, value)) state.SkipWithError("unchanged");
    i = (i + 7919) % entries.size();  // prime to all sizes: every kid once a round
    if (i == 0) ++round;
  }
  state.SetItemsProcessed(state.iterations());
}

void map_prove(benchmark::State& state) {
  const auto& [entries, map] = prepared(state.range(0));
  std::size_t i = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    const Bytes proof = map.prove(entries[i].kid);
    bytes += proof.size();
    i = (i + 7919) % entries.size();
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["proof_bytes"] =
      static_cast<double>(bytes) / static_cast<double>(state.iterations());
}

void map_verify(benchmark::State& state) {
  const auto& [entries, map] = prepared(state.range(0));
  const Hash root = map.root();
  std::vector<Bytes> proofs;
  for (std::size_t i = 0; i < 1000; ++i) proofs.push_back(map.prove(entries[i].kid));
  std::size_t i = 0;
  for (auto _ : state) {
    if (!verify_present(root, entries[i].kid, entries[i].value, proofs[i]))
      state.SkipWithError("refused");
    i = (i + 1) % proofs.size();
  }
  state.SetItemsProcessed(state.iterations());
}

/// 1,000 kids of it differ.
void map_diff(benchmark::State& state) {
  const auto& [entries, map] = prepared(state.range(0));
  Map other = map;
  for (std::size_t i = 0; i < 1000; ++i) other.erase(entries[i].kid);
  for (auto _ : state) {
    if (diff(map, other).size() != 1000) state.SkipWithError("wrong difference");
  }
  state.SetItemsProcessed(state.iterations() * 1000);
}

void log_append_and_root(benchmark::State& state) {
  Frontier frontier;
  for (auto _ : state) {
    frontier.append(Hash{1});
    benchmark::DoNotOptimize(frontier.root());
  }
  state.SetItemsProcessed(state.iterations());
}

/// A checkpoint of a log with two witnesses: three signatures of Ed25519.
void checkpoint_open(benchmark::State& state) {
  Note note{checkpoint_text({"log.example", 7, Hash{1}, {}}), {}};
  std::vector<NoteKey> keys;
  for (std::uint8_t n = 0; n < 3; ++n) {
    const auto secret = crypto::SigningKey::ed25519_from_seed(Bytes(32, n));
    const auto type = n == 0 ? NoteKeyType::ed25519 : NoteKeyType::cosignature_v1;
    const std::string name = n == 0 ? "log.example" : "w" + std::to_string(n) + ".example";
    keys.push_back(*NoteKey::make(
        name, type, *crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, secret.public_raw())));
    note.signatures.push_back(n == 0 ? *sign_note(note.text, name, secret)
                                     : *cosign(note.text, name, secret, 5));
  }
  const std::string text = format(note);
  const WitnessPolicy policy{std::span(keys).subspan(1), 2};
  for (auto _ : state) {
    if (!open_checkpoint(text, keys[0], policy)) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(10000)->Arg(100000)->Arg(1000000);
}

BENCHMARK(map_build)->Name("directory/map_build")->Apply(sizes)->Unit(benchmark::kMillisecond);
BENCHMARK(map_insert)->Name("directory/map_insert")->Apply(sizes);
BENCHMARK(map_prove)->Name("directory/map_prove")->Apply(sizes);
BENCHMARK(map_verify)->Name("directory/map_verify")->Apply(sizes);
BENCHMARK(map_diff)->Name("directory/map_diff_1000")->Apply(sizes)->Unit(benchmark::kMillisecond);
BENCHMARK(log_append_and_root)->Name("directory/log_append_and_root");
BENCHMARK(checkpoint_open)->Name("directory/checkpoint_open");

}  // namespace
}  // namespace ams::verifiable
