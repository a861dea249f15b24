// Opening: the checks of MSG-29 in their order; nothing leaves before all of them hold.
#include <algorithm>

#include "mail/franking.h"
#include "mail/layout.h"
#include "mail/letter_form.h"
#include "mail/wrap.h"
#include "policy/mutant.h"
#include "wire/wipe.h"

namespace ams::mail {
namespace {

/// A header whose signature was verified.
struct Envelope {
  Header header;
  Hash h0{};
};

Result<Envelope> check_envelope(const wire::Value& header_value, ByteView asig,
                                const OpenContext& context) {
  AMS_TRY(Header header, parse_header(header_value));
  const keys::KeyId& sender = context.sender->id();
  if (!mutant("mail.skip_asig")) {
    if (sender.kid != header.sender.kid) return fail(Code::kid_mismatch, "sender's record");
    if (sender.fp != header.sender.fp) return fail(Code::fp_mismatch, "sender's record");
  }
  AMS_CHECK(verify_asig(header_value, asig, *context.sender));
  return Envelope{std::move(header), h0(header_value)};
}

Result<crypto::Secret> content_key(const Envelope& envelope, std::span<const Stanza> stanzas,
                                   const OpenContext& context) {
  const WrapHeader wrapped{envelope.header.aead, envelope.header.epk, envelope.h0,
                           context.rewrapped};
  if (context.shared_secret)
    return unwrap_shared(wrapped, stanzas, *context.own_record, context.shared_secret->view());
  return unwrap_key(wrapped, stanzas, *context.own_record, *context.own_key);
}

Result<> check_blob(ByteView sealed, const BlobRef& ref) {
  if (mutant("mail.skip_body_hash")) return {};
  if (sealed.size() != ref.len) return fail(Code::blob_hash, "length");
  if (crypto::sha256(sealed) != ref.hash) return fail(Code::blob_hash, "hash");
  return {};
}

/// Stream, layout and encoding.
Result<wire::Value> open_part(crypto::Aead aead, ByteView key, ByteView stream_context,
                              ByteView sealed) {
  AMS_TRY(Bytes opened, crypto::stream_open(aead, key, stream_context, sealed));
  const auto plain = crypto::Secret::adopt(std::move(opened));  // the letter holds keys
  AMS_TRY(const ByteView text, take_out(plain.view(), LengthField::u32));
  return wire::decode(text);
}

/// Wipes the keys that a decoded letter holds, wherever the checks end.
class KeyWiper {
 public:
  explicit KeyWiper(wire::Value& letter) : letter_(letter) {}
  ~KeyWiper() {
    if (!letter_.is_object()) return;
    wire::wipe_member(letter_, "fk");
    const auto att = letter_.as_object().find("att");
    if (att == letter_.as_object().end() || !att->second.is_array()) return;
    for (wire::Value& each : att->second.as_array()) wire::wipe_member(each, "key");
  }
  KeyWiper(const KeyWiper&) = delete;
  KeyWiper& operator=(const KeyWiper&) = delete;

 private:
  wire::Value& letter_;
};

/// MSG-25.
Result<> check_franking(const wire::Value& letter, ByteView fk, const Header& header) {
  const std::vector<Bytes> leaves = leaves_of(letter);
  if (leaves.size() != static_cast<std::uint64_t>(header.leaves) && !mutant("mail.skip_leaf_count"))
    return fail(Code::leaf_count, "letter");
  if (franking_commitment(fk, leaves) != header.fc && !mutant("mail.skip_fc"))
    return fail(Code::franking, "letter");
  return {};
}

/// MSG-26.
Result<> check_blob_set(const Opened& letter, const Header& header) {
  std::vector<Hash> named;
  for (const AttachmentInfo& info : letter.attachments) named.push_back(info.blob);
  std::sort(named.begin(), named.end());
  named.erase(std::unique(named.begin(), named.end()), named.end());
  if (named != header.blobs && !mutant("mail.skip_blob_set")) return fail(Code::blob_set, "letter");
  return {};
}

/// MSG-28.
Result<> check_deliver_to(const Opened& letter, const OpenContext& context) {
  if (mutant("mail.skip_deliver_to") || context.reader == letter.from) return {};
  const auto listed = [&](std::string_view addr) {
    const auto& addresses = letter.deliver_to;
    return std::find(addresses.begin(), addresses.end(), addr) != addresses.end();
  };
  if (listed(context.reader) || (!context.group.empty() && listed(context.group)))
    return {};  // GRP-5
  if (!context.group.empty() && mutant("mail.any_group")) return {};
  return fail(Code::deliver_to, "letter");
}

/// The note in a stapled proof; nothing where it has none.
std::string shown_checkpoint(const wire::Value& proof) {
  const wire::Value* head = proof.find("head");
  const wire::Value* note = head != nullptr ? head->find("checkpoint") : nullptr;
  return note != nullptr && note->is_string() ? note->as_string() : std::string();
}

Result<Opened> open_body(const Envelope& envelope, std::span<const Stanza> stanzas, ByteView body,
                         const OpenContext& context) {
  const Header& header = envelope.header;
  AMS_TRY(const crypto::Secret key, content_key(envelope, stanzas, context));
  AMS_CHECK(check_blob(body, header.body));
  AMS_TRY(wire::Value value, open_part(header.aead, key.view(), body_context(envelope.h0), body));
  const KeyWiper wiper(value);
  AMS_TRY(LetterForm form, parse_letter(value));
  AMS_CHECK(check_franking(value, form.fk.view(), header));
  AMS_CHECK(check_blob_set(form.letter, header));
  AMS_CHECK(check_from(form, header, *context.sender_domain));
  AMS_CHECK(check_proof(form, header, *context.sender_domain, context.labels));
  AMS_CHECK(check_deliver_to(form.letter, context));
  form.letter.binding = form.binding;
  if (form.proof && context.sender_domain->record.log)
    form.letter.checkpoint = shown_checkpoint(*form.proof);
  return std::move(form.letter);
}

/// MSG-32.
Result<OpenedHead> open_sealed_head(const Envelope& envelope, std::span<const Stanza> stanzas,
                                    ByteView head, const OpenContext& context) {
  const Header& header = envelope.header;
  AMS_TRY(const crypto::Secret key, content_key(envelope, stanzas, context));
  AMS_CHECK(check_blob(head, header.head));
  AMS_TRY(const wire::Value value,
          open_part(header.aead, head_key(key.view()).view(), head_context(envelope.h0), head));
  AMS_TRY(LetterForm form, parse_leaf0(value));
  AMS_CHECK(check_from(form, header, *context.sender_domain));
  Opened& letter = form.letter;
  return OpenedHead{letter.mid, std::move(letter.from), std::move(letter.subject), letter.date};
}

}  // namespace

Result<Bytes> encapsulated_key(const wire::Value& header, std::span<const Stanza> stanzas,
                               const keys::KeyRecord& own_record, bool rewrapped) {
  AMS_TRY(const Header parsed, parse_header(header));
  return encapsulated_key(WrapHeader{parsed.aead, parsed.epk, {}, rewrapped}, stanzas, own_record);
}

Result<Opened> open(const wire::Value& header, ByteView asig, std::span<const Stanza> stanzas,
                    ByteView body, const OpenContext& context) {
  AMS_TRY(const Envelope envelope, check_envelope(header, asig, context));
  return open_body(envelope, stanzas, body, context);
}

Result<Opened> open_received(const wire::Value& header, ByteView asig, const wire::Value& stanzas,
                             ByteView body, const OpenContext& context) {
  AMS_TRY(const Envelope envelope, check_envelope(header, asig, context));
  AMS_TRY(const std::vector<Stanza> parsed, parse_stanzas(stanzas));
  return open_body(envelope, parsed, body, context);
}

Result<OpenedHead> open_head(const wire::Value& header, ByteView asig,
                             std::span<const Stanza> stanzas, ByteView head,
                             const OpenContext& context) {
  AMS_TRY(const Envelope envelope, check_envelope(header, asig, context));
  return open_sealed_head(envelope, stanzas, head, context);
}

Result<OpenedHead> open_received_head(const wire::Value& header, ByteView asig,
                                      const wire::Value& stanzas, ByteView head,
                                      const OpenContext& context) {
  AMS_TRY(const Envelope envelope, check_envelope(header, asig, context));
  AMS_TRY(const std::vector<Stanza> parsed, parse_stanzas(stanzas));
  return open_sealed_head(envelope, parsed, head, context);
}

Result<Bytes> open_attachment(const wire::Value& header_value, const AttachmentInfo& info,
                              ByteView blob) {
  AMS_TRY(const Header header, parse_header(header_value));
  if (crypto::sha256(blob) != info.blob && !mutant("mail.skip_blob_hash"))
    return fail(Code::blob_hash, "attachment");
  AMS_TRY(Bytes plain, crypto::stream_open(header.aead, info.key.view(),
                                           attachment_context(header.id, info.id), blob));
  AMS_TRY(const ByteView content, take_out(plain, LengthField::u64));
  if (content.size() != info.size) return fail(Code::body_layout, "attachment size");
  std::copy(content.begin(), content.end(), plain.begin());  // in place: it may be large
  plain.resize(info.size);
  return plain;
}

}  // namespace ams::mail
