// HPKE base mode with a sequence number (RFC 9180 section 5.2). The protocol seals once per
// context, at sequence number 0; the rest serves the RFC's own vectors.
#pragma once

#include "crypto/aead.h"
#include "crypto/kem.h"

namespace ams::crypto {

class HpkeContext {
 public:
  HpkeContext(Kem kem, Aead aead, ByteView shared_secret, ByteView info, Direction direction);
  Bytes seal(std::uint64_t sequence, ByteView aad, ByteView plaintext) const;
  /// Fails with unwrap.
  Result<Secret> open(std::uint64_t sequence, ByteView aad, ByteView ciphertext) const;

 private:
  struct Schedule {
    Secret key;
    Secret base_nonce;
  };
  static Schedule schedule(Kem kem, Aead aead, ByteView shared_secret, ByteView info);
  HpkeContext(Schedule schedule, Aead aead, Direction direction);
  std::array<std::uint8_t, 12> nonce(std::uint64_t sequence) const;

  Secret base_nonce_;
  AeadCipher cipher_;
};

}  // namespace ams::crypto
