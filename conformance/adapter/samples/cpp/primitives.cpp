#include "primitives.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <memory>
#include <set>

namespace {

using Pkey = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

/// KEY-5. X25519 with a point of low order gives zeros, which OpenSSL refuses (RFC 7748).
bool is_x25519(const std::string& raw) {
  if (raw.size() != 32) return false;
  const std::string any(32, '\x42');
  const Pkey own(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, u8(any), 32),
                 EVP_PKEY_free);
  const Pkey peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, u8(raw), 32),
                  EVP_PKEY_free);
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(
      EVP_PKEY_CTX_new(own.get(), nullptr), EVP_PKEY_CTX_free);
  unsigned char shared[32];
  std::size_t length = sizeof shared;
  return EVP_PKEY_derive_init(context.get()) == 1 &&
         EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
         EVP_PKEY_derive(context.get(), shared, &length) == 1;
}

/// KEY-5: y below 2^255 - 19, and not that of a point of order 1, 2, 4 or 8.
bool is_ed25519(const std::string& raw) {
  if (raw.size() != 32) return false;
  std::string y(raw.rbegin(), raw.rend());  // big-endian: as texts they compare like numbers
  y[0] = static_cast<char>(y[0] & 0x7F);
  static const std::set<std::string> small = {
      std::string(64, '0'), std::string(63, '0') + "1", "7" + std::string(61, 'f') + "ec",
      "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
      "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"};
  return hex(y) < "7" + std::string(61, 'f') + "ed" && !small.contains(hex(y));
}

Pkey rsa_key(const std::string& modulus) {
  const std::unique_ptr<OSSL_PARAM_BLD, void (*)(OSSL_PARAM_BLD*)> build(OSSL_PARAM_BLD_new(),
                                                                         OSSL_PARAM_BLD_free);
  const std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> n(
      BN_bin2bn(u8(modulus), static_cast<int>(modulus.size()), nullptr), BN_free);
  OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_uint(build.get(), OSSL_PKEY_PARAM_RSA_E, 65'537);
  const std::unique_ptr<OSSL_PARAM, void (*)(OSSL_PARAM*)> parameters(
      OSSL_PARAM_BLD_to_param(build.get()), OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context.get());
  EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
  return Pkey(key, EVP_PKEY_free);
}

}  // namespace

std::string hex(const std::string& raw) {
  std::string out;
  for (const char byte : raw)
    for (const int shift : {4, 0}) out += "0123456789abcdef"[byte >> shift & 15];
  return out;
}

std::string sha256(const std::string& text) {
  std::string out(32, '\0');
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr,
             EVP_sha256(), nullptr);
  return out;
}

std::string hmac(const std::string& key, const std::string& text) {
  std::string out(32, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), u8(text), text.size(),
       reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

bool is_key(const std::string& name, const std::string& raw, std::size_t size) {
  if (name == "ed25519") return is_ed25519(raw);
  if (name == "x25519") return is_x25519(raw);
  return raw.size() == size && u8(raw)[0] >= 0x80 && u8(raw)[size - 1] % 2 == 1;
}

bool verifies(const std::string& alg, const std::string& raw, const std::string& sig,
              const std::string& text) {
  const bool ed = alg == "ed25519";
  const Pkey key =
      ed ? Pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, u8(raw), 32), EVP_PKEY_free)
         : rsa_key(raw);
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  EVP_PKEY_CTX* settings = nullptr;  // of context
  const EVP_MD* digest = ed ? nullptr : EVP_sha256();
  return key && EVP_DigestVerifyInit(context.get(), &settings, digest, nullptr, key.get()) == 1 &&
         (ed || (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1 &&
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, 32) == 1)) &&
         EVP_DigestVerify(context.get(), u8(sig), sig.size(), u8(text), text.size()) == 1;
}
