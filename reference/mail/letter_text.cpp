#include "mail/letter_text.h"

#include "crypto/secret_text.h"
#include "mail/layout.h"
#include "wire/writer.h"

namespace ams::mail {
namespace {

constexpr std::size_t proof_size_usual = 4'096;
constexpr std::size_t member_overhead = 64;  // bytes around a text: names, quotes, a few escapes

void write_strings(wire::Writer& out, const std::vector<std::string>& strings) {
  out.begin_array();
  for (const std::string& each : strings) out.string(each);
  out.end_array();
}

void write_from(wire::Writer& out, const LetterSource& source) {
  out.begin_object();
  out.name("addr");
  out.string(source.draft.from);
  out.name("binding");
  out.value(source.binding);
  out.name("fp");
  out.base64url(source.sender.fp);
  out.name("kid");
  out.string(to_uuid_text(source.sender.kid));
  out.end_object();
}

void write_key(wire::Writer& out, ByteView key) {
  crypto::write_secret_text(key, out.string_place(base64url_size(key.size())));
}

void write_attachment(wire::Writer& out, const AttachmentInfo& attachment, bool with_key) {
  out.begin_object();
  out.name("blob");
  out.base64url(attachment.blob);
  out.name("id");
  out.integer(attachment.id);
  if (with_key) {
    out.name("key");
    write_key(out, attachment.key.view());
  }
  out.name("name");
  out.string(attachment.name);
  out.name("size");
  out.integer(static_cast<std::int64_t>(attachment.size));
  out.name("type");
  out.string(attachment.type);
  out.end_object();
}

bool has_members(const wire::Value& value) {
  return value.is_object() && !value.as_object().empty();
}

/// What the whole letter has and leaf 0 has not.
struct Rest {
  std::span<const AttachmentInfo> attachments;
  ByteView fk;
  struct Range {
    std::size_t begin, end;
  };
  std::vector<Range> parts;  // filled in
};

void write_attachments(wire::Writer& out, const Rest& rest) {
  out.name("att");
  out.begin_array();
  for (const AttachmentInfo& each : rest.attachments) write_attachment(out, each, true);
  out.end_array();
}

void write_parts(wire::Writer& out, const std::vector<Part>& parts, Rest& rest) {
  out.name("parts");
  out.begin_array();
  for (const Part& part : parts) {
    const std::size_t comma = rest.parts.empty() ? 0 : 1;
    const std::size_t begin = out.size() + comma;
    out.begin_object();
    out.name("text");
    out.string(part.text);
    out.name("type");
    out.string(part.type);
    out.end_object();
    rest.parts.push_back({begin, out.size()});
  }
  out.end_array();
}

void write_optional_id(wire::Writer& out, std::string_view name, const std::optional<Id16>& id) {
  if (!id) return;
  out.name(name);
  out.base64url(*id);
}

/// Members in the order of their names (ENC-5). A null `rest`: leaf 0 alone.
void write_letter(wire::Writer& out, const LetterSource& source, Rest* rest) {
  const Draft& draft = source.draft;
  out.begin_object();
  out.name("ams");
  out.string("letter/1");
  if (rest != nullptr) write_attachments(out, *rest);
  out.name("cc");
  write_strings(out, draft.cc);
  out.name("date");
  out.integer(draft.date);
  out.name("deliver_to");
  write_strings(out, draft.deliver_to);
  if (rest != nullptr) {
    out.name("fk");
    write_key(out, rest->fk);
  }
  out.name("from");
  write_from(out, source);
  write_optional_id(out, "in_reply_to", draft.in_reply_to);
  out.name("mid");
  out.base64url(source.mid);
  if (rest != nullptr) write_parts(out, draft.parts, *rest);
  if (rest != nullptr && has_members(source.proof)) {
    out.name("proof");
    out.value(source.proof);
  }
  if (draft.reply_to_addr) {
    out.name("reply_to_addr");
    out.string(*draft.reply_to_addr);
  }
  out.name("subject");
  out.string(draft.subject);
  write_optional_id(out, "thread", draft.thread);
  out.name("to");
  write_strings(out, draft.to);
  out.end_object();
}

/// Enough for nearly every leaf 0; more is allowed.
std::size_t leaf0_size_hint(const Draft& draft) {
  std::size_t out = 1024 + draft.subject.size();
  for (const auto* list : {&draft.deliver_to, &draft.to, &draft.cc})
    for (const std::string& each : *list) out += each.size() + 3;
  return out;
}

std::size_t letter_size_hint(const LetterSource& source) {
  const Draft& draft = source.draft;
  std::size_t out = leaf0_size_hint(draft);
  if (has_members(source.proof)) out += proof_size_usual;
  for (const Part& part : draft.parts)
    out += part.text.size() + part.text.size() / 16 + part.type.size() + member_overhead;
  for (const Attachment& each : draft.attachments)
    out += each.name.size() + each.type.size() + 4 * member_overhead;
  return out;
}

}  // namespace

Bytes leaf0_text(const LetterSource& source) {
  Bytes out;
  wire::Writer writer(out, leaf0_size_hint(source.draft));
  write_letter(writer, source, nullptr);
  writer.finish();
  return out;
}

LetterText letter_text(const LetterSource& source, std::span<const AttachmentInfo> attachments,
                       ByteView fk) {
  Rest rest{attachments, fk, {}};
  Bytes out = begin_layout(LengthField::u32, letter_size_hint(source));
  wire::Writer writer(out, letter_size_hint(source));
  write_letter(writer, source, &rest);
  writer.finish();
  finish_layout(out, LengthField::u32);
  LetterText text{crypto::Secret::adopt(std::move(out)), {}};
  for (const Rest::Range& part : rest.parts)
    text.parts.push_back(text.laid_out.view().subspan(part.begin, part.end - part.begin));
  return text;
}

Bytes attachment_leaf_text(const AttachmentInfo& attachment) {
  Bytes out;
  wire::Writer writer(out, attachment.name.size() + attachment.type.size() + 4 * member_overhead);
  write_attachment(writer, attachment, false);
  writer.finish();
  return out;
}

}  // namespace ams::mail
