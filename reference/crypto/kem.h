// Key encapsulation, beneath HPKE: what hpke.cpp needs of the key classes.
#pragma once

#include "crypto/evp.h"

namespace ams::crypto {

struct KemOutput {
  Secret shared_secret;  // 32 bytes
  Bytes enc;
};

/// RFC 9180 Encap and Decap for `kem`; the id in HPKE's suite_id comes from kem_id.
struct Access {
  /// `ephemeral` is used by x25519 only. Fails with key_material.
  static Result<KemOutput> encap(const EncryptionKey& to, const DecryptionKey* ephemeral);
  /// Fails with unwrap.
  static Result<Secret> decap(const DecryptionKey& key, ByteView enc);
};

/// 0x0020 is DHKEM(X25519, HKDF-SHA256); 0xFF01.. are this protocol's own (spec ALG-6).
constexpr std::uint16_t kem_id(Kem kem) {
  switch (kem) {
    case Kem::x25519:
      return 0x0020;
    case Kem::rsa2048kem:
      return 0xff01;
    case Kem::rsa3072kem:
      return 0xff02;
    case Kem::rsa4096kem:
      return 0xff03;
  }
  return 0;
}

/// X25519. Empty optional when the result is all zero: the peer's point has small order.
std::optional<Secret> x25519(const evp::KeyContext& prepared, const evp::Key& peer);

}  // namespace ams::crypto
