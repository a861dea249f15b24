#include "crypto_bench/primitives.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace ams::crypto_bench {
namespace {

using crypto::Aead;
using crypto::SigAlg;
using paired::Operation;
using Key = std::shared_ptr<EVP_PKEY>;
using KeyContext = std::shared_ptr<EVP_PKEY_CTX>;

constexpr std::size_t message_size = 48;  // what a signature is over: SIG-1
constexpr std::size_t gcm_tag_size = 16;

Key raw_private(int type, std::uint8_t seed) {
  const Bytes raw(32, seed);
  return {EVP_PKEY_new_raw_private_key(type, nullptr, raw.data(), raw.size()), EVP_PKEY_free};
}

Key rsa_key(ByteView pkcs8) {
  const unsigned char* cursor = pkcs8.data();
  EVP_PKEY* key = d2i_PrivateKey(EVP_PKEY_RSA, nullptr, &cursor, static_cast<long>(pkcs8.size()));
  must(key != nullptr, "RSA key");
  return {key, EVP_PKEY_free};
}

KeyContext key_context(const Key& key) {
  return {EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr), EVP_PKEY_CTX_free};
}

void set_pss(EVP_PKEY_CTX* context) {
  must(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32) == 1,
       "PSS");
}

std::shared_ptr<EVP_MD_CTX> ed25519_context(bool sign) {
  const Key key = raw_private(EVP_PKEY_ED25519, 1);
  std::shared_ptr<EVP_MD_CTX> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const auto init = sign ? EVP_DigestSignInit : EVP_DigestVerifyInit;
  must(init(context.get(), nullptr, nullptr, nullptr, key.get()) == 1, "Ed25519");
  return context;
}

Operation sign_ed25519() {
  return [context = ed25519_context(true), message = Bytes(message_size, 7),
          out = Bytes(64)]() mutable {
    std::size_t size = out.size();
    must(EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) == 1,
         "Ed25519 sign");
  };
}

Operation verify_ed25519() {
  const Bytes message(message_size, 7);
  Bytes signature(64);
  std::size_t size = signature.size();
  must(EVP_DigestSign(ed25519_context(true).get(), signature.data(), &size, message.data(),
                      message.size()) == 1,
       "Ed25519 sign");
  return [context = ed25519_context(false), message, signature] {
    must(EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1,
         "Ed25519 verify");
  };
}

Operation sign_rsa(const Key& key) {
  const KeyContext context = key_context(key);
  must(EVP_PKEY_sign_init(context.get()) == 1, "RSA");
  set_pss(context.get());
  const auto size_max = static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
  return [context, digest = Bytes(32, 7), out = Bytes(size_max)]() mutable {
    std::size_t size = out.size();
    must(EVP_PKEY_sign(context.get(), out.data(), &size, digest.data(), digest.size()) == 1,
         "RSA sign");
  };
}

Operation verify_rsa(const Key& key) {
  const KeyContext signer = key_context(key);
  const KeyContext context = key_context(key);
  must(EVP_PKEY_sign_init(signer.get()) == 1 && EVP_PKEY_verify_init(context.get()) == 1, "RSA");
  set_pss(signer.get());
  set_pss(context.get());
  const Bytes digest(32, 7);
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
  std::size_t size = signature.size();
  must(EVP_PKEY_sign(signer.get(), signature.data(), &size, digest.data(), digest.size()) == 1,
       "RSA sign");
  return [context, digest, signature] {
    must(EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                         digest.size()) == 1,
         "RSA verify");
  };
}

Operation new_x25519_key() {
  return [seed = Bytes(32, 5)] {
    EVP_PKEY* key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, seed.data(), seed.size());
    must(key != nullptr, "X25519 key");
    EVP_PKEY_free(key);
  };
}

Operation agree() {
  const KeyContext context = key_context(raw_private(EVP_PKEY_X25519, 1));
  must(EVP_PKEY_derive_init(context.get()) == 1 &&
           EVP_PKEY_derive_set_peer(context.get(), raw_private(EVP_PKEY_X25519, 2).get()) == 1,
       "X25519");
  return [context, out = Bytes(32)]() mutable {
    std::size_t size = out.size();
    must(EVP_PKEY_derive(context.get(), out.data(), &size) == 1, "X25519");
  };
}

Operation rsasve(const Key& key, bool encapsulate) {
  const KeyContext sender = key_context(key);
  must(EVP_PKEY_encapsulate_init(sender.get(), nullptr) == 1 &&
           EVP_PKEY_CTX_set_kem_op(sender.get(), "RSASVE") == 1,
       "RSASVE");
  const auto size = static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
  auto run = [sender, enc = Bytes(size), z = Bytes(size)]() mutable {
    std::size_t enc_size = enc.size(), z_size = z.size();
    must(EVP_PKEY_encapsulate(sender.get(), enc.data(), &enc_size, z.data(), &z_size) == 1,
         "RSASVE encapsulate");
    return enc;
  };
  if (encapsulate) return [run]() mutable { run(); };
  const KeyContext context = key_context(key);
  must(EVP_PKEY_decapsulate_init(context.get(), nullptr) == 1 &&
           EVP_PKEY_CTX_set_kem_op(context.get(), "RSASVE") == 1,
       "RSASVE");
  return [context, enc = run(), z = Bytes(size)]() mutable {
    std::size_t z_size = z.size();
    must(EVP_PKEY_decapsulate(context.get(), z.data(), &z_size, enc.data(), enc.size()) == 1,
         "RSASVE decapsulate");
  };
}

Operation hash(std::size_t size) {
  std::shared_ptr<EVP_MD> sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free);
  std::shared_ptr<EVP_MD_CTX> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return [sha256, context, data = Bytes(size, 7), out = Bytes(32)]() mutable {
    must(EVP_DigestInit_ex2(context.get(), sha256.get(), nullptr) == 1 &&
             EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1 &&
             EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1,
         "SHA-256");
  };
}

/// One AEAD key and what it seals or opens in place of a stream.
struct AeadRun {
  AeadRun(Aead aead, std::size_t size, bool seals)
      : cipher(EVP_CIPHER_fetch(
                   nullptr, aead == Aead::a256gcm ? "AES-256-GCM" : "ChaCha20-Poly1305", nullptr),
               EVP_CIPHER_free),
        context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free),
        in(size, 7),
        out(size),
        tags((size / crypto::stream_chunk_size + 1) * gcm_tag_size),
        seal(seals) {
    must(EVP_CipherInit_ex2(context.get(), cipher.get(), nullptr, nullptr, seals, nullptr) == 1,
         "AEAD");
  }

  void operator()() {
    must(EVP_CipherInit_ex2(context.get(), nullptr, key.data(), nullptr, -1, nullptr) == 1,
         "AEAD key");
    std::uint8_t* tag = tags.data();
    for (std::size_t at = 0; at < in.size(); at += crypto::stream_chunk_size) {
      nonce[11] = static_cast<std::uint8_t>(at / crypto::stream_chunk_size);
      run_chunk(at, std::min(crypto::stream_chunk_size, in.size() - at), tag);
      tag += gcm_tag_size;
    }
  }

  void run_chunk(std::size_t at, std::size_t size, std::uint8_t* tag) {
    int written = 0;
    int last = 0;
    constexpr int tag_size = static_cast<int>(gcm_tag_size);
    EVP_CIPHER_CTX* const c = context.get();
    must(EVP_CipherInit_ex2(c, nullptr, nullptr, nonce.data(), -1, nullptr) == 1, "nonce");
    if (!seal) must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, tag_size, tag) == 1, "tag");
    must(EVP_CipherUpdate(c, out.data() + at, &written, in.data() + at, static_cast<int>(size)) ==
                 1 &&
             EVP_CipherFinal_ex(c, out.data() + at + size, &last) == 1,
         "AEAD");
    if (seal) must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, tag_size, tag) == 1, "tag");
  }

  std::shared_ptr<EVP_CIPHER> cipher;
  std::shared_ptr<EVP_CIPHER_CTX> context;
  Bytes key = Bytes(32, 1), nonce = Bytes(12, 0), in, out, tags;
  bool seal;
};

Operation aead_seal(Aead aead, std::size_t size) {
  return [run = std::make_shared<AeadRun>(aead, size, true)] { (*run)(); };
}

Operation aead_open(Aead aead, std::size_t size) {
  AeadRun sealed(aead, size, true);
  sealed();
  auto run = std::make_shared<AeadRun>(aead, size, false);
  run->in = std::move(sealed.out);
  run->tags = std::move(sealed.tags);
  return [run] { (*run)(); };
}

Operation operation_of(const Step& step, ByteView pkcs8) {
  const bool ed25519 = step.sig == SigAlg::ed25519;
  switch (step.primitive) {
    case Primitive::sign:
      return ed25519 ? sign_ed25519() : sign_rsa(rsa_key(pkcs8));
    case Primitive::verify:
      return ed25519 ? verify_ed25519() : verify_rsa(rsa_key(pkcs8));
    case Primitive::new_key:
      return new_x25519_key();
    case Primitive::agree:
      return agree();
    case Primitive::encapsulate:
    case Primitive::decapsulate:
      return rsasve(rsa_key(pkcs8), step.primitive == Primitive::encapsulate);
    case Primitive::aead_seal:
      return aead_seal(step.aead, step.size);
    case Primitive::aead_open:
      return aead_open(step.aead, step.size);
    case Primitive::hash:
      break;
  }
  return hash(step.size);
}

}  // namespace

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string(what) + " failed");
}

Operation primitives(const std::vector<Step>& steps, ByteView rsa_pkcs8) {
  std::vector<std::pair<Operation, std::size_t>> operations;
  for (const Step& step : steps) operations.emplace_back(operation_of(step, rsa_pkcs8), step.count);
  return [operations] {
    for (const auto& [operation, count] : operations) {
      for (std::size_t i = 0; i < count; ++i) operation();
    }
  };
}

Operation generate_key(const char* type, std::size_t bits) {
  return [type, bits] {
    EVP_PKEY* key = bits == 0 ? EVP_PKEY_Q_keygen(nullptr, nullptr, type)
                              : EVP_PKEY_Q_keygen(nullptr, nullptr, type, bits);
    must(key != nullptr, "key generation");
    EVP_PKEY_free(key);
  };
}

void add_hash(std::vector<Step>& steps, std::size_t size, std::size_t count) {
  Step step{Primitive::hash, size};
  step.count = count;
  steps.push_back(step);
}

void add_hmac(std::vector<Step>& steps, std::size_t size, std::size_t count) {
  constexpr std::size_t block_size = 64;
  add_hash(steps, block_size + size, count);
  add_hash(steps, block_size + sizeof(Hash), count);
}

}  // namespace ams::crypto_bench
