#include "keystore_net/pkcs11_ring.h"

#include <algorithm>

#include "crypto/external.h"
#include "keystore_net/local_store.h"
#include "keystore_net/pkcs11_session.h"

namespace ams::keystore_net {
namespace {

constexpr std::size_t handle_size = 16;

unsigned long modulus_bits(crypto::SigAlg alg) {
  return alg == crypto::SigAlg::rsa2048pss ? 2048 : alg == crypto::SigAlg::rsa3072pss ? 3072 : 4096;
}
unsigned long modulus_bits(crypto::Kem kem) {
  return kem == crypto::Kem::rsa2048kem ? 2048 : kem == crypto::Kem::rsa3072kem ? 3072 : 4096;
}

Bytes object_id(ByteView handle, char half) {
  Bytes out = to_bytes(handle);
  out.push_back(static_cast<std::uint8_t>(half));
  return out;
}

/// ALG-1: PSS with SHA-256, MGF1 with SHA-256, salt 32. `parameters` outlives the call it is for.
ck_mechanism mechanism_of(crypto::SigAlg alg, ck_rsa_pkcs_pss_params& parameters) {
  if (alg == crypto::SigAlg::ed25519) return {CKM_EDDSA, nullptr, 0};
  parameters = {CKM_SHA256, CKG_MGF1_SHA256, 32};
  return {CKM_SHA256_RSA_PKCS_PSS, &parameters, sizeof parameters};
}

}  // namespace

struct Pkcs11Ring::Session {
  std::unique_ptr<TokenSession> token;
};

Pkcs11Ring::Pkcs11Ring(std::unique_ptr<Session> session) : session_(std::move(session)) {}
Pkcs11Ring::~Pkcs11Ring() = default;

tl::expected<std::unique_ptr<Pkcs11Ring>, std::string> Pkcs11Ring::open(const Options& options) {
  auto pin = read_unlock(keystore::Unlock::Kind::passphrase, options.pin_file);
  if (!pin) return tl::unexpected("PIN of the token: " + pin.error());
  auto token = TokenSession::open(options.module, options.token, pin->secret);
  if (!token) return tl::unexpected(token.error());
  auto session = std::make_unique<Session>(Session{std::move(*token)});
  return std::unique_ptr<Pkcs11Ring>(new Pkcs11Ring(std::move(session)));
}

Result<Bytes> Pkcs11Ring::sign_text(crypto::SigAlg alg, ByteView handle, ByteView text) {
  if (handle.size() != handle_size) return fail(Code::keystore_sealed, "handle");
  ck_rsa_pkcs_pss_params parameters{};
  const ck_mechanism mechanism = mechanism_of(alg, parameters);
  return session_->token->sign(object_id(handle, 's'), mechanism, text);
}

Result<keystore::RingKey> Pkcs11Ring::create(const keystore::RingOptions& options,
                                             ByteView entropy80) {
  const crypto::SigAlg sig_alg = keystore::sig_alg(options.profile);
  const crypto::Kem kem = keystore::kem(options.profile);
  if (kem == crypto::Kem::x25519) return fail(Code::unknown_algorithm, "x25519 on a token");
  const ByteView handle = entropy80.first(handle_size);
  TokenSession& token = *session_->token;
  AMS_TRY(const TokenSession::Pair signing,
          sig_alg == crypto::SigAlg::ed25519
              ? token.generate_ed25519(object_id(handle, 's'))
              : token.generate_rsa(modulus_bits(sig_alg), object_id(handle, 's'), true));
  AMS_TRY(const TokenSession::Pair encryption,
          token.generate_rsa(modulus_bits(kem), object_id(handle, 'd'), false));
  wire::Value value =
      keys::unsigned_record({sig_alg, signing.public_raw, kem, encryption.public_raw},
                            *to_array<16>(entropy80.subspan(64, 16)),
                            {options.nbf, options.exp, keys::Custody::corporate});
  AMS_TRY(const Bytes sig, sign_text(sig_alg, handle, keys::signing_input("key/1", value)));
  value.as_object().emplace("sig", to_base64url(sig));
  AMS_TRY(keys::KeyRecord record, keys::KeyRecord::parse(value));
  return keystore::RingKey{std::move(record), crypto::Secret::copy_of(handle)};
}

Result<Bytes> Pkcs11Ring::sign(const keys::KeyRecord& record, ByteView handle, ByteView text) {
  return sign_text(record.signing().alg(), handle, text);
}

Result<crypto::Secret> Pkcs11Ring::decap(const keys::KeyRecord& record, ByteView handle,
                                         ByteView enc) {
  if (handle.size() != handle_size) return fail(Code::keystore_sealed, "handle");
  const Bytes& modulus = record.encryption().raw();
  // Tokens differ in what they say of a number that is not below the modulus.
  if (enc.size() != modulus.size() ||
      !std::lexicographical_compare(enc.begin(), enc.end(), modulus.begin(), modulus.end()))
    return fail(Code::unwrap, "enc");
  AMS_TRY(const crypto::Secret z, session_->token->decrypt_raw(object_id(handle, 'd'), enc));
  return crypto::rsa_kem_shared(z.view(), enc, modulus);
}

Result<crypto::Secret> Pkcs11Ring::export_private(const keys::KeyRecord&, ByteView) {
  return fail(Code::not_exportable, "a token gives no key out");
}

}  // namespace ams::keystore_net
