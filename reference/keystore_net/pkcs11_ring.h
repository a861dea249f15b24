// Pkcs11Ring: private halves on a PKCS#11 token (spec KST-31). The token makes them, signs and
// decrypts with them, and never gives them out. What a token does not offer (SoftHSM 2.6 has no
// X25519) is unknown_algorithm.
//
// A handle is the 16 bytes that both private objects of a pair have in their CKA_ID, followed there
// by 's' for the signing and 'd' for the decrypting one.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "keystore/key_ring.h"

namespace ams::keystore_net {

class Pkcs11Ring final : public keystore::KeyRing {
 public:
  struct Options {
    std::string module;    // the shared library of the token
    std::string token;     // its label
    std::string pin_file;  // the user's PIN is its first line
  };
  /// Loads the module and logs in. The error is one line for the user.
  static tl::expected<std::unique_ptr<Pkcs11Ring>, std::string> open(const Options& options);
  ~Pkcs11Ring() override;

  Result<keystore::RingKey> create(const keystore::RingOptions& options,
                                   ByteView entropy80) override;
  Result<crypto::Secret> decap(const keys::KeyRecord& record, ByteView handle,
                               ByteView enc) override;
  Result<Bytes> sign(const keys::KeyRecord& record, ByteView handle, ByteView text) override;
  Result<crypto::Secret> export_private(const keys::KeyRecord& record, ByteView handle) override;

 private:
  struct Session;
  explicit Pkcs11Ring(std::unique_ptr<Session> session);
  Result<Bytes> sign_text(crypto::SigAlg alg, ByteView handle, ByteView text);

  std::unique_ptr<Session> session_;
};

}  // namespace ams::keystore_net
