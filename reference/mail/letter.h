// The letter, and sealing and opening a message (spec chapter 05).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "keys/records.h"
#include "mail/objects.h"
#include "wire/value.h"

namespace ams::bindlog {
class Labels;
}

namespace ams::mail {

inline constexpr std::size_t proof_size_max = 32'768;  // bytes of AMS-CJ, MSG-37

struct Part {
  std::string type;  // media type, RFC 6838, for instance text/plain
  std::string text;
};
struct Attachment {  // as the writer gives it
  std::string name, type;
  Bytes data;
};

/// What a person writes: everything of the letter but what sealing adds.
struct Draft {
  std::string from;
  std::vector<std::string> deliver_to;  // addresses sealed to
  std::vector<std::string> to, cc;
  std::int64_t date = 0;  // Unix ms
  std::string subject;
  std::optional<Id16> in_reply_to, thread;
  std::optional<std::string> reply_to_addr;
  std::vector<Part> parts;
  std::vector<Attachment> attachments;
};

struct Sealed {
  wire::Value header;
  Bytes asig;
  std::vector<Stanza> stanzas;  // in the order of `recipients`
  Bytes head;                   // sealed, at most 4,096 bytes
  Bytes body;                   // sealed; a blob
  std::vector<Bytes> blobs;     // sealed attachments, in the order of the header's blobs
};

struct SealOptions {
  crypto::Aead aead = crypto::Aead::a256gcm;
  std::int64_t ts = 0;                      // Unix ms
  std::int64_t life_ms = 5LL * 86'400'000;  // exp - ts
  Id16 mid{};
  /// What the sender's domain proves of sender_binding, a bproof/1 (MSG-37); {}: it has no log.
  wire::Value proof = {};
};

/// Seals a draft to `recipients` (put the sender's own record last for the Sent copy). Takes
/// entropy from `drbg`: env id, content key, salts, ephemeral, fk, attachment keys. Deterministic
/// in it, except with rsa*kem recipients. Fails with too_many_stanzas, key_expired,
/// object_too_large, address_syntax, unknown_algorithm (a recipient whose record does not take the
/// AEAD).
Result<Sealed> seal(const Draft& draft, const keys::KeyPair& sender,
                    const wire::Value& sender_binding,
                    std::span<const keys::KeyRecord* const> recipients, const SealOptions& options,
                    crypto::Drbg& drbg);

/// The same for a sender whose signing key is elsewhere: `asig` is left empty. asig_text() is what
/// the key of `sender` signs; set_asig() puts the signature in, and fails with signature or
/// algorithm_mix when it is none.
Result<Sealed> seal_unsigned(const Draft& draft, const keys::KeyRecord& sender,
                             const wire::Value& sender_binding,
                             std::span<const keys::KeyRecord* const> recipients,
                             const SealOptions& options, crypto::Drbg& drbg);
Bytes asig_text(const Sealed& sealed);
Result<> set_asig(Sealed& sealed, Bytes asig, const keys::KeyRecord& sender);

/// An attachment as it stands in an opened letter; its data is opened by open_attachment.
struct AttachmentInfo {
  std::int64_t id = 0;
  std::string name, type;
  std::uint64_t size = 0;
  Hash blob{};
  crypto::Secret key;
};

struct Opened {
  Id16 mid{};
  std::string from;
  keys::KeyId sender;
  wire::Value binding = {};  // of from to sender, by its domain
  std::string checkpoint;  // the note under the proof (MSG-37), judged without witnesses; or empty
  std::vector<std::string> deliver_to, to, cc;
  std::int64_t date = 0;
  std::string subject;
  std::optional<Id16> in_reply_to, thread;
  std::optional<std::string> reply_to_addr;
  std::vector<Part> parts;
  std::vector<AttachmentInfo> attachments;
};

/// What the reader knows and has verified before.
struct OpenContext {
  std::string_view reader;  // own address
  const keys::KeyRecord* own_record = nullptr;
  const crypto::DecryptionKey* own_key = nullptr;
  const keys::KeyRecord* sender = nullptr;  // record of skid/sfp
  const keys::Chain* sender_domain = nullptr;
  /// In place of own_key: the shared secret of own_record's stanza, decapsulated by a key store.
  const crypto::Secret* shared_secret = nullptr;
  /// The address of the group whose key own_record is (GRP-5); empty: it is no group's.
  std::string_view group = {};
  bool rewrapped = false;             // the stanza is one that took another's place (MSG-35)
  bindlog::Labels* labels = nullptr;  // of proofs verified before; null: none are kept
};

/// The encapsulated key that a key store decapsulates for own_record's stanza. Fails with schema
/// codes of the header, no_stanza, algorithm_mix. Nothing is verified yet: open() does that.
Result<Bytes> encapsulated_key(const wire::Value& header, std::span<const Stanza> stanzas,
                               const keys::KeyRecord& own_record, bool rewrapped = false);

/// Opens and verifies in the order of MSG-29; nothing is returned before all of it holds.
Result<Opened> open(const wire::Value& header, ByteView asig, std::span<const Stanza> stanzas,
                    ByteView body, const OpenContext& context);

/// The same with the stanzas as received: their own checks (MSG-17, members) come after asig.
Result<Opened> open_received(const wire::Value& header, ByteView asig, const wire::Value& stanzas,
                             ByteView body, const OpenContext& context);

/// Leaf 0 alone, for mailbox lists; verified as MSG-32 says: all but fc and deliver_to.
struct OpenedHead {
  Id16 mid{};
  std::string from, subject;
  std::int64_t date = 0;
};
Result<OpenedHead> open_head(const wire::Value& header, ByteView asig,
                             std::span<const Stanza> stanzas, ByteView head,
                             const OpenContext& context);
Result<OpenedHead> open_received_head(const wire::Value& header, ByteView asig,
                                      const wire::Value& stanzas, ByteView head,
                                      const OpenContext& context);
/// Fails with blob_hash, as streams do, and with body_layout.
Result<Bytes> open_attachment(const wire::Value& header, const AttachmentInfo& info, ByteView blob);

/// A digest of what a person sees (from, to, cc, date, subject, parts, attachments' names, types
/// and data): equal for what was sent and what is read. The simulator's invariants compare it.
Hash content_digest(const Draft& draft);
Hash content_digest(const Opened& opened, std::span<const Bytes> attachment_data);

}  // namespace ams::mail
