// Question: how near do our operations come to the primitives beneath them? The targets are in the
// design's table: at least 90 % of what `openssl speed` shows in the same run.
#include <benchmark/benchmark.h>
#include <openssl/crypto.h>

#include "crypto/crypto.h"
#include "crypto/test_keys.h"
#include "crypto/vrf.h"

namespace ams::crypto {
namespace {

// Which OpenSSL it was is part of every figure.
[[maybe_unused]] const bool context_added = [] {
  benchmark::AddCustomContext("openssl", OpenSSL_version(OPENSSL_VERSION));
  return true;
}();

SigningKey signing_key(SigAlg alg) {
  if (alg == SigAlg::ed25519) return SigningKey::ed25519_from_seed(Bytes(32, 1));
  return *SigningKey::from_private(alg, *from_base64url(test_keys::rsa2048[0]));
}

DecryptionKey decryption_key(Kem kem) {
  if (kem == Kem::x25519) return DecryptionKey::x25519_from_seed(Bytes(32, 2));
  return *DecryptionKey::from_private(kem, *from_base64url(test_keys::rsa2048[1]));
}

// A signature is over "AMS-SIG/1\0" || tag || \0 || SHA-256: about this long.
const Bytes& signed_form() {
  static const Bytes form(48, 0x61);
  return form;
}

void sign(benchmark::State& state, SigAlg alg) {
  const SigningKey key = signing_key(alg);
  for (auto _ : state) {
    auto signature = key.sign(signed_form());
    benchmark::DoNotOptimize(signature);
  }
  state.SetItemsProcessed(state.iterations());
}

void verify(benchmark::State& state, SigAlg alg) {
  const SigningKey key = signing_key(alg);
  const VerifyKey verifier = *VerifyKey::from_raw(alg, key.public_raw());
  const Bytes signature = *key.sign(signed_form());
  for (auto _ : state) {
    if (!verifier.verify(signed_form(), signature)) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations());
}

// A key that came with a record and is used once: what importing it adds.
void import_and_verify(benchmark::State& state, SigAlg alg) {
  const SigningKey key = signing_key(alg);
  const Bytes signature = *key.sign(signed_form());
  for (auto _ : state) {
    const auto verifier = VerifyKey::from_raw(alg, key.public_raw());
    if (!verifier->verify(signed_form(), signature)) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations());
}

void wrap(benchmark::State& state, Kem kem) {
  const EncryptionKey to = *EncryptionKey::from_raw(kem, decryption_key(kem).public_raw());
  const Ephemeral ephemeral = Ephemeral::from_seed(Bytes(32, 3));
  const Bytes content_key(32, 4);
  const Bytes info(84, 5);
  for (auto _ : state) {
    auto wrapped = hpke_seal(to, Aead::a256gcm, info, content_key, &ephemeral);
    benchmark::DoNotOptimize(wrapped);
  }
  state.SetItemsProcessed(state.iterations());
}

void unwrap(benchmark::State& state, Kem kem) {
  const DecryptionKey key = decryption_key(kem);
  const EncryptionKey to = *EncryptionKey::from_raw(kem, key.public_raw());
  const Ephemeral ephemeral = Ephemeral::from_seed(Bytes(32, 3));
  const Bytes info(84, 5);
  const Wrapped wrapped = *hpke_seal(to, Aead::a256gcm, info, Bytes(32, 4), &ephemeral);
  for (auto _ : state) {
    const auto opened = hpke_open(key, Aead::a256gcm, wrapped.enc, info, wrapped.ciphertext);
    if (!opened) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations());
}

// What a new ephemeral costs: one for each envelope, whatever the number of stanzas.
void new_ephemeral(benchmark::State& state) {
  Drbg random(Bytes(32, 6));
  for (auto _ : state) {
    const auto seed = random.array<32>();
    auto ephemeral = Ephemeral::from_seed(seed);
    benchmark::DoNotOptimize(ephemeral);
  }
  state.SetItemsProcessed(state.iterations());
}

void seal_stream(benchmark::State& state, Aead aead) {
  const Bytes plaintext(static_cast<std::size_t>(state.range(0)), 7);
  const Bytes key(32, 8);
  const Bytes salt(24, 9);
  for (auto _ : state) {
    auto sealed = stream_seal(aead, key, as_bytes("AMS1-BODY"), salt, plaintext);
    benchmark::DoNotOptimize(sealed);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void open_stream(benchmark::State& state, Aead aead) {
  const Bytes plaintext(static_cast<std::size_t>(state.range(0)), 7);
  const Bytes key(32, 8);
  const Bytes sealed = *stream_seal(aead, key, as_bytes("AMS1-BODY"), Bytes(24, 9), plaintext);
  for (auto _ : state) {
    const auto opened = stream_open(aead, key, as_bytes("AMS1-BODY"), sealed);
    if (!opened) state.SkipWithError("refused");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void hash(benchmark::State& state) {
  const Bytes data(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) {
    auto digest = sha256(data);
    benchmark::DoNotOptimize(digest);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void vrf_prove(benchmark::State& state) {
  const VrfKey key = VrfKey::from_seed(Bytes(32, 10));
  for (auto _ : state) {
    auto proof = key.prove(as_bytes("bob@beta.example"));
    benchmark::DoNotOptimize(proof);
  }
  state.SetItemsProcessed(state.iterations());
}

void vrf_check(benchmark::State& state) {
  const VrfKey key = VrfKey::from_seed(Bytes(32, 10));
  const Bytes proof = key.prove(as_bytes("bob@beta.example"));
  for (auto _ : state) {
    const auto beta = vrf_verify(key.public_raw(), as_bytes("bob@beta.example"), proof);
    if (!beta) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations());
}

void vrf_hash(benchmark::State& state) {
  const Bytes proof = VrfKey::from_seed(Bytes(32, 10)).prove(as_bytes("bob@beta.example"));
  for (auto _ : state) {
    auto beta = vrf_proof_to_hash(proof);
    benchmark::DoNotOptimize(beta);
  }
  state.SetItemsProcessed(state.iterations());
}

void draw(benchmark::State& state) {
  Drbg random(Bytes(32, 6));
  for (auto _ : state) benchmark::DoNotOptimize(random.u64());
}

BENCHMARK_CAPTURE(sign, ed25519, SigAlg::ed25519)->Name("crypto/sign/ed25519");
BENCHMARK_CAPTURE(sign, rsa2048pss, SigAlg::rsa2048pss)->Name("crypto/sign/rsa2048pss");
BENCHMARK_CAPTURE(verify, ed25519, SigAlg::ed25519)->Name("crypto/verify/ed25519");
BENCHMARK_CAPTURE(verify, rsa2048pss, SigAlg::rsa2048pss)->Name("crypto/verify/rsa2048pss");
BENCHMARK_CAPTURE(import_and_verify, ed25519, SigAlg::ed25519)
    ->Name("crypto/import_verify/ed25519");
BENCHMARK_CAPTURE(import_and_verify, rsa2048pss, SigAlg::rsa2048pss)
    ->Name("crypto/import_verify/rsa2048pss");
BENCHMARK_CAPTURE(wrap, x25519, Kem::x25519)->Name("crypto/wrap/x25519");
BENCHMARK_CAPTURE(wrap, rsa2048kem, Kem::rsa2048kem)->Name("crypto/wrap/rsa2048kem");
BENCHMARK_CAPTURE(unwrap, x25519, Kem::x25519)->Name("crypto/unwrap/x25519");
BENCHMARK_CAPTURE(unwrap, rsa2048kem, Kem::rsa2048kem)->Name("crypto/unwrap/rsa2048kem");
BENCHMARK(new_ephemeral)->Name("crypto/new_ephemeral");
BENCHMARK_CAPTURE(seal_stream, a256gcm, Aead::a256gcm)
    ->Name("crypto/stream_seal/a256gcm")
    ->Arg(256)
    ->Arg(4096)
    ->Arg(1 << 20);
BENCHMARK_CAPTURE(open_stream, a256gcm, Aead::a256gcm)
    ->Name("crypto/stream_open/a256gcm")
    ->Arg(256)
    ->Arg(4096)
    ->Arg(1 << 20);
BENCHMARK_CAPTURE(seal_stream, c20p1305, Aead::c20p1305)
    ->Name("crypto/stream_seal/c20p1305")
    ->Arg(256)
    ->Arg(4096)
    ->Arg(1 << 20);
BENCHMARK_CAPTURE(open_stream, c20p1305, Aead::c20p1305)
    ->Name("crypto/stream_open/c20p1305")
    ->Arg(256)
    ->Arg(4096)
    ->Arg(1 << 20);
BENCHMARK(hash)->Name("crypto/sha256")->Arg(64)->Arg(4096)->Arg(1 << 20);
BENCHMARK(vrf_prove)->Name("crypto/vrf_prove");
BENCHMARK(vrf_check)->Name("crypto/vrf_verify");
BENCHMARK(vrf_hash)->Name("crypto/vrf_hash");
BENCHMARK(draw)->Name("crypto/drbg_u64");

}  // namespace
}  // namespace ams::crypto
