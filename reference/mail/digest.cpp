// A digest of what a person sees, the same on both ends.
#include "mail/elements.h"
#include "mail/letter_form.h"

namespace ams::mail {
namespace {

template <class Letter>
wire::Object seen(const Letter& letter) {
  wire::Array parts;
  for (const Part& part : letter.parts) parts.push_back(part_value(part));
  return {{"from", letter.from}, {"to", string_array(letter.to)}, {"cc", string_array(letter.cc)},
          {"date", letter.date}, {"subject", letter.subject},     {"parts", std::move(parts)}};
}

wire::Value seen_attachment(const std::string& name, const std::string& type, ByteView data) {
  return wire::Object{{"name", name}, {"type", type}, {"data", to_base64url(crypto::sha256(data))}};
}

Hash digest_of(wire::Object letter, wire::Array attachments) {
  letter.emplace("att", std::move(attachments));
  return crypto::sha256(wire::encode(letter));
}

}  // namespace

Hash content_digest(const Draft& draft) {
  wire::Array attachments;
  for (const Attachment& each : draft.attachments)
    attachments.push_back(seen_attachment(each.name, each.type, each.data));
  return digest_of(seen(draft), std::move(attachments));
}

Hash content_digest(const Opened& opened, std::span<const Bytes> attachment_data) {
  AMS_ASSERT(attachment_data.size() == opened.attachments.size());
  wire::Array attachments;
  for (std::size_t i = 0; i < attachment_data.size(); ++i) {
    const AttachmentInfo& info = opened.attachments[i];
    attachments.push_back(seen_attachment(info.name, info.type, attachment_data[i]));
  }
  return digest_of(seen(opened), std::move(attachments));
}

}  // namespace ams::mail
