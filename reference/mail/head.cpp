// The head: leaf 0 cut to what a mailbox list needs, small enough for one page (spec MSG-22), and
// the contexts that keep one message's sealed parts from opening as another's.
#include "mail/letter_form.h"

namespace ams::mail {
namespace {

constexpr std::size_t sealed_head_size_max = 4096;
constexpr std::size_t length_field_size = 4;

/// Longest AMS-CJ text whose layout, padded and sealed, is within the limit.
std::size_t head_text_size_max() {
  std::size_t size = sealed_head_size_max - crypto::stream_header_size - crypto::aead_tag_size;
  while (crypto::sealed_size(crypto::padme(size)) > sealed_head_size_max) --size;
  return size - length_field_size;
}

/// Bytes of the character that starts here. Precondition: valid UTF-8.
std::size_t character_size(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/// The longest prefix of whole characters that takes at most `size_max` bytes between the quotes.
std::string cut_to_encoded_size(std::string_view text, std::size_t size_max) {
  std::size_t taken = 0;
  std::size_t encoded = 0;
  while (taken < text.size()) {
    const std::string_view character = text.substr(taken, character_size(text.substr(taken)));
    encoded += wire::encode(wire::Value(character)).size() - 2;
    if (encoded > size_max) break;
    taken += character.size();
  }
  return std::string(text.substr(0, taken));
}

Bytes labelled(std::string_view label, ByteView rest) {
  Bytes out = to_bytes(label);
  append(out, rest);
  return out;
}

}  // namespace

Bytes head_of(Bytes leaf0) {
  static const std::size_t size_max = head_text_size_max();
  if (leaf0.size() <= size_max) return leaf0;
  wire::Value head = wire::decode(leaf0).value();  // our own text
  for (const char* list : {"cc", "to", "deliver_to"}) {
    head.as_object()[list] = wire::Array{};
    Bytes text = wire::encode(head);
    if (text.size() <= size_max) return text;
  }
  const std::string subject = std::exchange(head.as_object()["subject"], "").as_string();
  const std::size_t rest = wire::encode(head).size();
  AMS_ASSERT(rest <= size_max);  // all else in leaf 0 is bounded far below
  head.as_object()["subject"] = cut_to_encoded_size(subject, size_max - rest);
  return wire::encode(head);
}

Bytes body_context(const Hash& h0) { return labelled("AMS1-BODY", h0); }

Bytes head_context(const Hash& h0) { return labelled("AMS1-HEAD", h0); }

crypto::Secret head_key(ByteView content_key) {
  return crypto::hkdf({}, content_key, as_bytes("AMS1-HEAD"), 32);
}

Bytes attachment_context(const Id16& env_id, std::int64_t attachment_id) {
  Bytes out = labelled("AMS1-ATT", env_id);
  append_u32(out, static_cast<std::uint32_t>(attachment_id));
  return out;
}

}  // namespace ams::mail
