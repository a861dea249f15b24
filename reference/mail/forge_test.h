// For this room's tests: two domains with people, and a forge that makes messages which are right
// in everything but what a hook changes.
#pragma once

#include <functional>

#include "crypto/test_keys.h"
#include "mail/franking.h"
#include "mail/layout.h"
#include "mail/letter_form.h"
#include "mail/letter_text.h"
#include "mail/wrap.h"

namespace ams::mail::testing {

inline constexpr std::int64_t day_ms = 86'400'000;
inline constexpr std::int64_t now_ms = 1'900'000'000'000;
inline constexpr keys::KeyPairOptions a_year{.nbf = now_ms - day_ms, .exp = now_ms + 300 * day_ms};

inline keys::KeyPair modern_pair(std::uint8_t seed) {
  return keys::make_modern(Bytes(80, seed), a_year).value();
}
inline keys::KeyPair rsa_pair(std::size_t index) {
  const Bytes signing = from_base64url(crypto::test_keys::rsa2048[index]).value();
  const Bytes encryption = from_base64url(crypto::test_keys::rsa2048[index + 1]).value();
  return keys::make_pair(
             crypto::SigningKey::from_private(crypto::SigAlg::rsa2048pss, signing).value(),
             crypto::DecryptionKey::from_private(crypto::Kem::rsa2048kem, encryption).value(),
             Id16{9}, a_year)
      .value();
}

struct Domain {
  Domain(std::string domain_name, std::uint8_t seed)
      : name(std::move(domain_name)),
        root(modern_pair(seed)),
        op(modern_pair(static_cast<std::uint8_t>(seed + 1))) {
    const keys::DomainRecord record{name, root.record.id(), op.record.id(), keys::isp_policy(), 1};
    const auto value = keys::make_domain_record(record, root.signing).value();
    chain.emplace(
        keys::verify_chain(keys::chain_value(value, root.record, op.record), name, root.record.id())
            .value());
  }
  wire::Value bind(const std::string& addr, const keys::KeyRecord& record) const {
    return keys::make_binding({addr, record.id(), 1, op.record.id().kid}, op.signing).value();
  }
  std::string name;
  keys::KeyPair root, op;
  std::optional<keys::Chain> chain;
};

struct Person {
  std::string addr;
  keys::KeyPair pair;
  wire::Value binding;
};

struct World {
  Domain alpha{"alpha.example", 100}, beta{"beta.example", 110};
  Person alice = join(alpha, "alice", modern_pair(1));
  Person bob = join(beta, "bob", modern_pair(2));
  Person rita = join(beta, "rita", rsa_pair(0));
  Person mallory = join(beta, "mallory", modern_pair(3));

  static Person join(const Domain& domain, const std::string& local, keys::KeyPair pair) {
    const std::string addr = local + "@" + domain.name;
    wire::Value binding = domain.bind(addr, pair.record);
    return {addr, std::move(pair), std::move(binding)};
  }
  Draft draft() const {
    Draft out;
    out.from = alice.addr;
    out.deliver_to = {bob.addr, rita.addr};
    out.to = {bob.addr};
    out.cc = {rita.addr};
    out.date = now_ms - 5;
    out.subject = "Grüße";
    out.thread = Id16{7};
    out.parts = {{"text/plain", "Hello Bob,\n\tsee \"you\" \xf0\x9f\x93\xac"},
                 {"text/html", "<p>"}};
    return out;
  }
  Result<Sealed> seal(const Draft& draft, std::vector<const keys::KeyRecord*> to,
                      SealOptions options = {.ts = now_ms, .mid = Id16{4}}) const {
    crypto::Drbg drbg(Bytes(32, 42));
    return mail::seal(draft, alice.pair, alice.binding, to, options, drbg);
  }
  /// `reader` reads what alice sent.
  OpenContext reading(const Person& reader) const {
    return {reader.addr, &reader.pair.record, &reader.pair.encryption, &alice.pair.record,
            &*alpha.chain};
  }
};

inline Result<Opened> open(const Sealed& sealed, const OpenContext& context) {
  return mail::open(sealed.header, sealed.asig, sealed.stanzas, sealed.body, context);
}

/// What went wrong; `bom`, which no message can cause, when nothing did.
template <class T>
Code code_of(const Result<T>& result) {
  return result ? Code::bom : result.error().code;
}

/// Makes alice's message to bob by hand. Hooks run where their names say.
struct Forge {
  using ObjectHook = std::function<void(wire::Object&)>;
  ObjectHook letter_before_fc, letter_after_fc;
  std::function<void(Header&)> header_before_h0, header_before_asig;
  std::function<void(Bytes&)> body_plaintext, body_sealed;
  std::function<void(std::vector<Stanza>&)> stanzas;
  std::function<void(wire::Object&)> header_value;

  template <class Hook, class Thing>
  static void run(const Hook& hook, Thing& thing) {
    if (hook) hook(thing);
  }

  static wire::Value letter_of(const World& world) {
    const Draft draft = world.draft();
    const Bytes leaf0 =
        leaf0_text({draft, Id16{4}, world.alice.pair.record.id(), world.alice.binding, {}});
    wire::Object letter = wire::decode(leaf0)->as_object();
    letter["parts"] = wire::Array{part_value({"text/plain", "hello"})};
    letter["att"] = wire::Array{};
    letter["fk"] = to_base64url(Hash{5});
    return letter;
  }

  Sealed make(const World& world) const {
    wire::Value letter = letter_of(world);
    run(letter_before_fc, letter.as_object());
    Header header;
    header.id = Id16{1};
    header.sender = world.alice.pair.record.id();
    header.sdom = world.alpha.name;
    header.ts = now_ms;
    header.exp = now_ms + day_ms;
    const bool whole = letter.find("parts") && letter.find("att");
    if (whole) {
      const auto leaves = leaves_of(letter);
      header.leaves = static_cast<std::int64_t>(leaves.size());
      header.fc = franking_commitment(Hash{5}, leaves);
    }
    run(letter_after_fc, letter.as_object());
    const auto ephemeral = crypto::Ephemeral::from_seed(Hash{6});
    header.epk = to_array<32>(ephemeral.key.public_raw());
    run(header_before_h0, header);
    const Hash message = h0(to_value(header));
    const Hash key{8};
    Sealed out;
    const keys::KeyRecord& bob = world.bob.pair.record;
    const auto wrapped = crypto::hpke_seal(bob.encryption(), header.aead,
                                           stanza_info(message, bob.id()), key, &ephemeral);
    out.stanzas = {{bob.id(), wrapped->ciphertext, std::nullopt}};
    run(stanzas, out.stanzas);
    Bytes plain = lay_out(wire::encode(letter), LengthField::u32);
    run(body_plaintext, plain);
    out.body =
        crypto::stream_seal(header.aead, key, body_context(message), Bytes(24, 3), plain).value();
    header.body = {out.body.size(), crypto::sha256(out.body)};
    run(body_sealed, out.body);
    run(header_before_asig, header);
    out.header = to_value(header);
    run(header_value, out.header.as_object());
    out.asig = sign_header(out.header, world.alice.pair.signing).value();
    return out;
  }
};

}  // namespace ams::mail::testing
