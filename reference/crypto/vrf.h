// ECVRF-P256-SHA256-TAI (RFC 9381; spec ALG-7, ALG-8): a hash that only the key's holder can
// compute and anyone can check. Values in, values out; proofs are deterministic, no entropy.
#pragma once

#include "crypto/crypto.h"

namespace ams::crypto {

inline constexpr std::size_t vrf_public_size = 33;  // compressed point of SEC 1
inline constexpr std::size_t vrf_proof_size = 81;   // Gamma (33) || c (16) || s (32)

/// The private half: zeroised on destruction, moves only, does not print.
class VrfKey {
 public:
  /// Any 32 bytes give a key. How is this implementation's own; the seed is no private key of
  /// RFC 9381 (see from_private).
  static VrfKey from_seed(ByteView seed32);
  /// The scalar, 32 bytes, big-endian. Fails with key_material unless 0 < scalar < order.
  static Result<VrfKey> from_private(ByteView scalar32);
  const Bytes& public_raw() const { return public_raw_; }
  Secret private_raw() const { return scalar_.clone(); }
  /// pi, vrf_proof_size bytes; the nonce is that of RFC 6979.
  Bytes prove(ByteView alpha) const;

 private:
  VrfKey(Secret scalar, Bytes public_raw)
      : scalar_(std::move(scalar)), public_raw_(std::move(public_raw)) {}
  Secret scalar_;
  Bytes public_raw_;
};

/// Fails with key_material unless `public_raw` is the compressed form of a point of the curve.
Result<> vrf_check_key(ByteView public_raw);
/// beta. Fails with key_material (as vrf_check_key), then with vrf_proof.
Result<Hash> vrf_verify(ByteView public_raw, ByteView alpha, ByteView proof);
/// beta of a proof that is known to be good: its own, or one that was verified. Fails with
/// vrf_proof when it is not even well formed.
Result<Hash> vrf_proof_to_hash(ByteView proof);

}  // namespace ams::crypto
