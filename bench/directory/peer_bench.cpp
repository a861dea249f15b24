// Question: what does a directory peer do in a second, and what does it cost to come back and to
// agree? Targets: 5,500 verified publications a second (Ed25519), look-ups with proof 200,000 a
// second in the library, a client's verification of one 5,000 a second, a restart with 10^6 keys in
// 5 s, and to repair 1,000 differences among 10^6 keys at most 8 messages and 0.5 MB.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <random>

#include "directory/light.h"
#include "directory/peer.h"
#include "store/memory.h"
#include "store/sqlite.h"

namespace ams::directory {
namespace {

keys::KeyPair key_of(std::uint64_t number) {
  const Hash seed = crypto::sha256(to_bytes("peer_bench " + std::to_string(number)));
  return *keys::make_modern(crypto::Drbg(seed).bytes(80), {.nbf = 0, .exp = keys::key_life_ms_max});
}

const std::vector<wire::Value>& records() {
  static const std::vector<wire::Value> made = [] {
    std::vector<wire::Value> out;
    for (std::uint64_t i = 0; i < 2'048; ++i) out.push_back(key_of(i).record.value());
    return out;
  }();
  return made;
}

/// Rows of `count` entries that nobody looks into: kids and values are hashes, any bytes stand for
/// them.
storage::WriteBatch values_of(std::int64_t count, std::int64_t skip) {
  std::mt19937_64 random(1);
  storage::WriteBatch out;
  for (std::int64_t i = 0; i < count; ++i) {
    Bytes kid(16), value(32);
    for (auto& byte : kid) byte = static_cast<std::uint8_t>(random());
    for (auto& byte : value) byte = static_cast<std::uint8_t>(random());
    if (skip == 0 || i % skip != 0)
      out.puts.push_back({table_values, std::move(kid), std::move(value)});
  }
  return out;
}

void pump(Peer& peer, storage::Storage& store) {
  while (auto write = peer.poll_write()) {
    (void)store.apply(write->batch);
    (void)store.commit();
    peer.handle_written(write->ticket, {});
  }
}

const PeerOptions options{.domain = "a.example", .full = true, .peers = {"b.example"}};

void peer_publish(benchmark::State& state) {
  const auto op = key_of(1'000'000);
  std::int64_t done = 0;
  for (auto _ : state) {
    store::MemoryStorage store;
    Peer peer({.domain = "a.example", .full = true, .peers = {}}, &op.signing, store, Instant{});
    for (std::size_t at = 0; at + publish_max <= records().size(); at += publish_max) {
      wire::Array batch(records().begin() + static_cast<std::ptrdiff_t>(at),
                        records().begin() + static_cast<std::ptrdiff_t>(at + publish_max));
      const auto answered =
          peer.publish(wire::Object{{"records", std::move(batch)}}, "c.example", Instant{});
      (void)store.apply(answered->writes);
      done += publish_max;
    }
  }
  state.SetItemsProcessed(done);
}

/// A peer with so many keys, and its first epoch.
struct Full {
  store::MemoryStorage store;
  keys::KeyPair op = key_of(1'000'000);
  std::unique_ptr<Peer> peer;
  explicit Full(std::int64_t count) {
    (void)store.apply(values_of(count, 0));
    (void)store.commit();
    peer = std::make_unique<Peer>(options, &op.signing, store, Instant{});
    (void)peer->publish(wire::Object{{"records", wire::Array{records()[0]}}}, "b.example",
                        Instant{});
    peer->handle_timeout(Instant{} + std::chrono::seconds{1});
    pump(*peer, store);
  }
};
Full& full(std::int64_t count) {
  static std::map<std::int64_t, std::unique_ptr<Full>> all;
  auto& one = all[count];
  if (!one) one = std::make_unique<Full>(count);
  return *one;
}

wire::Value first_kid_args() {
  return wire::Object{{"kid", to_uuid_text(keys::KeyRecord::parse(records()[0])->id().kid)}};
}

void peer_proof(benchmark::State& state) {
  const Full& held = full(state.range(0));
  const wire::Value args = first_kid_args();
  for (auto _ : state) benchmark::DoNotOptimize(held.peer->proof(args));
  state.SetItemsProcessed(state.iterations());
}

void client_verify(benchmark::State& state) {
  const Full& held = full(state.range(0));
  const auto record = *keys::KeyRecord::parse(records()[0]);
  const wire::Value proof = *held.peer->proof(first_kid_args());
  const wire::Value got = wire::Object{{"record", records()[0]}};
  const auto log =
      *log_key("a.example", held.op.record.signing(), verifiable::NoteKeyType::ed25519);
  for (auto _ : state)
    if (!verify_lookup(record.id().kid, &got, proof, {&log, {}, Instant{}}))
      state.SkipWithError("does not verify");
  state.SetItemsProcessed(state.iterations());
}

/// From opening the file to the first answer with a root.
void peer_restart(benchmark::State& state) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("ams-peer-bench-" + std::to_string(state.range(0)) + ".db");
  std::filesystem::remove(path);
  {
    auto store = store::SqliteStorage::open(path.string());
    (void)(*store)->apply(values_of(state.range(0), 0));
    (void)(*store)->commit();
  }
  for (auto _ : state) {
    auto store = store::SqliteStorage::open(path.string());
    const Peer peer(options, nullptr, **store, Instant{});
    benchmark::DoNotOptimize(peer.head());
  }
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + end);
}

/// A round of comparison with a peer that lacks every n-th key, so that 1,000 differ.
void peer_repair(benchmark::State& state) {
  const std::int64_t count = state.range(0);
  store::MemoryStorage ours, theirs;
  (void)ours.apply(values_of(count, 0));
  (void)theirs.apply(values_of(count, count / 1'000));
  const Peer other({.domain = "b.example", .full = true, .peers = {}}, nullptr, theirs, Instant{});
  double messages = 0, bytes = 0;
  for (auto _ : state) {
    Peer peer(options, nullptr, ours, Instant{});
    peer.handle_timeout(Instant{} + reconcile_interval);
    messages = bytes = 0;
    while (auto ask = peer.poll_ask()) {
      Result<wire::Value> answer = wire::Value(wire::Object{{"root", to_base64url(Hash{})}});
      if (ask->op == "directory.reconcile") answer = other.reconcile(ask->args);
      if (ask->op == "directory.publish") continue;  // what is missing there is none of the cost
      messages += 1;
      bytes += static_cast<double>(wire::encode(ask->args).size() + wire::encode(*answer).size());
      peer.handle_reply(ask->cookie, answer, nullptr, Instant{});
    }
  }
  state.counters["messages"] = messages;
  state.counters["bytes"] = bytes;
}

BENCHMARK(peer_publish)->Unit(benchmark::kMillisecond);
BENCHMARK(peer_proof)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(client_verify)->Arg(1'000'000);
BENCHMARK(peer_restart)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(peer_repair)->Arg(100'000)->Arg(1'000'000)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ams::directory
