#include "directory_bench/world.h"

#include <map>
#include <random>

#include "crypto/test_keys.h"
#include "store/memory.h"

namespace ams::directory_bench {
namespace {

constexpr keys::KeyPairOptions whole_life{.nbf = 0, .exp = keys::key_life_ms_max};

keys::KeyPair rsa_pair(std::uint64_t number) {
  using crypto::test_keys::rsa2048;
  const Bytes sign = from_base64url(rsa2048[number % 2]).value();
  const Bytes decrypt = from_base64url(rsa2048[2 + number % 2]).value();
  const Hash seed = crypto::sha256(to_bytes("nonce " + std::to_string(number)));
  Id16 nonce{};
  std::copy_n(seed.begin(), nonce.size(), nonce.begin());
  return keys::make_pair(
             crypto::SigningKey::from_private(crypto::SigAlg::rsa2048pss, sign).value(),
             crypto::DecryptionKey::from_private(crypto::Kem::rsa2048kem, decrypt).value(), nonce,
             whole_life)
      .value();
}

void publish_one(directory::Peer& peer, storage::Storage& store, const wire::Value& record) {
  const auto answered =
      peer.publish(wire::Object{{"records", wire::Array{record}}}, "b.example", Instant{});
  must(answered.has_value() && store.apply(answered->writes), "publication");
}

}  // namespace

std::string name(Profile profile) { return profile == Profile::modern ? "Ed25519" : "RSA-2048"; }

keys::KeyPair pair_of(Profile profile, std::uint64_t number) {
  if (profile == Profile::rsa2048) return rsa_pair(number);
  const Hash seed = crypto::sha256(to_bytes("key " + std::to_string(number)));
  return keys::make_modern(crypto::Drbg(seed).bytes(80), whole_life).value();
}

wire::Value record_of(Profile profile, std::uint64_t number) {
  return pair_of(profile, number).record.value();
}

void hold_values(storage::Storage& store, std::int64_t count, std::int64_t skip) {
  std::mt19937_64 random(1);
  storage::WriteBatch batch;
  const auto flush = [&] {
    must(store.apply(batch) && store.commit(), "storage");
    batch.puts.clear();
  };
  for (std::int64_t i = 0; i < count; ++i) {
    Bytes kid(16), value(32);
    for (auto& byte : kid) byte = static_cast<std::uint8_t>(random());
    for (auto& byte : value) byte = static_cast<std::uint8_t>(random());
    if (skip != 0 && i % skip == 0) continue;
    batch.puts.push_back({directory::table_values, std::move(kid), std::move(value)});
    if (batch.puts.size() == 100'000) flush();
  }
  flush();
}

Full::Full(std::int64_t count) : store(std::make_unique<store::MemoryStorage>()) {
  hold_values(*store, count);
  peer = std::make_unique<directory::Peer>(
      directory::PeerOptions{
          .domain = "a.example", .full = true, .peers = {}, .quota = 1'000'000'000},
      &op.signing, *store, Instant{});
  for (const Profile profile : {Profile::modern, Profile::rsa2048})
    publish_one(*peer, *store, record_of(profile, 0));
  peer->handle_timeout(Instant{} + std::chrono::seconds{1});
  pump();
  const std::int64_t every = std::max<std::int64_t>(1, count / 4'096);
  std::int64_t at = 0;
  const auto visit = [&](ByteView key, ByteView) {
    Id16 kid{};
    std::copy_n(key.begin(), kid.size(), kid.begin());
    if (at++ % every == 0) asked.push_back(wire::Object{{"kid", to_uuid_text(kid)}});
    return true;
  };
  must(store->scan(directory::table_values, {}, {}, visit).has_value(), "scan");
}

void Full::pump() {
  while (auto write = peer->poll_write()) {
    must(store->apply(write->batch) && store->commit(), "storage");
    peer->handle_written(write->ticket, {});
  }
}

const Full& full(std::int64_t count) {
  static std::map<std::int64_t, std::unique_ptr<Full>> all;
  auto& one = all[count];
  if (!one) one = std::make_unique<Full>(count);
  return *one;
}

}  // namespace ams::directory_bench
