// A content key in stanzas: wrapped for many keys, unwrapped with one (spec MSG-15 … MSG-19). For
// messages and for containers.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "mail/objects.h"

namespace ams::mail {

/// HPKE info of a stanza (MSG-15).
Bytes stanza_info(const Hash& h0, const keys::KeyId& to);

/// Whether a message to these keys needs `epk` (MSG-16).
bool any_x25519(std::span<const keys::KeyRecord* const> recipients);

/// One stanza for each recipient, in their order. `ephemeral` must be given when any_x25519.
Result<std::vector<Stanza>> wrap_key(std::span<const keys::KeyRecord* const> recipients,
                                     crypto::Aead aead, const Hash& h0, ByteView content_key,
                                     const crypto::Ephemeral* ephemeral);

/// What the header says that a stanza is opened with.
struct WrapHeader {
  crypto::Aead aead = crypto::Aead::a256gcm;
  std::optional<Hash> epk;
  Hash h0{};
  bool rewrapped = false;  // the stanza has its own enc, whatever the KEM (MSG-35)
};
/// What a key store is asked for to open the stanza of `own`: the encapsulated key. Fails with
/// no_stanza, algorithm_mix.
Result<Bytes> encapsulated_key(const WrapHeader& header, std::span<const Stanza> stanzas,
                               const keys::KeyRecord& own);
/// The content key from the reader's own stanza. Fails with no_stanza, algorithm_mix, unwrap, in
/// this order.
Result<crypto::Secret> unwrap_key(const WrapHeader& header, std::span<const Stanza> stanzas,
                                  const keys::KeyRecord& own, const crypto::DecryptionKey& own_key);
/// The same with the shared secret that somebody else decapsulated (KST-6): a wrong one fails with
/// unwrap.
Result<crypto::Secret> unwrap_shared(const WrapHeader& header, std::span<const Stanza> stanzas,
                                     const keys::KeyRecord& own, ByteView shared_secret);

}  // namespace ams::mail
