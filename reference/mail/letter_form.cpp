#include "mail/letter_form.h"

#include "bindlog/proof.h"
#include "crypto/secret_text.h"
#include "mail/elements.h"
#include "policy/mutant.h"
#include "wire/address.h"
#include "wire/utf8.h"

namespace ams::mail {
namespace {

Result<> read_from(const wire::Value& value, LetterForm& out) {
  wire::ObjectReader in(value, "from");
  out.letter.from = read_address(in, "addr");
  out.letter.sender.kid = in.uuid("kid");
  out.letter.sender.fp = in.bytes<32>("fp");
  out.binding = in.any("binding");
  in.require(out.binding.is_object(), Code::schema, "binding");
  return in.finish();
}

void read_leaf0(wire::ObjectReader& in, LetterForm& out, std::size_t deliver_to_min) {
  Opened& letter = out.letter;
  in.tag("letter/1");
  letter.mid = in.bytes<16>("mid");
  in.include(read_from(in.any("from"), out));
  letter.deliver_to = read_addresses(in, "deliver_to", deliver_to_min, addresses_max);
  letter.to = read_addresses(in, "to", 0, addresses_max);
  letter.cc = read_addresses(in, "cc", 0, addresses_max);
  letter.date = in.integer("date");
  letter.subject = in.string("subject", subject_size_max);
  if (const auto id = in.optional_binary("in_reply_to", 16, 16))
    letter.in_reply_to = to_array<16>(*id);
  if (const auto id = in.optional_binary("thread", 16, 16)) letter.thread = to_array<16>(*id);
  letter.reply_to_addr = in.optional_string("reply_to_addr");
  in.require(!letter.reply_to_addr || wire::parse_address(*letter.reply_to_addr).has_value(),
             Code::address_syntax, "reply_to_addr");
}

Result<> read_part(const wire::Value& value, Opened& letter) {
  wire::ObjectReader in(value, "part");
  Part part;
  part.type = in.string("type", type_size_max);
  part.text = in.string("text", text_size_max);
  letter.parts.push_back(std::move(part));
  return in.finish();
}

/// A key of 32 bytes. What is no key's text is read again, for the reason of its refusal.
crypto::Secret read_key(wire::ObjectReader& in, std::string_view name) {
  const wire::Value* const member = in.optional(name);
  crypto::Secret out(32);
  if (member != nullptr && member->is_string() &&
      crypto::read_secret_text(member->as_string(), out))
    return out;
  return crypto::Secret::adopt(in.binary(name, out.size(), out.size()));
}

Result<> read_attachment(const wire::Value& value, Opened& letter) {
  wire::ObjectReader in(value, "att");
  AttachmentInfo info;
  const auto next_id = static_cast<std::int64_t>(letter.attachments.size());
  info.id = in.integer("id", next_id, next_id);
  info.name = in.string("name", name_size_max);
  info.type = in.string("type", type_size_max);
  info.size = static_cast<std::uint64_t>(in.integer("size"));
  info.blob = in.bytes<32>("blob");
  info.key = read_key(in, "key");
  letter.attachments.push_back(std::move(info));
  return in.finish();
}

Result<> check_text(std::string_view text, std::size_t size_max, std::string_view where) {
  if (text.size() > size_max) return fail(Code::object_too_large, where);
  if (!wire::is_utf8(text)) return fail(Code::utf8, where);
  return {};
}

Result<> check_addresses(const std::vector<std::string>& addresses, std::string_view where) {
  if (addresses.size() > addresses_max) return fail(Code::object_too_large, where);
  for (const std::string& addr : addresses)
    if (!wire::parse_address(addr)) return fail(Code::address_syntax, where);
  return {};
}

}  // namespace

Result<LetterForm> parse_letter(const wire::Value& value) {
  wire::ObjectReader in(value, "letter");
  LetterForm out;
  read_leaf0(in, out, 1);
  for (const wire::Value& part : in.array("parts", parts_max))
    in.include(read_part(part, out.letter));
  for (const wire::Value& attachment : in.array("att", parts_max))
    in.include(read_attachment(attachment, out.letter));
  if (const wire::Value* proof = in.optional("proof")) {
    in.require(proof->is_object(), Code::schema, "proof");
    out.proof = *proof;
  }
  out.fk = read_key(in, "fk");
  AMS_CHECK(in.finish());
  return out;
}

Result<LetterForm> parse_leaf0(const wire::Value& value) {
  wire::ObjectReader in(value, "head");
  LetterForm out;
  read_leaf0(in, out, 0);
  AMS_CHECK(in.finish());
  return out;
}

wire::Value part_value(const Part& part) {
  return wire::Object{{"type", part.type}, {"text", part.text}};
}

Result<> check_draft(const Draft& draft) {
  if (!wire::parse_address(draft.from)) return fail(Code::address_syntax, "from");
  if (draft.deliver_to.empty()) return fail(Code::schema, "deliver_to");
  AMS_CHECK(check_addresses(draft.deliver_to, "deliver_to"));
  AMS_CHECK(check_addresses(draft.to, "to"));
  AMS_CHECK(check_addresses(draft.cc, "cc"));
  if (draft.date < 0 || draft.date > wire::integer_max) return fail(Code::schema, "date");
  AMS_CHECK(check_text(draft.subject, subject_size_max, "subject"));
  if (draft.reply_to_addr && !wire::parse_address(*draft.reply_to_addr))
    return fail(Code::address_syntax, "reply_to_addr");
  if (draft.parts.size() > parts_max) return fail(Code::object_too_large, "parts");
  for (const Part& part : draft.parts) {
    AMS_CHECK(check_text(part.type, type_size_max, "type"));
    AMS_CHECK(check_text(part.text, text_size_max, "text"));
  }
  if (draft.attachments.size() > parts_max) return fail(Code::object_too_large, "att");
  for (const Attachment& attachment : draft.attachments) {
    AMS_CHECK(check_text(attachment.name, name_size_max, "name"));
    AMS_CHECK(check_text(attachment.type, type_size_max, "type"));
  }
  return {};
}

Result<> check_from(const LetterForm& form, const Header& header, const keys::Chain& chain) {
  if (mutant("mail.skip_from_binding")) return {};
  const Opened& letter = form.letter;
  const auto addr = wire::parse_address(letter.from);
  if (!addr || addr->domain != header.sdom) return fail(Code::from_binding, "sdom");
  if (letter.sender != header.sender) return fail(Code::from_binding, "skid and sfp");
  if (chain.record.domain != header.sdom) return fail(Code::from_binding, "chain");
  const auto binding = keys::verify_binding(form.binding, chain);
  if (!binding) return fail(Code::from_binding, binding.error().where);
  if (binding->addr != letter.from || binding->key != letter.sender)
    return fail(Code::from_binding, "binding");
  return {};
}

Result<> check_proof(const LetterForm& form, const Header& header, const keys::Chain& chain,
                     bindlog::Labels* labels) {
  if (!chain.record.log || mutant("mail.skip_from_proof")) return {};
  const auto refuse = [](std::string_view where) { return fail(Code::from_proof, where); };
  if (!form.proof) return refuse("proof");
  if (wire::encode(*form.proof).size() > proof_size_max && !mutant("mail.skip_proof_size"))
    return refuse("proof: size");
  const auto log = bindlog::identity_of(chain.record, labels);
  if (!log) return refuse("chain");
  const auto proven = bindlog::verify_proof(*form.proof, form.letter.from, *log);
  if (!proven) return refuse(proven.error().where);
  const bool in_time = bindlog::holds_at(proven->head.epoch, header.ts).has_value();
  if (!in_time && !mutant("mail.skip_proof_time")) return refuse("proof: epoch");
  const auto binding = keys::parse_binding(form.binding);
  if (!binding) return refuse("binding");
  if (!bindlog::agrees(proven->entry, *binding) && !mutant("mail.skip_proof_match"))
    return refuse("proof: entry");
  return {};
}

}  // namespace ams::mail
