// Content keys in stanzas (spec MSG-15 … MSG-19).
#include "mail/wrap.h"

#include <algorithm>

#include "crypto/external.h"
#include "policy/mutant.h"

namespace ams::mail {
namespace {

/// Of a key that the reader's algorithm needs and nobody gave.
Code missing_code() {
  return mutant("mail.wrong_code_no_enc") ? Code::unwrap : Code::algorithm_mix;
}

/// The encapsulated key that this stanza is opened with: the header's or its own (MSG-16, ALG-3).
Result<ByteView> encapsulated(const Stanza& stanza, const WrapHeader& header, crypto::Kem kem) {
  if (kem != crypto::Kem::x25519 || header.rewrapped) {
    if (!stanza.enc) return fail(missing_code(), "enc");
    return ByteView(*stanza.enc);
  }
  if (stanza.enc && !mutant("mail.accept_enc_mix")) return fail(Code::algorithm_mix, "enc");
  if (!header.epk) return fail(missing_code(), "epk");
  return ByteView(*header.epk);
}

/// MSG-19.
Result<const Stanza*> find_stanza(std::span<const Stanza> stanzas, const keys::KeyRecord& own) {
  auto stanza = std::find_if(stanzas.begin(), stanzas.end(),
                             [&](const Stanza& each) { return each.to == own.id(); });
  if (stanza == stanzas.end() && !stanzas.empty() && mutant("mail.take_any_stanza"))
    stanza = stanzas.begin();
  if (stanza == stanzas.end()) return fail(Code::no_stanza, "stanzas");
  return &*stanza;
}

Result<crypto::Secret> content_key(Result<crypto::Secret> unwrapped) {
  if (unwrapped && unwrapped->size() != 32) return fail(Code::unwrap, "content key");
  return unwrapped;
}

}  // namespace

Bytes stanza_info(const Hash& h0, const keys::KeyId& to) {
  Bytes out = to_bytes("AMS1");
  append(out, h0);
  append(out, to.kid);
  append(out, to.fp);
  return out;
}

bool any_x25519(std::span<const keys::KeyRecord* const> recipients) {
  return std::any_of(recipients.begin(), recipients.end(), [](const keys::KeyRecord* record) {
    return record->encryption().kem() == crypto::Kem::x25519;
  });
}

Result<std::vector<Stanza>> wrap_key(std::span<const keys::KeyRecord* const> recipients,
                                     crypto::Aead aead, const Hash& message, ByteView content_key,
                                     const crypto::Ephemeral* ephemeral) {
  std::vector<Stanza> out;
  out.reserve(recipients.size());
  for (const keys::KeyRecord* recipient : recipients) {
    const crypto::EncryptionKey& to = recipient->encryption();
    AMS_TRY(
        crypto::Wrapped wrapped,
        crypto::hpke_seal(to, aead, stanza_info(message, recipient->id()), content_key, ephemeral));
    Stanza stanza{recipient->id(), std::move(wrapped.ciphertext), std::nullopt};
    if (to.kem() != crypto::Kem::x25519) stanza.enc = std::move(wrapped.enc);
    out.push_back(std::move(stanza));
  }
  return out;
}

Result<crypto::Secret> unwrap_key(const WrapHeader& header, std::span<const Stanza> stanzas,
                                  const keys::KeyRecord& own,
                                  const crypto::DecryptionKey& own_key) {
  AMS_TRY(const Stanza* stanza, find_stanza(stanzas, own));
  AMS_TRY(const ByteView enc, encapsulated(*stanza, header, own.encryption().kem()));
  return content_key(
      crypto::hpke_open(own_key, header.aead, enc, stanza_info(header.h0, own.id()), stanza->wk));
}

Result<Bytes> encapsulated_key(const WrapHeader& header, std::span<const Stanza> stanzas,
                               const keys::KeyRecord& own) {
  AMS_TRY(const Stanza* stanza, find_stanza(stanzas, own));
  AMS_TRY(const ByteView enc, encapsulated(*stanza, header, own.encryption().kem()));
  return to_bytes(enc);
}

Result<crypto::Secret> unwrap_shared(const WrapHeader& header, std::span<const Stanza> stanzas,
                                     const keys::KeyRecord& own, ByteView shared_secret) {
  AMS_TRY(const Stanza* stanza, find_stanza(stanzas, own));
  AMS_CHECK(encapsulated(*stanza, header, own.encryption().kem()));
  if (shared_secret.size() != crypto::shared_secret_size)
    return fail(Code::unwrap, "shared secret");
  return content_key(crypto::hpke_open_shared(own.encryption().kem(), header.aead, shared_secret,
                                              stanza_info(header.h0, own.id()), stanza->wk));
}

}  // namespace ams::mail
