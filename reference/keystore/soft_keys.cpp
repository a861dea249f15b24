// Keys in software. A handle is u32 length || private signing half || private encryption half.
#include "crypto/external.h"
#include "keystore/key_ring.h"

namespace ams::keystore {
namespace {

struct Halves {
  ByteView signing;
  ByteView encryption;
};

Result<Halves> split(ByteView handle) {
  if (handle.size() < 4) return fail(Code::keystore_sealed, "handle");
  const std::size_t size = read_u32(handle);
  handle = handle.subspan(4);
  if (handle.size() <= size) return fail(Code::keystore_sealed, "handle");
  return Halves{handle.first(size), handle.subspan(size)};
}

crypto::Secret join(const keys::KeyPair& pair) {
  const crypto::Secret signing = pair.signing.private_raw();
  const crypto::Secret encryption = pair.encryption.private_raw();
  Bytes raw;
  raw.reserve(4 + signing.size() + encryption.size());  // no second copy to wipe
  append_u32(raw, static_cast<std::uint32_t>(signing.size()));
  append(raw, signing.view());
  append(raw, encryption.view());
  crypto::Secret out = crypto::Secret::copy_of(raw);
  crypto::wipe(raw.data(), raw.size());
  return out;
}

Result<keys::KeyPair> make(const RingOptions& options, ByteView entropy80) {
  const keys::KeyPairOptions pair{options.nbf, options.exp, keys::Custody::corporate};
  if (options.profile == Profile::modern) return keys::make_modern(entropy80, pair);
  const bool ed25519 = sig_alg(options.profile) == crypto::SigAlg::ed25519;
  AMS_TRY(crypto::SigningKey signing,
          ed25519 ? Result<crypto::SigningKey>(
                        crypto::SigningKey::ed25519_from_seed(entropy80.first(32)))
                  : crypto::SigningKey::generate_rsa(sig_alg(options.profile)));
  AMS_TRY(crypto::DecryptionKey encryption,
          crypto::DecryptionKey::generate_rsa(kem(options.profile)));
  return keys::make_pair(std::move(signing), std::move(encryption),
                         *to_array<16>(entropy80.subspan(64, 16)), pair);
}

}  // namespace

Result<RingKey> SoftKeys::create(const RingOptions& options, ByteView entropy80) {
  AMS_TRY(keys::KeyPair pair, make(options, entropy80));
  crypto::Secret handle = join(pair);
  return RingKey{std::move(pair.record), std::move(handle)};
}

Result<crypto::Secret> SoftKeys::decap(const keys::KeyRecord& record, ByteView handle,
                                       ByteView enc) {
  AMS_TRY(const crypto::Secret raw, export_private(record, handle));
  AMS_TRY(const crypto::DecryptionKey key,
          crypto::DecryptionKey::from_private(record.encryption().kem(), raw.view()));
  return crypto::kem_decap(key, enc);
}

Result<Bytes> SoftKeys::sign(const keys::KeyRecord& record, ByteView handle, ByteView text) {
  AMS_TRY(const Halves halves, split(handle));
  AMS_TRY(const crypto::SigningKey key,
          crypto::SigningKey::from_private(record.signing().alg(), halves.signing));
  return key.sign(text);
}

Result<crypto::Secret> SoftKeys::export_private(const keys::KeyRecord&, ByteView handle) {
  AMS_TRY(const Halves halves, split(handle));
  return crypto::Secret::copy_of(halves.encryption);
}

}  // namespace ams::keystore
