// The primitives' own limit: OpenSSL's EVP as `openssl speed` calls it, with every key imported and
// every context made before, and nothing allocated in between. What a message costs beyond the sum
// of these is ours.
#pragma once

#include <cstddef>
#include <vector>

#include "crypto/crypto.h"
#include "paired/measure.h"

namespace ams::crypto_bench {

enum class Primitive : std::uint8_t {
  sign,         // of 48 bytes
  verify,       // the same
  new_key,      // X25519: a public key from its private half
  agree,        // X25519
  encapsulate,  // RSASVE
  decapsulate,
  aead_seal,  // in chunks of 16 KiB, one key set-up
  aead_open,
  hash,  // SHA-256
};

struct Step {
  Primitive primitive{};
  std::size_t size = 0;  // bytes hashed or encrypted
  crypto::SigAlg sig{};
  crypto::Kem kem{};
  crypto::Aead aead{};
  std::size_t count = 1;
};

/// Runs all steps once a call. `rsa_pkcs8` gives the key of RSA steps.
paired::Operation primitives(const std::vector<Step>& steps, ByteView rsa_pkcs8);

/// A new key pair, as EVP makes it: "ED25519", "X25519", or "RSA" of `bits`.
paired::Operation generate_key(const char* type, std::size_t bits);

/// HMAC-SHA-256 as what it hashes: both paddings, the data, and the inner hash.
void add_hmac(std::vector<Step>& steps, std::size_t size, std::size_t count = 1);
void add_hash(std::vector<Step>& steps, std::size_t size, std::size_t count = 1);

/// Throws std::runtime_error unless `done`.
void must(bool done, const char* what);

}  // namespace ams::crypto_bench
