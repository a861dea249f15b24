// Sealing: draft to header, asig, stanzas, head, body and blobs (spec MSG).
#include <algorithm>
#include <map>

#include "mail/franking.h"
#include "mail/layout.h"
#include "mail/letter_form.h"
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
  wire::Array values;        // members of the letter
  std::vector<Bytes> blobs;  // ascending by hash
  std::vector<Hash> hashes;
};

/// KEY-7 and the recipients' own wishes; what a reader would refuse later is refused here.
Result<> check_keys(const keys::KeyPair& sender, std::span<const keys::KeyRecord* const> recipients,
                    const SealOptions& options) {
  if (recipients.empty()) return fail(Code::schema, "recipients");
  if (recipients.size() > stanzas_max) return fail(Code::too_many_stanzas, "recipients");
  if (options.ts < 0 || options.ts > wire::integer_max - header_life_ms_max)
    return fail(Code::schema, "ts");
  if (options.life_ms <= 0 || options.life_ms > header_life_ms_max)
    return fail(Code::expired, "life");
  const Instant now = from_unix_ms(options.ts);
  AMS_CHECK(sender.record.valid_at(now));
  for (const keys::KeyRecord* recipient : recipients) {
    AMS_CHECK(recipient->valid_at(now));
    if (!recipient->takes(options.aead)) return fail(Code::unknown_algorithm, "recipient's aeads");
  }
  return {};
}

/// The binding is stapled as it is; the wrong one would make every reader refuse.
Result<> check_own_binding(const Draft& draft, const keys::KeyPair& sender,
                           const wire::Value& binding_value) {
  AMS_TRY(const keys::Binding binding, keys::parse_binding(binding_value));
  if (binding.addr != draft.from || binding.key != sender.record.id())
    return fail(Code::from_binding, "sender");
  return {};
}

Result<SealedAttachments> seal_attachments(const Draft& draft, const Id16& env_id,
                                           crypto::Aead aead, crypto::Drbg& drbg) {
  SealedAttachments out;
  std::map<Hash, Bytes> blobs;
  for (const Attachment& attachment : draft.attachments) {
    const auto id = static_cast<std::int64_t>(out.values.size());
    const crypto::Secret key = draw_secret(drbg);
    const auto salt = drbg.array<24>();
    AMS_TRY(Bytes blob, crypto::stream_seal(aead, key.view(), attachment_context(env_id, id), salt,
                                            lay_out(attachment.data, LengthField::u64)));
    const Hash hash = crypto::sha256(blob);
    out.values.emplace_back(wire::Object{
        {"id", id},
        {"name", attachment.name},
        {"type", attachment.type},
        {"size", static_cast<std::int64_t>(attachment.data.size())},
        {"blob", to_base64url(hash)},
        {"key", to_base64url(key.view())},
    });
    blobs.emplace(hash, std::move(blob));
  }
  for (auto& [hash, blob] : blobs) {
    out.hashes.push_back(hash);
    out.blobs.push_back(std::move(blob));
  }
  return out;
}

wire::Value letter_value(wire::Object leaf0, const Draft& draft, wire::Array attachments,
                         ByteView fk) {
  wire::Array parts;
  for (const Part& part : draft.parts) parts.push_back(part_value(part));
  leaf0.emplace("parts", std::move(parts));
  leaf0.emplace("att", std::move(attachments));
  leaf0.emplace("fk", to_base64url(fk));
  return leaf0;
}

Result<Bytes> seal_part(crypto::Aead aead, ByteView key, ByteView context, ByteView salt,
                        ByteView text) {
  return crypto::stream_seal(aead, key, context, salt, lay_out(text, LengthField::u32));
}

BlobRef ref_of(ByteView sealed) { return {sealed.size(), crypto::sha256(sealed)}; }

/// The header but for its body.
Header begin_header(const Draft& draft, const keys::KeyPair& sender, const SealOptions& options,
                    const Id16& env_id) {
  Header out;
  out.id = env_id;
  out.aead = options.aead;
  out.sender = sender.record.id();
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
  AMS_CHECK(check_draft(draft));
  AMS_CHECK(check_keys(sender, recipients, options));
  AMS_CHECK(check_own_binding(draft, sender, sender_binding));
  const SealEntropy entropy = draw(drbg);
  AMS_TRY(SealedAttachments attachments,
          seal_attachments(draft, entropy.env_id, options.aead, drbg));
  const wire::Object leaf0 = leaf0_value(draft, options.mid, sender.record.id(), sender_binding);
  const wire::Value letter =
      letter_value(leaf0, draft, std::move(attachments.values), entropy.fk.view());
  const std::vector<Bytes> leaves = leaves_of(letter);

  Header header = begin_header(draft, sender, options, entropy.env_id);
  header.leaves = static_cast<std::int64_t>(leaves.size());
  header.fc = franking_commitment(entropy.fk.view(), leaves);
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
  AMS_TRY(out.body, seal_part(options.aead, key, body_context(message), entropy.body_salt,
                              wire::encode(letter)));
  AMS_TRY(out.head, seal_part(options.aead, head_key(key).view(), head_context(message),
                              entropy.head_salt, head_of(leaf0)));
  out.blobs = std::move(attachments.blobs);
  header.body = ref_of(out.body);
  header.head = ref_of(out.head);
  out.header = to_value(header);
  AMS_TRY(out.asig, sign_header(out.header, sender.signing));
  return out;
}

}  // namespace ams::mail
