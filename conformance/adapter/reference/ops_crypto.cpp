// Primitives, streams and layouts: what an implementer checks before any object.
#include "adapter/ops.h"
#include "crypto/vrf.h"
#include "mail/layout.h"

namespace ams::adapter {
namespace {

Result<crypto::Aead> aead_of(const Args& args) {
  const auto aead = crypto::find_aead(args.text("aead"));
  if (!aead) return fail(Code::unknown_algorithm, "aead");
  return *aead;
}

// --- signatures and HPKE -------------------------------------------------------------------------
Answer sig_verify(const Args& args) {
  const auto alg = crypto::find_sig_alg(args.text("alg"));
  if (!alg) return fail(Code::unknown_algorithm, "alg");
  AMS_TRY(const crypto::VerifyKey key, crypto::VerifyKey::from_raw(*alg, args.bytes("public_b64")));
  AMS_CHECK(key.verify(args.bytes("text_b64"), args.bytes("sig_b64")));
  return Json{{"verified", true}};
}

/// Ed25519 alone: the others' signatures are random, so that no vector can hold one.
Answer sig_sign(const Args& args) {
  const auto key = crypto::SigningKey::ed25519_from_seed(args.fixed<32>("private_b64"));
  AMS_TRY(const Bytes signature, key.sign(args.bytes("text_b64")));
  return Json{{"public_b64", to_base64url(key.public_raw())}, {"sig_b64", to_base64url(signature)}};
}

Answer hpke_open(const Args& args) {
  const auto kem = crypto::find_kem(args.text("kem"));
  if (!kem) return fail(Code::unknown_algorithm, "kem");
  AMS_TRY(const crypto::Aead aead, aead_of(args));
  const auto key = crypto::DecryptionKey::from_private(*kem, args.bytes("private_b64"));
  if (!key) throw Fault("private_b64: no private key of kem");
  AMS_TRY(const crypto::Secret plain,
          crypto::hpke_open(*key, aead, args.bytes("enc_b64"), args.bytes("info_b64"),
                            args.bytes("sealed_b64")));
  return Json{{"plain_b64", to_base64url(plain.view())}};
}

/// To an X25519 key: RSASVE draws its own z.
Answer hpke_seal(const Args& args) {
  AMS_TRY(const crypto::Aead aead, aead_of(args));
  AMS_TRY(const crypto::EncryptionKey to,
          crypto::EncryptionKey::from_raw(crypto::Kem::x25519, args.bytes("public_b64")));
  const auto ephemeral = crypto::Ephemeral::from_seed(args.fixed<32>("ephemeral_b64"));
  AMS_TRY(const crypto::Wrapped wrapped,
          crypto::hpke_seal(to, aead, args.bytes("info_b64"), args.bytes("plain_b64"), &ephemeral));
  return Json{{"enc_b64", to_base64url(wrapped.enc)},
              {"sealed_b64", to_base64url(wrapped.ciphertext)}};
}

// --- streams and layouts -------------------------------------------------------------------------
Answer stream_open(const Args& args) {
  AMS_TRY(const crypto::Aead aead, aead_of(args));
  AMS_TRY(const Bytes plain,
          crypto::stream_open(aead, args.fixed<32>("key_b64"), args.bytes("context_b64"),
                              args.bytes("sealed_b64")));
  return Json{{"plain_b64", to_base64url(plain)}};
}

Answer stream_seal(const Args& args) {
  AMS_TRY(const crypto::Aead aead, aead_of(args));
  AMS_TRY(const Bytes sealed,
          crypto::stream_seal(aead, args.fixed<32>("key_b64"), args.bytes("context_b64"),
                              args.fixed<24>("salt_b64"), args.bytes("plain_b64")));
  return Json{{"sealed_b64", to_base64url(sealed)}};
}

Answer padme_size(const Args& args) {
  const std::uint64_t length = args.number("length");
  if (length > static_cast<std::uint64_t>(wire::integer_max)) throw Fault("length: too large");
  return Json{{"padded", crypto::padme(length)}};
}

Answer layout_open(const Args& args) {
  const std::uint64_t prefix = args.number("prefix");
  if (prefix != 4 && prefix != 8) throw Fault("prefix: neither 4 nor 8");
  const Bytes plain = args.bytes("plain_b64");
  AMS_TRY(const ByteView content,
          mail::take_out(plain, prefix == 4 ? mail::LengthField::u32 : mail::LengthField::u64));
  return Json{{"content_b64", to_base64url(content)}};
}

Answer vrf_verify(const Args& args) {
  AMS_TRY(const Hash beta, crypto::vrf_verify(args.bytes("public_b64"), args.bytes("alpha_b64"),
                                              args.bytes("proof_b64")));
  return Json{{"beta_b64", to_base64url(beta)}};
}

}  // namespace

std::vector<Op> crypto_ops() {
  return {{"hpke.open", hpke_open},     {"hpke.seal", hpke_seal},     {"layout.open", layout_open},
          {"padme.size", padme_size},   {"sig.sign", sig_sign},       {"sig.verify", sig_verify},
          {"stream.open", stream_open}, {"stream.seal", stream_seal}, {"vrf.verify", vrf_verify}};
}

}  // namespace ams::adapter
