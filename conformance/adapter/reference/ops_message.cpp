// Messages, their parts, and sealed files.
#include "adapter/ops.h"
#include "container/container.h"
#include "mail/franking.h"
#include "mail/letter_form.h"
#include "mail/wrap.h"

namespace ams::adapter {
namespace {

/// What a reader holds before a message comes; its members are borrowed by context().
struct Reader {
  std::string addr;
  keys::KeyRecord own, sender;
  crypto::DecryptionKey key;
  keys::Chain chain;
  mail::OpenContext context() const { return {addr, &own, &key, &sender, &chain}; }
};

Result<Reader> reader_of(const Args& args) {
  AMS_TRY(const wire::Value own_value, args.value("own_record_b64"));
  AMS_TRY(keys::KeyRecord own, keys::KeyRecord::parse(own_value));
  AMS_TRY(const wire::Value sender_value, args.value("sender_record_b64"));
  AMS_TRY(keys::KeyRecord sender, keys::KeyRecord::parse(sender_value));
  AMS_TRY(keys::Chain chain, chain_of(args));
  auto key =
      crypto::DecryptionKey::from_private(own.encryption().kem(), args.bytes("own_private_b64"));
  if (!key) throw Fault("own_private_b64: no private key for own_record");
  return Reader{args.text("reader"), std::move(own), std::move(sender), std::move(*key),
                std::move(chain)};
}

Json attachment_json(const mail::AttachmentInfo& info) {
  return {{"id", info.id},
          {"name", info.name},
          {"type", info.type},
          {"size", info.size},
          {"blob", to_base64url(info.blob)},
          {"key_b64", to_base64url(info.key.view())}};
}

Json letter_json(const mail::Opened& letter) {
  Json parts = Json::array();
  for (const mail::Part& part : letter.parts)
    parts.push_back({{"type", part.type}, {"text", part.text}});
  Json attachments = Json::array();
  for (const auto& info : letter.attachments) attachments.push_back(attachment_json(info));
  return {{"mid", to_base64url(letter.mid)},
          {"from", letter.from},
          {"deliver_to", letter.deliver_to},
          {"to", letter.to},
          {"cc", letter.cc},
          {"date", letter.date},
          {"subject", letter.subject},
          {"parts", parts},
          {"att", attachments}};
}

Answer letter_judge(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const mail::LetterForm form, mail::parse_letter(value));
  const std::vector<Bytes> leaves = mail::leaves_of(value);
  return Json{{"mid", to_base64url(form.letter.mid)},
              {"leaves", leaves.size()},
              {"fc_b64", to_base64url(mail::franking_commitment(form.fk.view(), leaves))}};
}

Answer header_judge(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("header_b64"));
  AMS_TRY(const mail::Header header, mail::parse_header(value));
  AMS_CHECK(mail::in_force(header, args.instant("now")));
  return Json{{"ehash_b64", to_base64url(mail::ehash(value))},
              {"h0_b64", to_base64url(mail::h0(value))}};
}

/// A reader asks for the chain of sdom, so one of another domain is refused as such; here the
/// suite gives it before the header is known to hold, so this is seen only once all before
/// from_binding did.
template <class T>
Result<> judge_chain(const Result<T>& opened, const Reader& reader, const wire::Value& header) {
  const bool reached = opened || opened.error().code == Code::from_binding ||
                       opened.error().code == Code::deliver_to;
  if (!reached) return {};
  AMS_TRY(const mail::Header parsed, mail::parse_header(header));
  if (parsed.sdom != reader.chain.record.domain) return fail(Code::domain_record, "sdom");
  return {};
}

Answer message_open(const Args& args) {
  AMS_TRY(const Reader reader, reader_of(args));
  AMS_TRY(const wire::Value header, args.value("header_b64"));
  AMS_TRY(const wire::Value stanzas, args.value("stanzas_b64"));
  auto opened = mail::open_received(header, args.bytes("asig_b64"), stanzas, args.bytes("body_b64"),
                                    reader.context());
  AMS_CHECK(judge_chain(opened, reader, header));
  AMS_TRY(const mail::Opened letter, std::move(opened));
  return letter_json(letter);
}

Answer head_open(const Args& args) {
  AMS_TRY(const Reader reader, reader_of(args));
  AMS_TRY(const wire::Value header, args.value("header_b64"));
  AMS_TRY(const wire::Value stanzas, args.value("stanzas_b64"));
  auto opened = mail::open_received_head(header, args.bytes("asig_b64"), stanzas,
                                         args.bytes("head_b64"), reader.context());
  AMS_CHECK(judge_chain(opened, reader, header));
  AMS_TRY(const mail::OpenedHead head, std::move(opened));
  return Json{{"mid", to_base64url(head.mid)},
              {"from", head.from},
              {"subject", head.subject},
              {"date", head.date}};
}

Answer attachment_open(const Args& args) {
  AMS_TRY(const wire::Value header, args.value("header_b64"));
  mail::AttachmentInfo info;
  info.id = static_cast<std::int64_t>(args.number("id"));
  info.size = args.number("size");
  info.blob = args.fixed<32>("blob");
  info.key = crypto::Secret::copy_of(args.fixed<32>("key_b64"));
  AMS_TRY(const Bytes data, mail::open_attachment(header, info, args.bytes("sealed_b64")));
  return Json{{"data_b64", to_base64url(data)}};
}

// --- stanzas, leaves, containers -----------------------------------------------------------------
/// A reader's own record and the private half that the suite gives for it.
struct Own {
  keys::KeyRecord record;
  crypto::DecryptionKey key;
};

Result<Own> own_of(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("own_record_b64"));
  AMS_TRY(keys::KeyRecord record, keys::KeyRecord::parse(value));
  auto key =
      crypto::DecryptionKey::from_private(record.encryption().kem(), args.bytes("own_private_b64"));
  if (!key) throw Fault("own_private_b64: no private key for own_record");
  return Own{std::move(record), std::move(*key)};
}

Answer stanza_unwrap(const Args& args) {
  AMS_TRY(const Own own, own_of(args));
  AMS_TRY(const wire::Value value, args.value("stanzas_b64"));
  AMS_TRY(const std::vector<mail::Stanza> stanzas, mail::parse_stanzas(value));
  const auto aead = crypto::find_aead(args.text("aead"));
  if (!aead) return fail(Code::unknown_algorithm, "aead");
  mail::WrapHeader header{*aead, std::nullopt, args.fixed<32>("h0_b64")};
  if (args.has("epk_b64")) header.epk = args.fixed<32>("epk_b64");
  AMS_TRY(const crypto::Secret key, mail::unwrap_key(header, stanzas, own.record, own.key));
  return Json{{"key_b64", to_base64url(key.view())}};
}

Answer franking_make(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("letter_b64"));
  AMS_TRY(const mail::LetterForm form, mail::parse_letter(value));
  const std::vector<Bytes> leaves = mail::leaves_of(value);
  const std::uint64_t index = args.number("index");
  if (index >= leaves.size()) throw Fault("index: the letter has no such leaf");
  const mail::LeafOpening opening = mail::open_leaf(form.fk.view(), leaves, index);
  return Json{{"opening_b64", to_base64url(wire::encode(to_value(opening)))}};
}

Answer franking_open(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const mail::LeafOpening opening, mail::parse_leaf_opening(value));
  const auto leaves = static_cast<std::int64_t>(args.number("leaves"));
  AMS_CHECK(mail::check_leaf(opening, leaves, args.fixed<32>("fc_b64")));
  return Json{{"index", opening.index}, {"leaf_b64", to_base64url(opening.leaf)}};
}

Answer container_open(const Args& args) {
  AMS_TRY(const Own own, own_of(args));
  std::optional<keys::KeyRecord> sender;
  if (args.has("sender_record_b64")) {
    AMS_TRY(const wire::Value value, args.value("sender_record_b64"));
    AMS_TRY(sender, keys::KeyRecord::parse(value));
  }
  const auto known = [&](const keys::KeyId&) { return sender ? &*sender : nullptr; };
  container::Reader reader(
      {&own.record, &own.key, known, static_cast<std::int64_t>(args.number("now"))});
  Bytes plain;
  AMS_CHECK(reader.push(args.bytes("container_b64"), plain));
  AMS_CHECK(reader.finish());
  return Json{{"plain_b64", to_base64url(plain)},
              {"skid", to_uuid_text(reader.sender()->kid)},
              {"ts", reader.sealed_at()}};
}

}  // namespace

std::vector<Op> message_ops() {
  return {{"attachment.open", attachment_open},
          {"container.open", container_open},
          {"franking.make", franking_make},
          {"franking.open", franking_open},
          {"head.open", head_open},
          {"header.judge", header_judge},
          {"letter.judge", letter_judge},
          {"message.open", message_open},
          {"stanza.unwrap", stanza_unwrap}};
}

}  // namespace ams::adapter
