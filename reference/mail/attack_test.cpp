// Goal: no message that someone tampered with, re-labelled or forged opens, and each is refused by
// the check that is there for it. Method: attacks by name, then messages right in all but one
// check.
#include <gtest/gtest.h>

#include "mail/forge_test.h"
#include "mail/wrap.h"

namespace ams::mail {
namespace {

using testing::code_of;
using testing::Forge;
using testing::now_ms;
using testing::World;

const World& attack_world() {
  static const World world;
  return world;
}

Code bob_opens(const Sealed& sealed) {
  return code_of(testing::open(sealed, attack_world().reading(attack_world().bob)));
}
Code bob_opens(const Forge& forge) { return bob_opens(forge.make(attack_world())); }

Sealed good_message() {
  const World& world = attack_world();
  return world.seal(world.draft(), {&world.bob.pair.record}).value();
}

TEST(Attack, forge_itself_opens) { EXPECT_EQ(bob_opens(Forge()), Code::bom); }

// mallory@beta.example signs with her own key and writes alice's address.
TEST(Attack, another_address_over_ones_own_key) {
  const World& world = attack_world();
  const testing::Person& mallory = world.mallory;
  Draft draft = world.draft();
  draft.from = world.alice.addr;
  // Her own domain signs what she likes; it is not the domain of the address.
  const wire::Value lie = world.beta.bind(world.alice.addr, mallory.pair.record);
  crypto::Drbg drbg(Bytes(32, 1));
  const std::vector<const keys::KeyRecord*> to{&world.bob.pair.record};
  const Sealed sealed = seal(draft, mallory.pair, lie, to, {.ts = now_ms}, drbg).value();
  OpenContext context = world.reading(world.bob);
  context.sender = &mallory.pair.record;
  EXPECT_EQ(code_of(testing::open(sealed, context)), Code::from_binding);
  // With her own domain in the header, the address is not of that domain.
  context.sender_domain = &*world.beta.chain;
  EXPECT_EQ(code_of(testing::open(sealed, context)), Code::from_binding);
}

TEST(Attack, binding_of_another_person_or_key) {
  const World& world = attack_world();
  const auto with = [](const std::function<void(wire::Object&)>& change) {
    Forge forge;
    forge.letter_before_fc = [&](wire::Object& letter) { change(letter["from"].as_object()); };
    return bob_opens(forge);
  };
  const std::string other = "anna@alpha.example";
  EXPECT_EQ(with([&](auto& from) { from["addr"] = other; }), Code::from_binding);
  EXPECT_EQ(with([&](auto& from) { from["addr"] = world.bob.addr; }), Code::from_binding);
  EXPECT_EQ(
      with([&](auto& from) { from["binding"] = world.alpha.bind(other, world.alice.pair.record); }),
      Code::from_binding);
  EXPECT_EQ(with([&](auto& from) {
              from["binding"] = world.alpha.bind(world.alice.addr, world.bob.pair.record);
            }),
            Code::from_binding);
  EXPECT_EQ(with([&](auto& from) { from["kid"] = to_uuid_text(world.bob.pair.record.id().kid); }),
            Code::from_binding);
  EXPECT_EQ(with([&](auto& from) { from["binding"].as_object()["version"] = 2; }),
            Code::from_binding);
  EXPECT_EQ(with([&](auto& from) { from["binding"] = "none"; }), Code::schema);
}

TEST(Attack, header_of_another_domain) {
  Forge forge;
  forge.header_before_h0 = [](Header& header) { header.sdom = "beta.example"; };
  EXPECT_EQ(bob_opens(forge), Code::from_binding);
}

// The relay re-labels a stanza so that another key seems addressed.
TEST(Attack, stanza_of_another_recipient) {
  const World& world = attack_world();
  Sealed sealed = world.seal(world.draft(), {&world.alice.pair.record}).value();
  EXPECT_EQ(bob_opens(sealed), Code::no_stanza);
  sealed.stanzas[0].to = world.bob.pair.record.id();
  EXPECT_EQ(bob_opens(sealed), Code::unwrap);
}

TEST(Attack, stanza_of_another_message) {
  const World& world = attack_world();
  Draft draft = world.draft();
  draft.subject = "other";
  Sealed one = good_message();
  const Sealed other = world.seal(draft, {&world.bob.pair.record}).value();
  ASSERT_NE(one.header, other.header);
  one.stanzas = other.stanzas;
  EXPECT_EQ(bob_opens(one), Code::unwrap);
}

// Bob hands alice's letter on to rita: he knows the content key and wraps it for her.
TEST(Attack, surreptitious_forwarding) {
  const World& world = attack_world();
  Draft draft = world.draft();
  draft.deliver_to = {world.bob.addr};
  const Sealed sealed =
      world.seal(draft, {&world.bob.pair.record, &world.rita.pair.record}).value();
  EXPECT_EQ(code_of(testing::open(sealed, world.reading(world.rita))), Code::deliver_to);
  EXPECT_EQ(bob_opens(sealed), Code::bom);
}

// A group's key opens what was written to the group, and stands for no other address.
TEST(Attack, a_group_is_one_of_the_readers_addresses_and_no_other_is) {
  const World& world = attack_world();
  Draft draft = world.draft();
  draft.deliver_to = {"sales@beta.example"};
  const Sealed sealed = world.seal(draft, {&world.bob.pair.record}).value();
  OpenContext context = world.reading(world.bob);
  EXPECT_EQ(code_of(testing::open(sealed, context)), Code::deliver_to);
  context.group = "staff@beta.example";
  EXPECT_EQ(code_of(testing::open(sealed, context)), Code::deliver_to);
  context.group = "sales@beta.example";
  EXPECT_TRUE(testing::open(sealed, context));
}

// What the key store wrapped anew has its own encapsulated key; elsewhere that is a mix.
TEST(Attack, a_rewrapped_stanza_opens_only_where_one_may_stand) {
  const World& world = attack_world();
  Sealed sealed = good_message();
  const Header header = parse_header(sealed.header).value();
  const auto content = unwrap_key({header.aead, header.epk, h0(sealed.header)}, sealed.stanzas,
                                  world.bob.pair.record, world.bob.pair.encryption)
                           .value();
  crypto::Drbg drbg(Bytes(32, 9));
  const auto ephemeral = crypto::Ephemeral::from_seed(drbg.bytes(32));
  const keys::KeyId to = world.bob.pair.record.id();
  const auto wrapped =
      crypto::hpke_seal(world.bob.pair.record.encryption(), header.aead,
                        stanza_info(h0(sealed.header), to), content.view(), &ephemeral)
          .value();
  sealed.stanzas = {Stanza{to, wrapped.ciphertext, wrapped.enc}};
  OpenContext context = world.reading(world.bob);
  EXPECT_EQ(code_of(testing::open(sealed, context)), Code::algorithm_mix);
  context.rewrapped = true;
  EXPECT_TRUE(testing::open(sealed, context));
  sealed.stanzas = good_message().stanzas;
  EXPECT_EQ(code_of(testing::open(sealed, context)), Code::algorithm_mix) << "no enc of its own";
}

TEST(Attack, senders_own_copy_needs_no_deliver_to) {
  const World& world = attack_world();
  const Sealed sealed =
      world.seal(world.draft(), {&world.bob.pair.record, &world.alice.pair.record}).value();
  EXPECT_TRUE(testing::open(sealed, world.reading(world.alice)));
}

TEST(Attack, every_header_member_is_signed) {
  const Sealed good = good_message();
  const std::vector<std::function<void(Header&)>> changes{
      [](Header& h) { h.id[0] ^= 1; },      [](Header& h) { h.aead = crypto::Aead::c20p1305; },
      [](Header& h) { h.sdom = "b.cd"; },   [](Header& h) { h.ts += 1; },
      [](Header& h) { h.exp -= 1; },        [](Header& h) { (*h.epk)[0] ^= 1; },
      [](Header& h) { h.leaves += 1; },     [](Header& h) { h.fc[0] ^= 1; },
      [](Header& h) { h.body.len += 1; },   [](Header& h) { h.body.hash[0] ^= 1; },
      [](Header& h) { h.head.len += 1; },   [](Header& h) { h.head.hash[0] ^= 1; },
      [](Header& h) { h.blobs = {Hash{}}; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Sealed sealed = good;
    Header header = parse_header(good.header).value();
    changes[i](header);
    sealed.header = to_value(header);
    EXPECT_EQ(bob_opens(sealed), Code::signature) << i;
  }
}

TEST(Attack, signature_of_another_account_or_algorithm) {
  const World& world = attack_world();
  Sealed sealed = good_message();
  sealed.asig = sign_header(sealed.header, world.mallory.pair.signing).value();
  EXPECT_EQ(bob_opens(sealed), Code::signature);
  sealed.asig = sign_header(sealed.header, world.rita.pair.signing).value();
  EXPECT_EQ(bob_opens(sealed), Code::algorithm_mix);
  OpenContext context = world.reading(world.bob);
  context.sender = &world.mallory.pair.record;
  EXPECT_EQ(code_of(testing::open(sealed, context)), Code::kid_mismatch);
}

TEST(Attack, no_flipped_bit_of_the_body_opens) {
  Sealed sealed = good_message();
  for (std::size_t bit = 0; bit < sealed.body.size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(1u << (bit % 8));
    sealed.body[bit / 8] ^= mask;
    EXPECT_EQ(bob_opens(sealed), Code::blob_hash) << bit;
    sealed.body[bit / 8] ^= mask;
  }
  EXPECT_EQ(bob_opens(sealed), Code::bom);
}

TEST(Attack, flipped_bits_are_refused_by_the_stream_alone) {
  for (const std::size_t at : {0u, 23u, 24u, 55u, 56u, 300u}) {
    Forge forge;
    forge.body_sealed = [&](Bytes& body) { body[at] ^= 1; };
    forge.header_before_asig = [&](Header& header) {
      Forge again = forge;
      again.header_before_asig = nullptr;
      header.body.hash = crypto::sha256(again.make(attack_world()).body);
    };
    EXPECT_EQ(bob_opens(forge), at < 56 ? Code::key_commitment : Code::chunk) << at;
  }
}

TEST(Attack, body_of_another_message_or_length) {
  const World& world = attack_world();
  Sealed sealed = good_message();
  Draft draft = world.draft();
  draft.subject = "other";
  sealed.body = world.seal(draft, {&world.bob.pair.record}).value().body;
  EXPECT_EQ(bob_opens(sealed), Code::blob_hash);
  sealed = good_message();
  sealed.body.pop_back();
  EXPECT_EQ(bob_opens(sealed), Code::blob_hash);
}

TEST(Attack, layout_of_the_body) {
  const auto with = [](const std::function<void(Bytes&)>& change) {
    Forge forge;
    forge.body_plaintext = change;
    return bob_opens(forge);
  };
  EXPECT_EQ(with([](Bytes& plain) { plain.push_back(0); }), Code::body_layout);
  EXPECT_EQ(with([](Bytes& plain) { plain[0] = 1; }), Code::body_layout);
  EXPECT_EQ(with([](Bytes& plain) { plain.resize(2); }), Code::body_layout);
  EXPECT_EQ(with([](Bytes& plain) { plain = lay_out(Bytes{'{'}, LengthField::u32); }),
            Code::json_syntax);
  EXPECT_EQ(with([](Bytes& plain) { plain = lay_out(as_bytes("{ }"), LengthField::u32); }),
            Code::not_canonical);
}

TEST(Attack, letters_members) {
  const auto with = [](const Forge::ObjectHook& change) {
    Forge forge;
    forge.letter_before_fc = change;
    return bob_opens(forge);
  };
  EXPECT_EQ(with([](auto& o) { o["ams"] = "letter/2"; }), Code::unknown_ams_tag);
  EXPECT_EQ(with([](auto& o) { o["deliver_to"] = wire::Array{}; }), Code::schema);
  EXPECT_EQ(with([](auto& o) { o["to"] = wire::Array{"Bob@x.y"}; }), Code::address_syntax);
  EXPECT_EQ(with([](auto& o) { o["cc"] = wire::Array{1}; }), Code::schema);
  EXPECT_EQ(with([](auto& o) { o["subject"] = std::string(4097, 'a'); }), Code::object_too_large);
  EXPECT_EQ(with([](auto& o) { o["thread"] = "AAAA"; }), Code::base64url);
  EXPECT_EQ(with([](auto& o) { o["reply_to_addr"] = "x"; }), Code::address_syntax);
  EXPECT_EQ(with([](auto& o) { o.erase("att"); }), Code::schema);
  EXPECT_EQ(with([](auto& o) { o["parts"] = wire::Array(513, part_value({})); }),
            Code::object_too_large);
  EXPECT_EQ(with([](auto& o) { o["more"] = 1; }), Code::unknown_member);
  EXPECT_EQ(with([](auto& o) { o["att"] = wire::Array{wire::Object{{"id", 1}}}; }), Code::schema);
}

wire::Object attachment_member(const Hash& blob) {
  return {{"id", 0},
          {"name", "n"},
          {"type", "t"},
          {"size", 1},
          {"blob", to_base64url(blob)},
          {"key", to_base64url(Hash{})}};
}

TEST(Attack, letter_other_than_the_commitment) {
  Forge forge;
  forge.letter_after_fc = [](wire::Object& letter) { letter["subject"] = "other"; };
  EXPECT_EQ(bob_opens(forge), Code::franking);
  forge.letter_after_fc = [](wire::Object& letter) { letter["fk"] = to_base64url(Hash{9}); };
  EXPECT_EQ(bob_opens(forge), Code::franking);
  forge.letter_after_fc = [](wire::Object& letter) {
    letter["parts"].as_array().push_back(part_value({"text/plain", "more"}));
  };
  EXPECT_EQ(bob_opens(forge), Code::leaf_count);
}

TEST(Attack, blobs_other_than_the_attachments) {
  Forge forge;
  forge.letter_before_fc = [](wire::Object& letter) {
    letter["att"] = wire::Array{attachment_member(Hash{1})};
  };
  EXPECT_EQ(bob_opens(forge), Code::blob_set);
  forge.header_before_asig = [](Header& header) { header.blobs = {Hash{1}, Hash{2}}; };
  EXPECT_EQ(bob_opens(forge), Code::blob_set);
  forge.header_before_asig = [](Header& header) { header.blobs = {Hash{1}}; };
  EXPECT_EQ(bob_opens(forge), Code::bom);
}

TEST(Attack, keys_that_disagree_with_their_algorithm) {
  const World& world = attack_world();
  Forge forge;
  forge.stanzas = [](std::vector<Stanza>& stanzas) { stanzas[0].enc = Bytes(32, 1); };
  EXPECT_EQ(bob_opens(forge), Code::algorithm_mix);
  forge.stanzas = nullptr;
  forge.header_before_h0 = [](Header& header) { header.epk.reset(); };
  EXPECT_EQ(bob_opens(forge), Code::algorithm_mix);
  Sealed sealed = world.seal(world.draft(), {&world.rita.pair.record}).value();
  sealed.stanzas[0].enc.reset();
  EXPECT_EQ(code_of(testing::open(sealed, world.reading(world.rita))), Code::algorithm_mix);
}

// A message with a fault in each check from some point on answers with the first: MSG-29's order.
TEST(Attack, order_of_checks) {
  const World& world = attack_world();
  Forge forge;
  OpenContext context = world.reading(world.bob);
  const auto expect = [&](Code code) {
    EXPECT_EQ(code_of(testing::open(forge.make(world), context)), code);
  };
  context.reader = "nobody@beta.example";
  expect(Code::deliver_to);
  forge.header_before_h0 = [](Header& header) { header.sdom = "beta.example"; };
  expect(Code::from_binding);
  forge.header_before_asig = [](Header& header) { header.blobs = {Hash{1}}; };
  expect(Code::blob_set);
  forge.letter_after_fc = [](wire::Object& letter) { letter["subject"] = "other"; };
  expect(Code::franking);
  forge.letter_after_fc = [](wire::Object& letter) { letter["parts"] = wire::Array{}; };
  expect(Code::leaf_count);
  forge.letter_after_fc = [](wire::Object& letter) { letter["more"] = 1; };
  expect(Code::unknown_member);
  forge.body_plaintext = [](Bytes& plain) { plain.push_back(0); };
  expect(Code::body_layout);
  forge.body_sealed = [](Bytes& body) { body.pop_back(); };
  expect(Code::blob_hash);
  forge.stanzas = [](std::vector<Stanza>& stanzas) { stanzas[0].wk[0] ^= 1; };
  expect(Code::unwrap);
  forge.stanzas = [](std::vector<Stanza>& stanzas) { stanzas[0].to.kid = {}; };
  expect(Code::no_stanza);
  context.sender = &world.mallory.pair.record;
  expect(Code::kid_mismatch);
  forge.header_value = [](wire::Object& header) { header["exp"] = header["ts"]; };
  expect(Code::expired);
  forge.header_value = [](wire::Object& header) { header["leaves"] = 0; };
  expect(Code::schema);
}

}  // namespace
}  // namespace ams::mail
