#include "adapter/ops.h"

#include <algorithm>

#include "keys/lineage.h"
#include "mail/objects.h"
#include "wire/address.h"
#include "wire/frame.h"
#include "wire/message.h"

namespace ams::adapter {
namespace {

// --- encoding and framing ------------------------------------------------------------------------
Answer codec_decode(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  return Json{{"canonical_b64", to_base64url(wire::encode(value))}};
}

Answer codec_canonicalise(const Args& args) {
  AMS_TRY(const wire::Value value, wire::decode_any_form(args.bytes("raw_b64")));
  return Json{{"canonical_b64", to_base64url(wire::encode(value))}};
}

Answer frame_parse(const Args& args) {
  const Bytes raw = args.bytes("raw_b64");
  AMS_TRY(const auto frame, wire::parse_frame(raw));
  if (!frame) return Json{{"more", true}};
  return Json{{"kind", static_cast<int>(frame->kind)},
              {"payload_b64", to_base64url(frame->payload)},
              {"consumed", frame->consumed}};
}

Answer payload_shape(const Args& args) {
  AMS_TRY(const wire::Message message, wire::decode_message(args.bytes("raw_b64")));
  const auto* answer = std::get_if<wire::Answer>(&message);
  const char* shape = std::holds_alternative<wire::Request>(message) ? "request"
                      : answer == nullptr                            ? "event"
                      : answer->is_ok()                              ? "answer"
                                                                     : "error";
  return Json{{"shape", shape}};
}

Answer address_parse(const Args& args) {
  AMS_TRY(const wire::Address address, wire::parse_address(args.text("addr")));
  return Json{{"local", address.local}, {"domain", address.domain}};
}

// --- keys ----------------------------------------------------------------------------------------
Answer key_verify(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  if (args.has("fp") && !args.has("kid")) throw Fault("fp: goes with kid only");
  const auto parsed =
      args.has("fp")    ? keys::KeyRecord::parse_as(value, {args.kid("kid"), args.fixed<32>("fp")})
      : args.has("kid") ? keys::KeyRecord::parse_as(value, args.kid("kid"))
                        : keys::KeyRecord::parse(value);
  AMS_TRY(const keys::KeyRecord record, parsed);
  return Json{{"kid", to_uuid_text(record.id().kid)}, {"fp", to_base64url(record.id().fp)}};
}

Answer key_usable(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const keys::KeyRecord record, keys::KeyRecord::parse(value));
  AMS_CHECK(record.valid_at(args.instant("now")));
  return Json{{"kid", to_uuid_text(record.id().kid)}, {"fp", to_base64url(record.id().fp)}};
}

// --- what a key's owner says after the record ----------------------------------------------------
Result<keys::KeyRecord> record_of(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("record_b64"));
  return keys::KeyRecord::parse(value);
}

Answer event_verify(const Args& args) {
  AMS_TRY(const keys::KeyRecord record, record_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const keys::KeyEvent event, keys::KeyEvent::parse(value, record));
  return Json{{"seq", event.seq},
              {"type", event.type == keys::EventType::tombstone ? "tombstone" : "supersede"},
              {"hash", to_base64url(event.hash)}};
}

Answer revocation_verify(const Args& args) {
  AMS_TRY(const keys::KeyRecord record, record_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_CHECK(keys::verify_revocation(value, record));
  return Json{{"kid", to_uuid_text(record.id().kid)}};
}

Answer card_stub_verify(const Args& args) {
  AMS_TRY(const keys::KeyRecord record, record_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const keys::Card card, keys::Card::parse_stub(value, record));
  return Json{{"cseq", card.cseq}, {"hash", to_base64url(card.hash)}};
}

Answer card_verify(const Args& args) {
  AMS_TRY(const keys::KeyRecord record, record_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const keys::Card card, keys::Card::parse(value, record));
  return Json{{"cseq", card.cseq}, {"erased", card.erased()}, {"hash", to_base64url(card.hash)}};
}

Result<keys::Entry> entry_of(const Args& args) {
  AMS_TRY(keys::KeyRecord record, record_of(args));
  keys::Entry entry(std::move(record));
  for (const Bytes& object : args.list("objects_b64")) {
    AMS_TRY(const wire::Value value, wire::decode(object));
    AMS_CHECK(entry.add(value));
  }
  return entry;
}

Json entry_json(const keys::Entry& entry) {
  Json out{{"state", keys::name(entry.state())}, {"value", to_base64url(entry.value())}};
  if (const auto successor = entry.successor()) out["successor"] = to_uuid_text(successor->kid);
  return out;
}

Answer entry_judge(const Args& args) {
  AMS_TRY(const keys::Entry entry, entry_of(args));
  return entry_json(entry);
}

Answer entry_usable(const Args& args) {
  AMS_TRY(const keys::Entry entry, entry_of(args));
  AMS_CHECK(entry.usable());
  return entry_json(entry);
}

Answer domain_verify(const Args& args) {
  AMS_TRY(const keys::Chain chain, chain_of(args));
  const keys::PolicyTerms& terms = args.has("now")
                                       ? keys::policy_at(chain.record, args.instant("now"))
                                       : chain.record.policy.terms;
  return Json{{"domain", chain.record.domain},
              {"policy", keys::name(terms.mode)},
              {"seq", chain.record.seq},
              {"op_kid", to_uuid_text(chain.op.id().kid)}};
}

Answer binding_verify(const Args& args) {
  AMS_TRY(const keys::Chain chain, chain_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const keys::Binding binding, keys::verify_binding(value, chain));
  return Json{{"addr", binding.addr},
              {"kid", to_uuid_text(binding.key.kid)},
              {"fp", to_base64url(binding.key.fp)},
              {"version", binding.version},
              {"custody", keys::name(binding.custody)}};
}

/// The key that a sender seals to.
Answer recipient_judge(const Args& args) {
  AMS_TRY(const keys::Chain chain, chain_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const keys::Binding binding, keys::verify_binding(value, chain));
  AMS_TRY(const wire::Value key, args.value("key_b64"));
  AMS_TRY(const keys::KeyRecord record, keys::KeyRecord::parse_as(key, binding.key));
  const keys::PolicyTerms& in_force = keys::policy_at(chain.record, args.instant("now"));
  AMS_CHECK(keys::check_custody(binding, record, in_force));
  return Json{{"policy", keys::name(in_force.mode)},
              {"custody", keys::name(binding.custody)},
              {"kid", to_uuid_text(binding.sealed_to().kid)},
              {"fp", to_base64url(binding.sealed_to().fp)}};
}

// --- vouches and receipts ------------------------------------------------------------------------
Answer vouch_verify(const Args& args) {
  AMS_TRY(const keys::Chain chain, chain_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const wire::Value header, args.value("header_b64"));
  const std::string rdom = args.text("rdom");
  mail::VouchCover cover{
      mail::vouch_ehash(header, args.bytes("asig_b64")), chain.record.domain, rdom, {}};
  for (const Args& rcpt : args.objects("rcpts"))
    cover.rtags.push_back(mail::rtag(rcpt.fixed<16>("salt_b64"), rcpt.text("addr")));
  AMS_TRY(const mail::Vouch vouch, mail::verify_vouch(value, chain, cover));
  return Json{{"sdom", vouch.sdom}, {"rdom", vouch.rdom}, {"day", vouch.day}};
}

Answer receipt_verify(const Args& args) {
  AMS_TRY(const keys::Chain chain, chain_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const mail::Receipt receipt, mail::verify_receipt(value, chain));
  return Json{{"accepted", receipt.accepted}, {"ehash", to_base64url(receipt.ehash)}};
}

Answer notice_verify(const Args& args) {
  AMS_TRY(const keys::Chain chain, chain_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const mail::Notice notice, mail::verify_notice(value, chain));
  return Json{
      {"failed", notice.failed}, {"code", code_info(notice.code).name}, {"addr", notice.addr}};
}

}  // namespace

namespace {

/// The domain that a chain claims to be, when the suite does not ask for one.
std::string asked_domain(const Args& args, const wire::Value& chain) {
  if (args.has("domain")) return args.text("domain");
  const wire::Value* record = chain.find("record");
  const wire::Value* domain = record == nullptr ? nullptr : record->find("domain");
  return domain != nullptr && domain->is_string() ? domain->as_string() : std::string();
}

}  // namespace

Result<keys::Chain> chain_of(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("chain_b64"));
  const keys::KeyId root{args.kid("root_kid"), args.fixed<32>("root_fp")};
  return keys::verify_chain(value, asked_domain(args, value), root);
}

const std::vector<Op>& ops() {
  static const std::vector<Op> table = [] {
    std::vector<Op> out{
        {"address.parse", address_parse},
        {"binding.verify", binding_verify},
        {"card.verify", card_verify},
        {"cardstub.verify", card_stub_verify},
        {"codec.canonicalise", codec_canonicalise},
        {"codec.decode", codec_decode},
        {"domain.verify", domain_verify},
        {"entry.judge", entry_judge},
        {"entry.usable", entry_usable},
        {"event.verify", event_verify},
        {"frame.parse", frame_parse},
        {"key.usable", key_usable},
        {"key.verify", key_verify},
        {"notice.verify", notice_verify},
        {"payload.shape", payload_shape},
        {"receipt.verify", receipt_verify},
        {"recipient.judge", recipient_judge},
        {"revocation.verify", revocation_verify},
        {"vouch.verify", vouch_verify},
    };
    for (const auto& more : {message_ops(), crypto_ops(), bindlog_ops(), keystore_ops(),
                             keyfile_ops(), verifiable_ops(), directory_ops()})
      out.insert(out.end(), more.begin(), more.end());
    std::sort(out.begin(), out.end(), [](const Op& a, const Op& b) { return a.name < b.name; });
    return out;
  }();
  return table;
}

}  // namespace ams::adapter
