#include "crypto/evp.h"

namespace ams::crypto::evp {

const Algorithms& algorithms() {
  static const Algorithms fetched = [] {
    Algorithms out{EVP_MD_fetch(nullptr, "SHA256", nullptr),
                   EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr),
                   EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr),
                   EVP_CIPHER_fetch(nullptr, "ChaCha20", nullptr)};
    AMS_ASSERT(out.sha256 && out.aes_256_gcm && out.chacha20_poly1305 && out.chacha20);
    return out;
  }();
  return fetched;
}

tl::unexpected<Error> refuse(Code code, std::string_view where) {
  ERR_clear_error();
  return fail(code, where);
}

KeyContext duplicate(const KeyContext& prepared) {
  KeyContext out(EVP_PKEY_CTX_dup(prepared.get()));
  AMS_ASSERT(out);
  return out;
}

}  // namespace ams::crypto::evp

namespace ams::crypto {

bool has_ml_kem_768() {
  EVP_KEM* const found = EVP_KEM_fetch(nullptr, "ML-KEM-768", nullptr);
  EVP_KEM_free(found);
  ERR_clear_error();
  return found != nullptr;
}

bool has_ml_dsa_65() {
  EVP_SIGNATURE* const found = EVP_SIGNATURE_fetch(nullptr, "ML-DSA-65", nullptr);
  EVP_SIGNATURE_free(found);
  ERR_clear_error();
  return found != nullptr;
}

}  // namespace ams::crypto
