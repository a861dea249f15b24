// Sealing: draft to header, asig, stanzas, head, body and blobs (spec MSG).
#include <algorithm>
#include <map>

#include "keys/profiles.h"
#include "mail/franking.h"
#include "mail/layout.h"
#include "mail/letter_form.h"
#include "mail/letter_text.h"
#include "mail/wrap.h"
#include "wire/address.h"

namespace ams::mail {
namespace {

/// All randomness of one message, drawn in one fixed order so that a seed gives the message.
struct SealEntropy {
  Id16 env_id{};
  crypto::Secret content_key;
  std::array<std::uint8_t, 24> body_salt{}, head_salt{};
  crypto::Secret ephemeral_seed;
  crypto::Secret fk;
};

crypto::Secret draw_secret(crypto::Drbg& drbg) {
  crypto::Secret out(32);
  drbg.fill({out.data(), out.size()});
  return out;
}

SealEntropy draw(crypto::Drbg& drbg) {
  SealEntropy out;
  out.env_id = drbg.array<16>();
  out.content_key = draw_secret(drbg);
  out.body_salt = drbg.array<24>();
  out.head_salt = drbg.array<24>();
  out.ephemeral_seed = draw_secret(drbg);
  out.fk = draw_secret(drbg);
  return out;
}

struct SealedAttachments {
  std::vector<AttachmentInfo> infos;
  std::vector<Bytes> blobs;  // ascending by hash
  std::vector<Hash> hashes;
};

/// KEY-7 and the recipients' own wishes; what a reader would refuse later is refused here.
Result<> check_keys(const keys::KeyRecord& sender,
                    std::span<const keys::KeyRecord* const> recipients,
                    const SealOptions& options) {
  if (recipients.empty()) return fail(Code::schema, "recipients");
  if (recipients.size() > stanzas_max) return fail(Code::too_many_stanzas, "recipients");
  if (options.ts < 0 || options.ts > wire::integer_max - header_life_ms_max)
    return fail(Code::schema, "ts");
  if (options.life_ms <= 0 || options.life_ms > header_life_ms_max)
    return fail(Code::expired, "life");
  const Instant now = from_unix_ms(options.ts);
  AMS_CHECK(sender.valid_at(now));
  for (const keys::KeyRecord* recipient : recipients) {
    AMS_CHECK(recipient->valid_at(now));
    if (!recipient->takes(options.aead)) return fail(Code::unknown_algorithm, "recipient's aeads");
  }
  std::vector<std::string_view> kems;
  for (const keys::KeyRecord* each : recipients)
    kems.push_back(crypto::name(each->encryption().kem()));
  return keys::check_kems(kems);
}

/// The binding is stapled as it is; the wrong one would make every reader refuse.
Result<> check_own_binding(const Draft& draft, const keys::KeyRecord& sender,
                           const wire::Value& binding_value) {
  AMS_TRY(const keys::Binding binding, keys::parse_binding(binding_value));
  if (binding.addr != draft.from || binding.key != sender.id())
    return fail(Code::from_binding, "sender");
  return {};
}

SealedAttachments seal_attachments(const Draft& draft, const Id16& env_id, crypto::Aead aead,
                                   crypto::Drbg& drbg) {
  SealedAttachments out;
  std::map<Hash, Bytes> blobs;
  for (const Attachment& attachment : draft.attachments) {
    AttachmentInfo info;
    info.id = static_cast<std::int64_t>(out.infos.size());
    info.name = attachment.name;
    info.type = attachment.type;
    info.size = attachment.data.size();
    info.key = draw_secret(drbg);
    const auto salt = drbg.array<24>();
    Bytes blob = seal_layout({aead, info.key.view(), attachment_context(env_id, info.id), salt},
                             attachment.data, LengthField::u64);
    info.blob = crypto::sha256(blob);
    blobs.emplace(info.blob, std::move(blob));
    out.infos.push_back(std::move(info));
  }
  for (auto& [hash, blob] : blobs) {
    out.hashes.push_back(hash);
    out.blobs.push_back(std::move(blob));
  }
  return out;
}

/// MSG-24: leaf 0, the parts as they stand in the letter, the attachments.
Hash commitment_of(ByteView fk, ByteView leaf0, const LetterText& letter,
                   std::span<const AttachmentInfo> attachments) {
  std::vector<Bytes> attachment_leaves;
  for (const AttachmentInfo& each : attachments)
    attachment_leaves.push_back(attachment_leaf_text(each));
  std::vector<ByteView> leaves{leaf0};
  leaves.insert(leaves.end(), letter.parts.begin(), letter.parts.end());
  leaves.insert(leaves.end(), attachment_leaves.begin(), attachment_leaves.end());
  return franking_commitment(fk, leaves);
}

BlobRef ref_of(ByteView sealed) { return {sealed.size(), crypto::sha256(sealed)}; }

/// The header but for its body.
Header begin_header(const Draft& draft, const keys::KeyRecord& sender, const SealOptions& options,
                    const Id16& env_id) {
  Header out;
  out.id = env_id;
  out.aead = options.aead;
  out.sender = sender.id();
  out.sdom = wire::parse_address(draft.from)->domain;
  out.ts = options.ts;
  out.exp = options.ts + options.life_ms;
  return out;
}

}  // namespace

Result<Sealed> seal(const Draft& draft, const keys::KeyPair& sender,
                    const wire::Value& sender_binding,
                    std::span<const keys::KeyRecord* const> recipients, const SealOptions& options,
                    crypto::Drbg& drbg) {
  AMS_TRY(Sealed out,
          seal_unsigned(draft, sender.record, sender_binding, recipients, options, drbg));
  AMS_TRY(out.asig, sign_header(out.header, sender.signing));
  return out;
}

Bytes asig_text(const Sealed& sealed) { return keys::signing_input("env/1", sealed.header); }

Result<> set_asig(Sealed& sealed, Bytes asig, const keys::KeyRecord& sender) {
  AMS_CHECK(verify_asig(sealed.header, asig, sender));
  sealed.asig = std::move(asig);
  return {};
}

Result<Sealed> seal_unsigned(const Draft& draft, const keys::KeyRecord& sender,
                             const wire::Value& sender_binding,
                             std::span<const keys::KeyRecord* const> recipients,
                             const SealOptions& options, crypto::Drbg& drbg) {
  AMS_CHECK(check_draft(draft));
  AMS_CHECK(check_keys(sender, recipients, options));
  AMS_CHECK(check_own_binding(draft, sender, sender_binding));
  const SealEntropy entropy = draw(drbg);
  SealedAttachments attachments = seal_attachments(draft, entropy.env_id, options.aead, drbg);
  const LetterSource source{draft, options.mid, sender.id(), sender_binding, options.proof};
  Bytes leaf0 = leaf0_text(source);
  const LetterText letter = letter_text(source, attachments.infos, entropy.fk.view());

  Header header = begin_header(draft, sender, options, entropy.env_id);
  header.leaves = static_cast<std::int64_t>(1 + letter.parts.size() + attachments.infos.size());
  header.fc = commitment_of(entropy.fk.view(), leaf0, letter, attachments.infos);
  header.blobs = std::move(attachments.hashes);
  std::optional<crypto::Ephemeral> ephemeral;  // MSG-16: one for all, where one is needed
  if (any_x25519(recipients)) {
    ephemeral = crypto::Ephemeral::from_seed(entropy.ephemeral_seed.view());
    header.epk = to_array<32>(ephemeral->key.public_raw());
  }
  const Hash message = h0(to_value(header));

  Sealed out;
  const ByteView key = entropy.content_key.view();
  AMS_TRY(out.stanzas,
          wrap_key(recipients, options.aead, message, key, ephemeral ? &*ephemeral : nullptr));
  AMS_TRY(out.body, crypto::stream_seal(options.aead, key, body_context(message), entropy.body_salt,
                                        letter.laid_out.view()));
  const Bytes head = lay_out(head_of(std::move(leaf0)), LengthField::u32);
  AMS_TRY(out.head, crypto::stream_seal(options.aead, head_key(key).view(), head_context(message),
                                        entropy.head_salt, head));
  out.blobs = std::move(attachments.blobs);
  header.body = ref_of(out.body);
  header.head = ref_of(out.head);
  out.header = to_value(header);
  return out;
}

}  // namespace ams::mail
