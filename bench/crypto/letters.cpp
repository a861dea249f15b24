#include "crypto_bench/letters.h"

#include "mail/franking.h"
#include "mail/letter_form.h"
#include "mail/letter_text.h"
#include "wire/sigform.h"

namespace ams::crypto_bench {
namespace {

using paired::Operation;

constexpr std::size_t signing_input_size = 48;  // SIG-1
constexpr std::size_t stanza_info_size = 84;    // MSG-15
constexpr std::size_t context_size = 41;        // MSG-21
constexpr std::size_t hpke_hmac_count = 4;      // key schedule, beside the KEM's own two

mail::OpenContext reading(const People& people) {
  return {People::reader_addr, &people.reader.record, &people.reader.encryption,
          &people.sender.record, &*people.chain};
}

std::size_t plain_size(std::size_t sealed) {
  const std::size_t chunks = sealed - crypto::stream_header_size;
  constexpr std::size_t chunk = crypto::stream_chunk_size + crypto::aead_tag_size;
  return chunks - (chunks / chunk + 1) * crypto::aead_tag_size;
}

/// The hashing of a stream's keys, or of one HPKE key schedule.
void add_stream_keys(std::vector<Step>& steps) {
  add_hmac(steps, 32);
  add_hmac(steps, 17 + context_size, 2);
}

void add_kem(std::vector<Step>& steps, Primitive primitive, std::size_t count, bool x25519) {
  Step step{primitive};
  step.count = count;
  steps.push_back(step);
  add_hmac(steps, x25519 ? 51 : 256, count);      // HKDF-Extract of the shared secret
  add_hmac(steps, x25519 ? 93 : 299, count);      // HKDF-Expand
  add_hmac(steps, stanza_info_size + 26, count);  // info_hash
  add_hmac(steps, 23, count);                     // secret
  add_hmac(steps, 65 + 23, 2 * count);            // key, base_nonce
  static_assert(hpke_hmac_count == 4);
}

}  // namespace

Letters::Letters(const LetterPlan& plan)
    : plan_(plan), people_(std::make_shared<People>(plan.profile, plan.recipients)) {
  draft_.from = People::sender_addr;
  draft_.deliver_to = draft_.to = {std::string(People::reader_addr)};
  draft_.date = now_ms;
  draft_.subject = "Tomorrow";
  draft_.parts = {{"text/plain", mail_text(plan.text_size)}};
  if (plan.attachment_size > 0) {
    draft_.attachments = {
        {"figures.bin", "application/octet-stream", Bytes(plan.attachment_size, 0x5a)}};
  }
  crypto::Drbg drbg(Bytes(32, 9));
  const auto recipients = people_->recipients();
  auto sealed = mail::seal(draft_, people_->sender, people_->binding, recipients,
                           {.aead = plan.aead, .ts = now_ms}, drbg);
  must(sealed.has_value(), "sealing a letter");
  sealed_ = std::make_shared<const mail::Sealed>(std::move(*sealed));
  shape_ = shape_of(*sealed_);
}

Letters::Shape Letters::shape_of(const mail::Sealed& sealed) const {
  Shape out;
  out.header = wire::encode(sealed.header).size();
  out.header_less_body = wire::encode_without(sealed.header, "body").size();
  out.binding = wire::encode(people_->binding).size();
  out.body = plain_size(sealed.body.size());
  out.head = plain_size(sealed.head.size());
  if (!sealed.blobs.empty()) out.attachment = plain_size(sealed.blobs[0].size());
  const wire::Value no_proof{wire::Object{}};
  out.leaves.push_back(
      mail::leaf0_text({draft_, Id16{}, people_->sender.record.id(), people_->binding, no_proof})
          .size());
  for (const mail::Part& part : draft_.parts)
    out.leaves.push_back(wire::encode(mail::part_value(part)).size());
  if (out.attachment > 0) out.leaves.push_back(160);
  return out;
}

std::size_t Letters::sealed_size() const {
  std::size_t out = shape_.header + sealed_->asig.size() + sealed_->body.size();
  for (const mail::Stanza& stanza : sealed_->stanzas)
    out += wire::encode(mail::to_value(stanza)).size();
  for (const Bytes& blob : sealed_->blobs) out += blob.size();
  return out;
}

Operation Letters::seal() const {
  auto drbg = std::make_shared<crypto::Drbg>(Bytes(32, 9));
  return [people = people_, draft = draft_, to = people_->recipients(), drbg, aead = plan_.aead] {
    const auto sealed =
        mail::seal(draft, people->sender, people->binding, to, {.aead = aead, .ts = now_ms}, *drbg);
    must(sealed.has_value(), "sealing a letter");
  };
}

Operation Letters::open() const {
  return [people = people_, sealed = sealed_] {
    const auto opened =
        mail::open(sealed->header, sealed->asig, sealed->stanzas, sealed->body, reading(*people));
    must(opened.has_value(), "opening a letter");
    for (const mail::AttachmentInfo& info : opened->attachments)
      must(mail::open_attachment(sealed->header, info, sealed->blobs[0]).has_value(),
           "opening an attachment");
  };
}

// --- the primitives ------------------------------------------------------------------------------

void Letters::add_streams(std::vector<Step>& steps, Primitive primitive) const {
  const auto add = [&](std::size_t size) {
    Step step{primitive, size};
    step.aead = plan_.aead;
    add_stream_keys(steps);
    steps.push_back(step);
    add_hash(steps, crypto::sealed_size(size));
  };
  add(shape_.body);
  if (primitive == Primitive::aead_seal) {
    add_hmac(steps, 32);  // the head's key
    add_hmac(steps, 10);
    add(shape_.head);
  }
  if (shape_.attachment > 0) add(shape_.attachment);
}

void Letters::add_franking(std::vector<Step>& steps) const {
  add_hmac(steps, 32);
  for (const std::size_t leaf : shape_.leaves) {
    add_hmac(steps, 14);         // the leaf's key
    add_hmac(steps, 12 + leaf);  // its commitment
    add_hash(steps, 33);         // Merkle leaf
  }
  add_hash(steps, 65, shape_.leaves.size() - 1);  // Merkle nodes
}

std::vector<Step> Letters::seal_steps() const {
  const bool modern = plan_.profile == Profile::modern;
  std::vector<Step> out;
  if (modern) out.push_back({Primitive::new_key});
  add_kem(out, modern ? Primitive::agree : Primitive::encapsulate, plan_.recipients, modern);
  Step wrap{Primitive::aead_seal, 32};
  wrap.aead = plan_.aead;
  wrap.count = plan_.recipients;
  out.push_back(wrap);
  add_franking(out);
  add_streams(out, Primitive::aead_seal);
  add_hash(out, shape_.header_less_body);
  add_hash(out, shape_.header);
  Step sign{Primitive::sign};
  sign.sig = modern ? crypto::SigAlg::ed25519 : crypto::SigAlg::rsa2048pss;
  out.push_back(sign);
  return out;
}

std::vector<Step> Letters::open_steps() const {
  const bool modern = plan_.profile == Profile::modern;
  std::vector<Step> out;
  Step verify{Primitive::verify};
  verify.sig = modern ? crypto::SigAlg::ed25519 : crypto::SigAlg::rsa2048pss;
  out.push_back(verify);
  add_hash(out, shape_.header);
  add_hash(out, shape_.header_less_body);
  add_kem(out, modern ? Primitive::agree : Primitive::decapsulate, 1, modern);
  Step unwrap{Primitive::aead_open, 32};
  unwrap.aead = plan_.aead;
  out.push_back(unwrap);
  add_streams(out, Primitive::aead_open);
  add_franking(out);
  add_hash(out, shape_.binding);
  out.push_back({Primitive::verify});  // the binding's, by the domain's Ed25519 key
  return out;
}

Operation Letters::seal_primitives() const { return primitives(seal_steps(), rsa_pkcs8(2048)); }
Operation Letters::open_primitives() const { return primitives(open_steps(), rsa_pkcs8(2048)); }

// --- the crypto room on bytes of the same sizes --------------------------------------------------

namespace {

/// Franking as mail does it, on a leaf that is there already.
void frank(ByteView fk, const std::vector<Bytes>& leaves) { mail::franking_commitment(fk, leaves); }

std::vector<Bytes> leaves_of_size(const std::vector<std::size_t>& sizes) {
  std::vector<Bytes> out;
  for (const std::size_t size : sizes) out.emplace_back(size, std::uint8_t{'x'});
  return out;
}

}  // namespace

Operation Letters::seal_crypto() const {
  struct Buffers {
    Bytes header, header_less_body, body, head, attachment;
    std::vector<Bytes> leaves;
  };
  const auto in = std::make_shared<Buffers>(
      Buffers{Bytes(shape_.header, 1), Bytes(shape_.header_less_body, 2), Bytes(shape_.body, 3),
              Bytes(shape_.head, 4), Bytes(shape_.attachment, 5), leaves_of_size(shape_.leaves)});
  return [in, plan = plan_, people = people_, to = people_->recipients()] {
    const Bytes key(32, 6), salt(24, 7), info(stanza_info_size, 8), context(context_size, 9);
    std::optional<crypto::Ephemeral> ephemeral;
    if (plan.profile == Profile::modern) ephemeral = crypto::Ephemeral::from_seed(key);
    frank(key, in->leaves);
    crypto::sha256(in->header_less_body);
    for (const keys::KeyRecord* record : to) {
      must(crypto::hpke_seal(record->encryption(), plan.aead, info, key,
                             ephemeral ? &*ephemeral : nullptr)
               .has_value(),
           "wrap");
    }
    const auto seal = [&](ByteView secret, ByteView plain) {
      const auto sealed = crypto::stream_seal(plan.aead, secret, context, salt, plain);
      must(sealed.has_value(), "stream");
      crypto::sha256(*sealed);
    };
    if (!in->attachment.empty()) seal(key, in->attachment);
    seal(key, in->body);
    seal(mail::head_key(key).view(), in->head);
    const Hash digest = crypto::sha256(in->header);
    Bytes input(signing_input_size - digest.size());
    append(input, digest);
    must(people->sender.signing.sign(input).has_value(), "sign");
  };
}

Operation Letters::open_crypto() const {
  struct Buffers {
    Bytes header, header_less_body, binding, input, signature, binding_signature;
    Bytes sealed, attachment;
    std::vector<Bytes> leaves;
    crypto::Wrapped wrapped;
    std::optional<crypto::VerifyKey> domain;
  };
  const Bytes key(32, 6), salt(24, 7), info(stanza_info_size, 8), context(context_size, 9);
  auto in = std::make_shared<Buffers>();
  in->header.resize(shape_.header);
  in->header_less_body.resize(shape_.header_less_body);
  in->binding.resize(shape_.binding);
  in->input.resize(signing_input_size);
  in->signature = people_->sender.signing.sign(in->input).value();
  const auto op = crypto::SigningKey::ed25519_from_seed(Bytes(32, 33));
  in->domain = crypto::VerifyKey::from_raw(op.alg(), op.public_raw()).value();
  in->binding_signature = op.sign(in->input).value();
  const auto seal = [&](std::size_t size) {
    return crypto::stream_seal(plan_.aead, key, context, salt, Bytes(size)).value();
  };
  in->sealed = seal(shape_.body);
  if (shape_.attachment > 0) in->attachment = seal(shape_.attachment);
  in->leaves = leaves_of_size(shape_.leaves);
  const auto ephemeral = crypto::Ephemeral::from_seed(Bytes(32, 2));
  in->wrapped =
      crypto::hpke_seal(people_->reader.record.encryption(), plan_.aead, info, key, &ephemeral)
          .value();
  return [in, info, context, plan = plan_, people = people_] {
    crypto::sha256(in->header);
    must(people->sender.record.signing().verify(in->input, in->signature).has_value(), "verify");
    crypto::sha256(in->header_less_body);
    const auto secret = crypto::hpke_open(people->reader.encryption, plan.aead, in->wrapped.enc,
                                          info, in->wrapped.ciphertext);
    must(secret.has_value(), "unwrap");
    const auto open = [&](ByteView sealed) {
      crypto::sha256(sealed);
      must(crypto::stream_open(plan.aead, secret->view(), context, sealed).has_value(), "stream");
    };
    open(in->sealed);
    if (!in->attachment.empty()) open(in->attachment);
    frank(secret->view(), in->leaves);
    crypto::sha256(in->binding);
    must(in->domain->verify(in->input, in->binding_signature).has_value(), "binding");
  };
}

}  // namespace ams::crypto_bench
