// Signatures (spec SIG): PureEdDSA over Ed25519, and RSASSA-PSS with SHA-256, MGF1 SHA-256,
// salt 32.
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/evp.h"
#include "policy/mutant.h"

namespace ams::crypto {

/// Everything about one operation that does not depend on the message: Ed25519 in `digest`, RSA in
/// `key`. Only read once built; each operation works on a duplicate.
struct PreparedSignature {
  evp::DigestContext digest;
  evp::KeyContext key;
};

namespace {

constexpr std::size_t ed25519_signature_size = 64;
constexpr int pss_salt_size = 32;

std::size_t modulus_bits(SigAlg alg) {
  AMS_ASSERT(alg != SigAlg::ed25519);
  return alg == SigAlg::rsa2048pss ? 2048 : alg == SigAlg::rsa3072pss ? 3072 : 4096;
}

enum class Use { sign, verify };

PreparedSignature prepare_ed25519(const evp::Key& key, Use use) {
  evp::DigestContext context(EVP_MD_CTX_new());
  AMS_ASSERT(context);
  const auto init = use == Use::sign ? EVP_DigestSignInit : EVP_DigestVerifyInit;
  AMS_ASSERT(init(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  return {std::move(context), nullptr};
}

PreparedSignature prepare_rsa(const evp::Key& key, Use use) {
  evp::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  AMS_ASSERT(context);
  char padding[] = OSSL_PKEY_RSA_PAD_MODE_PSS;
  char hash[] = "SHA256";
  int salt_size = pss_salt_size;
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, padding, 0),
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, hash, 0),
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, hash, 0),
      OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_size),
      OSSL_PARAM_construct_end()};
  const auto init = use == Use::sign ? EVP_PKEY_sign_init_ex : EVP_PKEY_verify_init_ex;
  AMS_ASSERT(init(context.get(), parameters) == 1);
  return {nullptr, std::move(context)};
}

PreparedSignature prepare(SigAlg alg, const evp::Key& key, Use use) {
  return alg == SigAlg::ed25519 ? prepare_ed25519(key, use) : prepare_rsa(key, use);
}

evp::DigestContext duplicate_digest(const evp::DigestContext& prepared) {
  evp::DigestContext out(EVP_MD_CTX_new());
  AMS_ASSERT(out && EVP_MD_CTX_copy_ex(out.get(), prepared.get()) == 1);
  return out;
}

}  // namespace

struct VerifyKey::Impl {
  SigAlg alg;
  Bytes raw;
  evp::Key key;
  PreparedSignature prepared;
};

Result<VerifyKey> VerifyKey::from_raw(SigAlg alg, ByteView raw) {
  evp::Key key;
  if (alg == SigAlg::ed25519) {
    if (raw.size() != 32) return fail(Code::key_material, "ed25519 length");
    if (evp::ed25519_weak(raw) && !mutant("crypto.accept_low_order")) {
      return fail(Code::key_material, "ed25519 point");
    }
    key = evp::key_from_raw_public(EVP_PKEY_ED25519, raw);
  } else {
    AMS_TRY(key, evp::rsa_from_modulus(modulus_bits(alg), raw));
  }
  PreparedSignature prepared = prepare(alg, key, Use::verify);
  VerifyKey out;
  out.impl_ =
      std::make_shared<const Impl>(Impl{alg, to_bytes(raw), std::move(key), std::move(prepared)});
  return out;
}

SigAlg VerifyKey::alg() const { return impl_->alg; }
const Bytes& VerifyKey::raw() const { return impl_->raw; }

Result<> VerifyKey::verify(ByteView message, ByteView signature) const {
  if (mutant("crypto.skip_verify")) return {};
  int verdict = 0;
  if (impl_->alg == SigAlg::ed25519) {
    if (signature.size() != ed25519_signature_size) return fail(Code::signature, "length");
    const auto context = duplicate_digest(impl_->prepared.digest);
    verdict = EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                               message.size());
  } else {
    if (signature.size() != impl_->raw.size()) return fail(Code::signature, "length");
    const Hash digest = sha256(message);
    const auto context = evp::duplicate(impl_->prepared.key);
    verdict = EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                              digest.size());
  }
  if (verdict != 1) return evp::refuse(Code::signature, name(impl_->alg));
  return {};
}

struct SigningKey::Impl {
  SigAlg alg;
  Bytes public_raw;
  evp::Key key;
  PreparedSignature prepared;

  static std::unique_ptr<Impl> make(SigAlg alg, evp::Key key) {
    Bytes raw = alg == SigAlg::ed25519 ? evp::raw_public(key) : evp::rsa_modulus(key);
    PreparedSignature prepared = prepare(alg, key, Use::sign);
    return std::make_unique<Impl>(Impl{alg, std::move(raw), std::move(key), std::move(prepared)});
  }
};

SigningKey::SigningKey() = default;
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

SigningKey SigningKey::ed25519_from_seed(ByteView seed32) {
  AMS_ASSERT(seed32.size() == 32);
  SigningKey out;
  out.impl_ = Impl::make(SigAlg::ed25519, evp::key_from_raw_private(EVP_PKEY_ED25519, seed32));
  return out;
}

Result<SigningKey> SigningKey::from_private(SigAlg alg, ByteView private_raw) {
  if (alg == SigAlg::ed25519) {
    if (private_raw.size() != 32) return fail(Code::key_material, "ed25519 seed length");
    return ed25519_from_seed(private_raw);
  }
  AMS_TRY(evp::Key key, evp::rsa_from_pkcs8(modulus_bits(alg), private_raw));
  SigningKey out;
  out.impl_ = Impl::make(alg, std::move(key));
  return out;
}

Result<SigningKey> SigningKey::generate_rsa(SigAlg alg, const std::function<void()>& tick) {
  AMS_TRY(evp::Key key, evp::rsa_generate(modulus_bits(alg), tick));
  SigningKey out;
  out.impl_ = Impl::make(alg, std::move(key));
  return out;
}

SigAlg SigningKey::alg() const { return impl_->alg; }
const Bytes& SigningKey::public_raw() const { return impl_->public_raw; }

Secret SigningKey::private_raw() const {
  return impl_->alg == SigAlg::ed25519 ? evp::raw_private(impl_->key) : evp::rsa_pkcs8(impl_->key);
}

Result<Bytes> SigningKey::sign(ByteView message) const {
  int done = 0;
  Bytes out(impl_->alg == SigAlg::ed25519 ? ed25519_signature_size : impl_->public_raw.size());
  std::size_t size = out.size();
  if (impl_->alg == SigAlg::ed25519) {
    const auto context = duplicate_digest(impl_->prepared.digest);
    done = EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size());
  } else {
    const Hash digest = sha256(message);
    const auto context = evp::duplicate(impl_->prepared.key);
    done = EVP_PKEY_sign(context.get(), out.data(), &size, digest.data(), digest.size());
  }
  // RSA checks its result and refuses to give a faulty one: a bad private key shows here.
  if (done != 1 || size != out.size()) return evp::refuse(Code::key_material, name(impl_->alg));
  return out;
}

}  // namespace ams::crypto
