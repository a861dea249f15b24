// Events, revocations and cards, each judged alone (spec KEV, REV, CRD).
#include "keys/lineage.h"

#include <algorithm>

#include "policy/mutant.h"
#include "wire/sigform.h"

namespace ams::keys {
namespace {

using std::string_view_literals::operator""sv;

Hash tagged_hash(std::string_view prefix, const wire::Value& value) {
  Bytes input = to_bytes(prefix);
  append(input, wire::encode_without(value, "sig"));
  return crypto::sha256(input);
}

/// Size first: nothing of an object that is too large is worth a look.
Result<> check_size(const wire::Value& value, std::size_t max, std::string_view where) {
  if (!value.is_object())
    return fail(mutant("keys.wrong_code_no_object") ? Code::unknown_ams_tag : Code::schema, where);
  if (wire::encode(value).size() > max && !mutant("keys.skip_object_size"))
    return fail(Code::object_too_large, where);
  return {};
}

std::optional<KeyId> read_successor(const wire::Value& data, EventType type,
                                    wire::ObjectReader& outer) {
  wire::ObjectReader in(data, "event.data");
  std::optional<KeyId> out;
  if (type == EventType::supersede && data.is_object() && !data.as_object().empty()) {
    out.emplace();
    out->kid = in.uuid("kid");
    out->fp = in.bytes<32>("fp");
  }
  outer.include(in.finish());
  return out;
}

Result<KeyEvent> read_event(const wire::Value& value, Id16& kid) {
  wire::ObjectReader in(value, "event");
  KeyEvent out;
  in.tag("kev/1");
  kid = in.uuid("kid");
  out.seq = in.integer("seq", 1, events_max);
  out.prev = in.bytes<32>("prev");
  const std::string type = in.string("type");
  in.require(type == "supersede" || type == "tombstone", Code::schema, "event.type");
  out.type = type == "tombstone" ? EventType::tombstone : EventType::supersede;
  out.at = in.integer("at");
  out.successor = read_successor(in.any("data"), out.type, in);
  in.binary("sig", 1, signature_size_max);
  AMS_CHECK(in.finish());
  return out;
}

/// One line of text: what could forge a second line, or move a terminal's cursor, is refused.
bool is_plain(std::string_view text, bool lines) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n' && lines) continue;
    if (c < 0x20 || c == 0x7f) return false;
    // U+0080 to U+009F, in valid UTF-8
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0)
      return false;
  }
  return true;
}

Result<Card> read_card(const wire::Value& value, Id16& kid) {
  wire::ObjectReader in(value, "card");
  Card out;
  in.tag("card/1");
  kid = in.uuid("kid");
  out.cseq = in.integer("cseq", 1);
  const auto salt = in.optional_binary("salt", 16, 16);
  const auto text = [&in](std::string_view name, std::string_view where, bool lines) {
    auto read = in.optional_string(name, card_size_max);
    in.require(!read || is_plain(*read, lines) || mutant("keys.accept_card_control"), Code::schema,
               where);
    return read;
  };
  out.name = text("name", "card.name", false);
  out.email = text("email", "card.email", false);
  out.org = text("org", "card.org", false);
  out.desc = text("desc", "card.desc", true);
  in.binary("sig", 1, signature_size_max);
  AMS_CHECK(in.finish());
  if (salt.has_value() == out.erased() && !mutant("keys.accept_card_salt"))
    return fail(Code::schema, "card.salt");  // CRD-2
  if (salt) out.salt = to_array<16>(*salt).value_or(Id16{});
  return out;
}

/// What the key signs of a card (CRD-7).
wire::Value stub_of(const wire::Value& card, std::int64_t cseq, const Hash& hash) {
  wire::Object out{{"ams", "cardstub/1"}, {"cseq", cseq}, {"hash", to_base64url(hash)}};
  for (const char* member : {"kid", "sig"})
    if (const wire::Value* given = card.find(member)) out.emplace(member, *given);
  return wire::Value(std::move(out));
}

Hash card_hash(const wire::Value& card) { return tagged_hash("AMS-CARD/1\0"sv, card); }

}  // namespace

// --- events (KEV) -------------------------------------------------------------------------------

Result<KeyEvent> KeyEvent::parse(const wire::Value& value, const KeyRecord& key) {
  AMS_CHECK(check_size(value, event_size_max, "event"));
  Id16 kid{};
  AMS_TRY(KeyEvent out, read_event(value, kid));
  if (out.successor) {
    if (kid_of(out.successor->fp) != out.successor->kid && !mutant("keys.skip_successor_kid"))
      return fail(Code::kid_mismatch, "event.data");
    if (out.successor->fp == key.id().fp && !mutant("keys.accept_own_successor"))
      return fail(Code::schema, "event.data.fp");
  }
  if (kid != key.id().kid && !mutant("keys.skip_event_kid"))
    return fail(Code::kid_mismatch, "event.kid");
  if (!mutant("keys.skip_event_signature")) AMS_CHECK(verify_object(value, key.signing()));
  out.hash = tagged_hash("AMS-EVENT/1\0"sv, value);
  out.value = value;
  return out;
}

Result<wire::Value> make_event(const KeyPair& pair, std::int64_t seq, const Hash& prev,
                               const EventDraft& draft) {
  wire::Object data;
  if (draft.successor) {
    data.emplace("kid", to_uuid_text(draft.successor->kid));
    data.emplace("fp", to_base64url(draft.successor->fp));
  }
  return sign_object(
      wire::Object{
          {"ams", "kev/1"},
          {"kid", to_uuid_text(pair.record.id().kid)},
          {"seq", seq},
          {"prev", to_base64url(prev)},
          {"type", draft.type == EventType::tombstone ? "tombstone" : "supersede"},
          {"at", draft.at},
          {"data", std::move(data)},
      },
      pair.signing);
}

// --- revocations (REV) --------------------------------------------------------------------------

Result<wire::Value> make_revocation(const KeyPair& pair) {
  return sign_object(
      wire::Object{
          {"ams", "rev/1"},
          {"kid", to_uuid_text(pair.record.id().kid)},
          {"fp", to_base64url(pair.record.id().fp)},
      },
      pair.signing);
}

Result<> verify_revocation(const wire::Value& value, const KeyRecord& key) {
  AMS_CHECK(check_size(value, revocation_size_max, "revocation"));
  wire::ObjectReader in(value, "revocation");
  in.tag("rev/1");
  const Id16 kid = in.uuid("kid");
  const Hash fp = in.bytes<32>("fp");
  in.binary("sig", 1, signature_size_max);
  AMS_CHECK(in.finish());
  if (kid != key.id().kid && !mutant("keys.skip_revocation_kid"))
    return fail(Code::kid_mismatch, "revocation.kid");
  if (fp != key.id().fp && !mutant("keys.skip_revocation_fp"))
    return fail(Code::fp_mismatch, "revocation.fp");
  if (mutant("keys.skip_revocation_signature")) return {};
  return verify_object(value, key.signing());
}

// --- cards (CRD) --------------------------------------------------------------------------------

Result<Card> Card::parse(const wire::Value& value, const KeyRecord& key) {
  AMS_CHECK(check_size(value, card_size_max, "card"));
  Id16 kid{};
  AMS_TRY(Card out, read_card(value, kid));
  if (kid != key.id().kid && !mutant("keys.skip_card_kid"))
    return fail(Code::kid_mismatch, "card.kid");
  if (!out.erased()) out.hash = card_hash(value);
  if (!mutant("keys.skip_card_signature"))
    AMS_CHECK(verify_object(stub_of(value, out.cseq, out.hash), key.signing()));
  out.value = value;
  return out;
}

Result<Card> Card::parse_stub(const wire::Value& value, const KeyRecord& key) {
  AMS_CHECK(check_size(value, card_size_max, "cardstub"));
  wire::ObjectReader in(value, "cardstub");
  Card out;
  in.tag("cardstub/1");
  const Id16 kid = in.uuid("kid");
  out.cseq = in.integer("cseq", 1);
  out.hash = in.bytes<32>("hash");
  in.binary("sig", 1, signature_size_max);
  AMS_CHECK(in.finish());
  if (out.hash == Hash{} && !mutant("keys.accept_erased_stub"))
    return fail(Code::schema, "cardstub.hash");  // an erasure has nothing that could be dropped
  if (kid != key.id().kid && !mutant("keys.skip_stub_kid"))
    return fail(Code::kid_mismatch, "cardstub.kid");
  if (!mutant("keys.skip_stub_signature")) AMS_CHECK(verify_object(value, key.signing()));
  out.dropped = true;
  out.value = value;
  return out;
}

bool Card::beats(const Card& other) const {
  if (cseq != other.cseq) return cseq > other.cseq;
  if (erased() != other.erased()) return erased() != mutant("keys.card_beats_erasure");
  if (hash == other.hash) return other.dropped && !dropped && !mutant("keys.keep_stub");
  return hash < other.hash;
}

Card Card::stub() const {
  if (erased() || dropped) return *this;
  Card out;
  out.cseq = cseq;
  out.hash = hash;
  out.dropped = true;
  out.value = stub_of(value, cseq, hash);
  return out;
}

Result<wire::Value> make_card(const KeyPair& pair, const Card& card) {
  wire::Object out{
      {"ams", "card/1"},
      {"kid", to_uuid_text(pair.record.id().kid)},
      {"cseq", card.cseq},
  };
  if (!card.erased()) out.emplace("salt", to_base64url(card.salt));
  if (card.name) out.emplace("name", *card.name);
  if (card.email) out.emplace("email", *card.email);
  if (card.org) out.emplace("org", *card.org);
  if (card.desc) out.emplace("desc", *card.desc);
  const wire::Value unsigned_card(out);
  const Hash hash = card.erased() ? Hash{} : card_hash(unsigned_card);
  wire::Value stub = stub_of(unsigned_card, card.cseq, hash);
  AMS_TRY(const wire::Value signed_stub, sign_object(std::move(stub.as_object()), pair.signing));
  out.emplace("sig", *signed_stub.find("sig"));
  return wire::Value(std::move(out));
}

}  // namespace ams::keys
