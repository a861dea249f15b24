// Goal: every mutant switch of this room really breaks its rule, and only when it is on. Method:
// for each switch a probe that tells whether the rule holds; it must hold with all switches off,
// fail with the switch on, and the switch must have been asked. Exit code: 0 all do, 1 otherwise.
#include <functional>

#include "keys/fingerprint.h"
#include "keys/lineage.h"
#include "keys/profiles.h"
#include "policy/probe.h"

namespace ams::keys {
namespace {

using mutants::Probe;

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t start_ms = 1'900'000'000'000;

KeyPair pair_of(std::uint8_t seed) {
  return make_modern(Bytes(80, seed), {.nbf = start_ms, .exp = start_ms + 9 * day_ms}).value();
}

const KeyPair& root() {
  static const KeyPair pair = pair_of(1);
  return pair;
}
const KeyPair& op() {
  static const KeyPair pair = pair_of(2);
  return pair;
}

/// The root's record with one member changed and a signature that fits (or does not).
wire::Value record_with(const char* name, const wire::Value& value, bool sign) {
  wire::Value out = root().record.value();
  out.as_object()[name] = value;
  if (!sign) return out;
  out.as_object().erase("sig");
  return sign_object(out, root().signing).value();
}

bool chain_refused(std::string_view asked, const crypto::SigningKey& signer, const KeyId& found) {
  const DomainRecord record{"a.example", root().record.id(), op().record.id(), isp_policy(), 1};
  const wire::Value signed_record = make_domain_record(record, signer).value();
  return !verify_chain(chain_value(signed_record, root().record, op().record), asked, found);
}

bool binding_refused(const std::string& addr, const crypto::SigningKey& signer) {
  const DomainRecord record{"a.example", root().record.id(), op().record.id(), isp_policy(), 1};
  const wire::Value chain =
      chain_value(make_domain_record(record, root().signing).value(), root().record, op().record);
  const Chain verified = verify_chain(chain, "a.example", root().record.id()).value();
  const Binding binding{addr, root().record.id(), 1, op().record.id().kid};
  return !verify_binding(make_binding(binding, signer).value(), verified);
}

// --- events, revocations, cards: objects with one fault, signed by the key that should or not ---
bool refused(const wire::Value& object, std::vector<wire::Value> before = {}) {
  Entry entry(root().record);
  for (const wire::Value& taken : before)
    if (!entry.add(taken)) return false;
  return !entry.add(object);
}
wire::Value changed(wire::Value object, const char* name, const wire::Value& value,
                    const crypto::SigningKey* signer) {
  object.as_object()[name] = value;
  if (signer == nullptr) return object;
  object.as_object().erase("sig");
  if (*object.find("ams") != wire::Value("card/1")) return sign_object(object, *signer).value();
  // CRD-7: of a card its stub is signed.
  Bytes text = to_bytes(std::string_view("AMS-CARD/1\0", 11));
  append(text, wire::encode(object));
  const Hash hash = object.find("name") != nullptr ? crypto::sha256(text) : Hash{};
  const wire::Value stub = sign_object(wire::Object{{"ams", "cardstub/1"},
                                                    {"cseq", *object.find("cseq")},
                                                    {"hash", to_base64url(hash)},
                                                    {"kid", *object.find("kid")}},
                                       *signer)
                               .value();
  object.as_object().emplace("sig", *stub.find("sig"));
  return object;
}
wire::Value event(std::int64_t at = start_ms, std::optional<KeyId> successor = {}) {
  return make_event(root(), 1, root().record.id().fp, {EventType::supersede, at, successor})
      .value();
}
wire::Value tombstone() {
  return make_event(root(), 1, root().record.id().fp, {EventType::tombstone, start_ms, {}}).value();
}
wire::Value card(std::int64_t cseq, std::optional<std::string> name) {
  Card out;
  out.cseq = cseq;
  out.name = std::move(name);
  return make_card(root(), out).value();
}
wire::Value stub(const wire::Value& card) {
  return Card::parse(card, root().record).value().stub().value;
}
const crypto::SigningKey* own() { return &root().signing; }

std::vector<Probe> lineage_probes() {
  const KeyId id = root().record.id(), other = op().record.id();
  const wire::Value other_kid = to_uuid_text(other.kid);
  return {
      {"keys.skip_object_size",
       [] {
         const auto value = changed(event(), "zz", std::string(5'000, 'a'), own());
         return KeyEvent::parse(value, root().record).error().code == Code::object_too_large;
       }},
      {"keys.skip_successor_kid",
       [=] {
         return refused(event(start_ms, KeyId{id.kid, other.fp}));
       }},
      {"keys.accept_own_successor", [=] { return refused(event(start_ms, id)); }},
      {"keys.skip_event_kid", [=] { return refused(changed(event(), "kid", other_kid, own())); }},
      {"keys.skip_event_signature", [] { return refused(changed(event(), "at", 1, nullptr)); }},
      {"keys.skip_event_chain", [] { return refused(make_event(root(), 1, Hash{}, {}).value()); }},
      {"keys.first_event_wins",
       [] {
         Entry entry(root().record);
         return entry.add(event()) && entry.add(tombstone()) && entry.state() == KeyState::conflict;
       }},
      {"keys.skip_revocation_kid",
       [=] { return refused(changed(make_revocation(root()).value(), "kid", other_kid, own())); }},
      {"keys.skip_revocation_fp",
       [=] {
         const wire::Value fp = to_base64url(other.fp);
         return refused(changed(make_revocation(root()).value(), "fp", fp, own()));
       }},
      {"keys.skip_revocation_signature",
       [] {
         return refused(sign_object(wire::Object{{"ams", "rev/1"},
                                                 {"kid", to_uuid_text(root().record.id().kid)},
                                                 {"fp", to_base64url(root().record.id().fp)}},
                                    op().signing)
                            .value());
       }},
      {"keys.ignore_revocation",
       [] {
         Entry entry(root().record);
         return entry.add(make_revocation(root()).value()) && !entry.usable();
       }},
      {"keys.accept_retired",
       [] {
         Entry entry(root().record);
         return entry.add(tombstone()) && !entry.usable();
       }},
      {"keys.accept_card_control", [] { return refused(card(1, "a\nb")); }},
      {"keys.accept_card_salt",
       [] { return refused(changed(card(1, {}), "salt", to_base64url(Id16{}), own())); }},
      {"keys.accept_erased_stub",
       [] { return refused(changed(stub(card(1, "a")), "hash", to_base64url(Hash{}), own())); }},
      {"keys.skip_stub_kid",
       [=] { return refused(changed(stub(card(1, "a")), "kid", other_kid, own())); }},
      {"keys.skip_stub_signature",
       [] { return refused(changed(stub(card(1, "a")), "cseq", 2, nullptr)); }},
      {"keys.keep_stub",
       [] {
         Entry entry(root().record);
         return entry.add(stub(card(1, "a"))) && entry.add(card(1, "a")) && !entry.card()->dropped;
       }},
      {"keys.skip_card_kid",
       [=] { return refused(changed(card(1, "a"), "kid", other_kid, own())); }},
      {"keys.skip_card_signature",
       [] { return refused(changed(card(1, "a"), "cseq", 2, nullptr)); }},
      {"keys.card_beats_erasure", [] { return refused(card(1, "a"), {card(1, {})}); }},
      {"keys.last_card_wins", [] { return refused(card(1, "a"), {card(2, "b")}); }},
  };
}

/// A policy with one fault; what is refused of it.
bool policy_refused(const DomainPolicy& policy, std::int64_t seq) {
  return !parse_policy(to_value(policy), seq);
}

DomainPolicy to_corporate() {
  return {start_ms,
          {Policy::corporate, start_ms + policy_notice_ms, {{"", op().record.id()}}},
          PolicyTerms{}};
}

/// Whether a binding with the record's custody, or another, is sealed to.
bool custody_refused(Custody said, std::optional<KeyId> enc, const PolicyTerms& in_force) {
  const KeyPair pair =
      make_modern(Bytes(80, 9), {.nbf = start_ms,
                                 .exp = start_ms + day_ms,
                                 .custody = enc ? Custody::corporate : Custody::client})
          .value();
  return !check_custody({"u@a.example", pair.record.id(), 1, {}, said, enc}, pair.record, in_force);
}

bool enc_refused() {
  const Binding binding{"u@a.example",   root().record.id(), 1, {},
                        Custody::client, op().record.id()};
  return !parse_binding(make_binding(binding, op().signing).value());
}

std::vector<Probe> policy_probes() {
  const KeyId key = op().record.id();
  const PolicyTerms corporate{Policy::corporate, start_ms, {{"", key}}};
  return {
      {"keys.skip_group_name", [] { return !is_group("sales-") && is_group("sales"); }},
      {"keys.skip_policy_keys",
       [=] {
         return policy_refused({start_ms, {Policy::isp, start_ms, {{"", key}}}, {}}, 1);
       }},
      {"keys.skip_policy_notice",
       [] {
         DomainPolicy flip = to_corporate();
         flip.terms.effective -= 1;
         return policy_refused(flip, 2);
       }},
      {"keys.skip_policy_prior", [] { return policy_refused(to_corporate(), 1); }},
      {"keys.skip_policy_prior",
       [] {
         DomainPolicy ahead = to_corporate();
         ahead.prior->effective = start_ms + 1;
         return policy_refused(ahead, 2);
       }},
      {"keys.policy_at_once",
       [] { return policy_at(to_corporate(), from_unix_ms(start_ms)).mode == Policy::isp; }},
      {"keys.skip_binding_enc", enc_refused},
      {"keys.skip_binding_custody",
       [=] { return custody_refused(Custody::corporate, std::nullopt, corporate); }},
      {"keys.skip_binding_policy",
       [=] { return custody_refused(Custody::client, std::nullopt, corporate); }},
      {"keys.skip_enc_listed",
       [=] { return custody_refused(Custody::corporate, root().record.id(), corporate); }},
  };
}

/// A mistyped word, told as such.
bool mistyped_word_noticed() {
  std::string words = fingerprint_words(root().record.id().fp);
  words[0] = words[0] == 'b' ? 'd' : 'b';
  return !read_fingerprint(words);
}

std::vector<Probe> probes() {
  const KeyId id = root().record.id();
  const KeyId other = op().record.id();
  return {
      {"keys.skip_signature",
       [] { return !KeyRecord::parse(record_with("exp", start_ms + 1, false)); }},
      {"keys.skip_kid", [=] { return !KeyRecord::parse_as(root().record.value(), other.kid); }},
      {"keys.skip_fp",
       [=] {
         return !KeyRecord::parse_as(root().record.value(), {id.kid, other.fp});
       }},
      {"keys.skip_life", [] { return !KeyRecord::parse(record_with("exp", start_ms, true)); }},
      {"keys.skip_life",
       [] { return !KeyRecord::parse(record_with("exp", start_ms + 399 * day_ms, true)); }},
      {"keys.accept_expired_key",
       [] { return !root().record.valid_at(from_unix_ms(start_ms + 9 * day_ms)); }},
      {"keys.skip_chain_root", [=] { return chain_refused("a.example", root().signing, other); }},
      {"keys.skip_chain_signature", [=] { return chain_refused("a.example", op().signing, id); }},
      {"keys.skip_chain_domain", [=] { return chain_refused("b.example", root().signing, id); }},
      {"keys.skip_binding_signature",
       [] { return binding_refused("u@a.example", root().signing); }},
      {"keys.skip_check_word", mistyped_word_noticed},
      {"keys.short_kid",
       [] {
         Hash later{};
         later[8] = 1;
         return kid_of(Hash{}) != kid_of(later);
       }},
      {"keys.accept_any_words", [] { return !read_fingerprint("hello"); }},
      {"keys.offer_half_hybrid",
       [] {
         return choose_profile("auto", Offered{true, false})->name == "modern";
       }},
      {"keys.skip_pq_mix",
       [] {
         const std::array<std::string_view, 2> kems{"mlkem768+x25519", "x25519"};
         return !check_kems(kems);
       }},
      {"keys.skip_binding_domain", [] { return binding_refused("u@b.example", op().signing); }},
  };
}

}  // namespace

int run_probes() {
  std::vector<Probe> all = probes();
  for (Probe& probe : lineage_probes()) all.push_back(std::move(probe));
  for (Probe& probe : policy_probes()) all.push_back(std::move(probe));
  return mutants::run(all);
}

}  // namespace ams::keys

int main() { return ams::keys::run_probes(); }
