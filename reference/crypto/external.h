// The halves of an operation of which the other half is done elsewhere: in a key store, on a token,
// in a person's head. Values in, values out, like crypto.h.
#pragma once

#include "crypto/crypto.h"

namespace ams::crypto {

inline constexpr std::size_t shared_secret_size = 32;  // bytes, of every KEM

/// The KEM's shared secret alone (RFC 9180 Decap; ALG-6): what a key store answers, so that the
/// private key need not leave it. Fails with `unwrap`.
Result<Secret> kem_decap(const DecryptionKey& key, ByteView enc);

/// hpke_open with a shared secret that was decapsulated elsewhere: a wrong one fails with `unwrap`
/// like a wrong key does.
Result<Secret> hpke_open_shared(Kem kem, Aead aead, ByteView shared_secret32, ByteView info,
                                ByteView ciphertext);

/// ALG-6's shared secret from `z`, what a token's raw RSA operation makes of `enc`. Precondition:
/// z, enc and modulus are equally long.
Secret rsa_kem_shared(ByteView z, ByteView enc, ByteView modulus);

/// scrypt (RFC 7914). `n` is a power of two above 1; takes about 128 * n * r bytes of memory.
/// Fails with `schema` on parameters that are none, or need more than 1 GiB.
struct ScryptCost {
  std::uint64_t n = 1 << 15;
  std::uint32_t r = 8, p = 1;
};
Result<Secret> scrypt(ByteView passphrase, ByteView salt, const ScryptCost& cost, std::size_t size);

}  // namespace ams::crypto
