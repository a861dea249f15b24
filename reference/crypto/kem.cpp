// Encryption keys and the two KEMs (spec ALG-5, ALG-6): DHKEM(X25519, HKDF-SHA256) of RFC 9180, and
// RSA-KEM = RSASVE (SP 800-56B rev. 2) with
//   shared_secret = HKDF-SHA256(salt = "", ikm = z, info = "AMS-RSAKEM" || enc || fp32, 32)
// where fp32 = SHA-256(n), n the raw modulus, and z, enc are N/8 bytes, big-endian.
#include "crypto/kem.h"

#include <openssl/rsa.h>

#include <algorithm>

#include "crypto/external.h"
#include "crypto/hash.h"
#include "crypto/labeled.h"
#include "policy/mutant.h"

namespace ams::crypto {
namespace {

constexpr std::size_t x25519_size = 32;

std::size_t kem_modulus_bits(Kem kem) {
  AMS_ASSERT(kem != Kem::x25519);
  return kem == Kem::rsa2048kem ? 2048 : kem == Kem::rsa3072kem ? 3072 : 4096;
}

evp::KeyContext new_context(const evp::Key& key) {
  evp::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  AMS_ASSERT(context);
  return context;
}

evp::KeyContext prepare_derive(const evp::Key& key) {
  auto context = new_context(key);
  AMS_ASSERT(EVP_PKEY_derive_init(context.get()) == 1);
  return context;
}

evp::KeyContext prepare_rsasve(const evp::Key& key, bool encapsulate) {
  auto context = new_context(key);
  AMS_ASSERT((encapsulate ? EVP_PKEY_encapsulate_init(context.get(), nullptr)
                          : EVP_PKEY_decapsulate_init(context.get(), nullptr)) == 1);
  AMS_ASSERT(EVP_PKEY_CTX_set_kem_op(context.get(), "RSASVE") == 1);
  return context;
}

/// The sender's public key of one stanza. Giving a duplicate of a finished key other bytes costs
/// half of making one, which looks its type up by name.
evp::Key x25519_peer(ByteView raw32) {
  static const evp::Key* const pattern =
      new evp::Key(evp::key_from_raw_public(EVP_PKEY_X25519, Bytes(x25519_size, 9)));
  evp::Key out(EVP_PKEY_dup(pattern->get()));
  AMS_ASSERT(out && EVP_PKEY_set1_encoded_public_key(out.get(), raw32.data(), raw32.size()) == 1);
  return out;
}

/// Of an encapsulation that is none.
Code bad_enc() { return mutant("crypto.wrong_code_enc") ? Code::algorithm_mix : Code::unwrap; }

Secret rsa_shared_secret(ByteView z, ByteView enc, const Hash& fp32) {
  const Secret prk = hkdf_extract({}, z);
  return expand_pieces(prk.view(), {as_bytes("AMS-RSAKEM"), enc, fp32}, 32);
}

Secret dhkem_shared_secret(const Secret& dh, ByteView enc, ByteView public_raw) {
  static constexpr std::array<std::uint8_t, 5> suite_id{'K', 'E', 'M', 0x00, 0x20};
  const Secret eae_prk = labeled_extract(suite_id, {}, "eae_prk", dh.view());
  return labeled_expand(suite_id, eae_prk.view(), "shared_secret", {enc, public_raw}, 32);
}

}  // namespace

std::optional<Secret> x25519(const evp::KeyContext& prepared, const evp::Key& peer) {
  const auto context = evp::duplicate(prepared);
  AMS_ASSERT(EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), 0) == 1);
  Secret out(x25519_size);
  std::size_t size = out.size();
  if (EVP_PKEY_derive(context.get(), out.data(), &size) == 1 && size == out.size()) return out;
  ERR_clear_error();
  // OpenSSL's only reason to refuse is the all-zero result of RFC 7748 section 6.1.
  if (mutant("crypto.accept_low_order")) return Secret(x25519_size);
  return std::nullopt;
}

struct EncryptionKey::Impl {
  Kem kem;
  Bytes raw;
  Hash fp32;  // RSA only
  evp::Key key;
  evp::KeyContext prepared;  // RSA only
};

Result<EncryptionKey> EncryptionKey::from_raw(Kem kem, ByteView raw) {
  EncryptionKey out;
  if (kem == Kem::x25519) {
    if (raw.size() != x25519_size) return fail(Code::key_material, "x25519 length");
    if (evp::x25519_low_order(raw) && !mutant("crypto.accept_low_order")) {
      return fail(Code::key_material, "x25519 low order");
    }
    out.impl_ = std::make_shared<const Impl>(
        Impl{kem, to_bytes(raw), {}, evp::key_from_raw_public(EVP_PKEY_X25519, raw), nullptr});
    return out;
  }
  AMS_TRY(evp::Key key, evp::rsa_from_modulus(kem_modulus_bits(kem), raw));
  auto prepared = prepare_rsasve(key, true);
  out.impl_ = std::make_shared<const Impl>(
      Impl{kem, to_bytes(raw), sha256(raw), std::move(key), std::move(prepared)});
  return out;
}

Kem EncryptionKey::kem() const { return impl_->kem; }
const Bytes& EncryptionKey::raw() const { return impl_->raw; }

struct DecryptionKey::Impl {
  Kem kem;
  Bytes public_raw;
  Hash fp32;  // RSA only
  evp::Key key;
  evp::KeyContext prepared;

  static std::unique_ptr<Impl> make(Kem kem, evp::Key key) {
    const bool rsa = kem != Kem::x25519;
    Bytes raw = rsa ? evp::rsa_modulus(key) : evp::raw_public(key);
    const Hash fp32 = rsa ? sha256(raw) : Hash{};
    auto prepared = rsa ? prepare_rsasve(key, false) : prepare_derive(key);
    return std::make_unique<Impl>(
        Impl{kem, std::move(raw), fp32, std::move(key), std::move(prepared)});
  }
};

DecryptionKey::DecryptionKey() = default;
DecryptionKey::DecryptionKey(DecryptionKey&&) noexcept = default;
DecryptionKey& DecryptionKey::operator=(DecryptionKey&&) noexcept = default;
DecryptionKey::~DecryptionKey() = default;

DecryptionKey DecryptionKey::x25519_from_seed(ByteView seed32) {
  AMS_ASSERT(seed32.size() == x25519_size);
  DecryptionKey out;
  out.impl_ = Impl::make(Kem::x25519, evp::key_from_raw_private(EVP_PKEY_X25519, seed32));
  return out;
}

Result<DecryptionKey> DecryptionKey::from_private(Kem kem, ByteView private_raw) {
  if (kem == Kem::x25519) {
    if (private_raw.size() != x25519_size) return fail(Code::key_material, "x25519 length");
    return x25519_from_seed(private_raw);
  }
  AMS_TRY(evp::Key key, evp::rsa_from_pkcs8(kem_modulus_bits(kem), private_raw));
  DecryptionKey out;
  out.impl_ = Impl::make(kem, std::move(key));
  return out;
}

Result<DecryptionKey> DecryptionKey::generate_rsa(Kem kem, const std::function<void()>& tick) {
  AMS_TRY(evp::Key key, evp::rsa_generate(kem_modulus_bits(kem), tick));
  DecryptionKey out;
  out.impl_ = Impl::make(kem, std::move(key));
  return out;
}

Kem DecryptionKey::kem() const { return impl_->kem; }
const Bytes& DecryptionKey::public_raw() const { return impl_->public_raw; }

Secret DecryptionKey::private_raw() const {
  return impl_->kem == Kem::x25519 ? evp::raw_private(impl_->key) : evp::rsa_pkcs8(impl_->key);
}

Ephemeral Ephemeral::from_seed(ByteView seed32) {
  return {DecryptionKey::x25519_from_seed(seed32)};
}

Result<KemOutput> Access::encap(const EncryptionKey& to, const DecryptionKey* ephemeral) {
  const EncryptionKey::Impl& impl = *to.impl_;
  if (impl.kem == Kem::x25519) {
    AMS_ASSERT(ephemeral != nullptr && ephemeral->kem() == Kem::x25519);
    const auto dh = x25519(ephemeral->impl_->prepared, impl.key);
    if (!dh) return fail(Code::key_material, "x25519 low order");
    const Bytes& enc = ephemeral->public_raw();
    return KemOutput{dhkem_shared_secret(*dh, enc, impl.raw), enc};
  }
  const auto context = evp::duplicate(impl.prepared);
  Secret z(impl.raw.size());
  Bytes enc(impl.raw.size());
  std::size_t z_size = z.size();
  std::size_t enc_size = enc.size();
  if (EVP_PKEY_encapsulate(context.get(), enc.data(), &enc_size, z.data(), &z_size) != 1 ||
      z_size != z.size() || enc_size != enc.size()) {
    return evp::refuse(Code::key_material, "RSASVE");
  }
  Secret shared = rsa_shared_secret(z.view(), enc, impl.fp32);
  return KemOutput{std::move(shared), std::move(enc)};
}

Result<Secret> Access::decap(const DecryptionKey& key, ByteView enc) {
  const DecryptionKey::Impl& impl = *key.impl_;
  if (enc.size() != impl.public_raw.size()) return fail(bad_enc(), "enc length");
  if (impl.kem == Kem::x25519) {
    const auto dh = x25519(impl.prepared, x25519_peer(enc));
    if (!dh) return fail(bad_enc(), "enc low order");
    return dhkem_shared_secret(*dh, enc, impl.public_raw);
  }
  const auto context = evp::duplicate(impl.prepared);
  Secret z(impl.public_raw.size());
  std::size_t size = z.size();
  if (EVP_PKEY_decapsulate(context.get(), z.data(), &size, enc.data(), enc.size()) != 1 ||
      size != z.size()) {
    return evp::refuse(bad_enc(), "RSASVE");
  }
  return rsa_shared_secret(z.view(), enc, impl.fp32);
}

Result<Secret> kem_decap(const DecryptionKey& key, ByteView enc) { return Access::decap(key, enc); }

Secret rsa_kem_shared(ByteView z, ByteView enc, ByteView modulus) {
  AMS_ASSERT(z.size() == modulus.size() && enc.size() == modulus.size());
  return rsa_shared_secret(z, enc, sha256(modulus));
}

}  // namespace ams::crypto
