// KeyRing: where private halves live. In software (SoftKeys), or on a token behind PKCS#11 (net/).
// Keys are told apart by handles, which the store keeps sealed beside the key's record.
#pragma once

#include "keystore/messages.h"

namespace ams::keystore {

struct RingKey {
  keys::KeyRecord record;  // custody corporate
  crypto::Secret handle;   // of this ring only; may be the private halves themselves
};
struct RingOptions {
  Profile profile = Profile::modern;
  std::int64_t nbf = 0, exp = 0;  // Unix ms (KEY-4)
};

class KeyRing {
 public:
  virtual ~KeyRing() = default;
  /// A new pair. `entropy80` as in keys::make_modern; RSA halves draw from RAND or from the token.
  /// Fails with schema (KEY-4), unknown_algorithm where the ring has no such keys, keystore_token.
  virtual Result<RingKey> create(const RingOptions& options, ByteView entropy80) = 0;
  /// Fails with unwrap, keystore_token, keystore_sealed (a handle that is none).
  virtual Result<crypto::Secret> decap(const keys::KeyRecord& record, ByteView handle,
                                       ByteView enc) = 0;
  virtual Result<Bytes> sign(const keys::KeyRecord& record, ByteView handle, ByteView text) = 0;
  /// The private encryption half, as DecryptionKey::private_raw. A token gives none:
  /// not_exportable.
  virtual Result<crypto::Secret> export_private(const keys::KeyRecord& record, ByteView handle) = 0;
};

/// Private halves in memory for the length of a call, at rest in the store's sealed rows.
class SoftKeys final : public KeyRing {
 public:
  Result<RingKey> create(const RingOptions& options, ByteView entropy80) override;
  Result<crypto::Secret> decap(const keys::KeyRecord& record, ByteView handle,
                               ByteView enc) override;
  Result<Bytes> sign(const keys::KeyRecord& record, ByteView handle, ByteView text) override;
  Result<crypto::Secret> export_private(const keys::KeyRecord& record, ByteView handle) override;
};

}  // namespace ams::keystore
