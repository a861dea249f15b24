// One logged-in session with a token: the few calls of PKCS#11 that a key ring needs. For this
// room's pkcs11 files only.
#pragma once

#define CRYPTOKI_GNU 1
#include <p11-kit/pkcs11.h>

#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace ams::keystore_net {

class TokenSession {
 public:
  /// `pin` is used once. The error is one line for the user.
  static tl::expected<std::unique_ptr<TokenSession>, std::string> open(const std::string& module,
                                                                       const std::string& token,
                                                                       const crypto::Secret& pin);
  ~TokenSession();
  TokenSession(const TokenSession&) = delete;
  TokenSession& operator=(const TokenSession&) = delete;

  struct Pair {
    Bytes public_raw;  // ALG-4
  };
  /// Generates a pair on the token. Fails with unknown_algorithm (the token has no such mechanism)
  /// or keystore_token.
  Result<Pair> generate_rsa(unsigned long bits, ByteView id, bool for_signing);
  Result<Pair> generate_ed25519(ByteView id);
  /// Fails with keystore_token.
  Result<Bytes> sign(ByteView id, ck_mechanism mechanism, ByteView text);
  /// Raw RSA. Fails with unwrap where the token refuses the data, else with keystore_token.
  Result<crypto::Secret> decrypt_raw(ByteView id, ByteView enc);

 private:
  TokenSession() = default;
  /// Both halves named `id`, the private one never to leave; gives the public one. `public_half`:
  /// what the mechanism asks for besides.
  Result<ck_object_handle_t> generate(ck_mechanism_type_t type, ByteView id,
                                      std::vector<ck_attribute> public_half,
                                      ck_attribute_type_t private_use);
  Result<ck_object_handle_t> find_private(ByteView id);
  Result<Bytes> attribute(ck_object_handle_t object, ck_attribute_type_t type);
  bool offers(ck_mechanism_type_t mechanism) const;

  void* library_ = nullptr;
  ck_function_list* call_ = nullptr;
  ck_slot_id_t slot_ = 0;
  ck_session_handle_t session_ = 0;
  bool initialized_ = false;
};

}  // namespace ams::keystore_net
