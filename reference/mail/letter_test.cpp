// Goal: what is sealed opens for each recipient to exactly what was written, whatever mix of keys,
// AEADs and contents. Method: whole messages through seal and open, and random drafts.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "mail/forge_test.h"
#include "wire/utf8.h"

namespace ams::mail {
namespace {

using testing::code_of;
using testing::now_ms;
using testing::World;

const World& letter_world() {
  static const World world;
  return world;
}

std::vector<const keys::KeyRecord*> bob_rita_alice() {
  const World& world = letter_world();
  return {&world.bob.pair.record, &world.rita.pair.record, &world.alice.pair.record};
}

std::vector<Bytes> attachments_of(const Sealed& sealed, const Opened& opened) {
  std::vector<Bytes> out;
  for (const AttachmentInfo& info : opened.attachments) {
    for (const Bytes& blob : sealed.blobs)
      if (crypto::sha256(blob) == info.blob)
        out.push_back(open_attachment(sealed.header, info, blob).value());
  }
  return out;
}

TEST(Letter, opens_for_x25519_and_rsa_with_both_aeads) {
  const World& world = letter_world();
  const Draft draft = world.draft();
  for (const crypto::Aead aead : {crypto::Aead::a256gcm, crypto::Aead::c20p1305}) {
    const SealOptions options{.aead = aead, .ts = now_ms, .mid = Id16{4}};
    const Sealed sealed = world.seal(draft, bob_rita_alice(), options).value();
    EXPECT_TRUE(sealed.header.find("epk"));
    EXPECT_FALSE(sealed.stanzas[0].enc);
    EXPECT_TRUE(sealed.stanzas[1].enc);
    for (const testing::Person* reader : {&world.bob, &world.rita, &world.alice}) {
      const auto opened = testing::open(sealed, world.reading(*reader));
      ASSERT_TRUE(opened) << reader->addr;
      EXPECT_EQ(opened->subject, draft.subject);
      EXPECT_EQ(opened->mid, Id16{4});
      EXPECT_EQ(opened->thread, draft.thread);
      EXPECT_EQ(opened->from, world.alice.addr);
      EXPECT_EQ(opened->deliver_to, draft.deliver_to);
      EXPECT_EQ(opened->parts[0].text, draft.parts[0].text);
      EXPECT_EQ(content_digest(*opened, {}), content_digest(draft));
    }
  }
}

TEST(Letter, without_x25519_recipients_there_is_no_epk) {
  const World& world = letter_world();
  const Sealed sealed = world.seal(world.draft(), {&world.rita.pair.record}).value();
  EXPECT_FALSE(sealed.header.find("epk"));
  EXPECT_TRUE(testing::open(sealed, world.reading(world.rita)));
}

TEST(Letter, opens_from_its_wire_form) {
  const World& world = letter_world();
  const Sealed sealed = world.seal(world.draft(), bob_rita_alice()).value();
  wire::Array stanzas;
  for (const Stanza& stanza : sealed.stanzas) stanzas.push_back(to_value(stanza));
  const auto header = wire::decode(wire::encode(sealed.header)).value();
  const OpenContext context = world.reading(world.bob);
  EXPECT_TRUE(open_received(header, sealed.asig, stanzas, sealed.body, context));
  EXPECT_EQ(code_of(open_received(header, sealed.asig, wire::Array{}, sealed.body, context)),
            Code::schema);
  EXPECT_EQ(code_of(open_received(header, Bytes(64), wire::Array{}, sealed.body, context)),
            Code::signature);
}

TEST(Letter, sealing_is_deterministic_in_its_entropy) {
  const World& world = letter_world();
  const std::vector<const keys::KeyRecord*> to{&world.bob.pair.record};
  const Sealed one = world.seal(world.draft(), to).value();
  const Sealed two = world.seal(world.draft(), to).value();
  EXPECT_EQ(one.header, two.header);
  EXPECT_EQ(one.asig, two.asig);
  EXPECT_EQ(one.body, two.body);
  EXPECT_EQ(one.head, two.head);
}

TEST(Letter, sent_by_an_rsa_account) {
  const World& world = letter_world();
  Draft draft = world.draft();
  draft.from = world.rita.addr;
  crypto::Drbg drbg(Bytes(32, 1));
  const std::vector<const keys::KeyRecord*> to{&world.bob.pair.record};
  const Sealed sealed =
      seal(draft, world.rita.pair, world.rita.binding, to, {.ts = now_ms}, drbg).value();
  OpenContext context = world.reading(world.bob);
  context.sender = &world.rita.pair.record;
  context.sender_domain = &*world.beta.chain;
  EXPECT_TRUE(testing::open(sealed, context));
}

TEST(Letter, carries_attachments) {
  const World& world = letter_world();
  Draft draft = world.draft();
  draft.attachments = {{"a.bin", "application/octet-stream", Bytes(40'000, 7)},
                       {"empty", "text/plain", {}},
                       {"chunk", "text/plain", Bytes(crypto::stream_chunk_size - 8, 1)}};
  const Sealed sealed = world.seal(draft, bob_rita_alice()).value();
  EXPECT_EQ(sealed.blobs.size(), 3u);
  const Header header = parse_header(sealed.header).value();
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(crypto::sha256(sealed.blobs[i]), header.blobs[i]);
  const Opened opened = testing::open(sealed, world.reading(world.bob)).value();
  const auto data = attachments_of(sealed, opened);
  ASSERT_EQ(data.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(data[i], draft.attachments[i].data);
  EXPECT_EQ(content_digest(opened, data), content_digest(draft));
}

TEST(Letter, attachments_are_bound_to_message_place_and_bytes) {
  const World& world = letter_world();
  Draft draft = world.draft();
  draft.attachments = {{"a", "text/plain", Bytes(10, 7)}};
  const Sealed sealed = world.seal(draft, bob_rita_alice()).value();
  const Opened opened = testing::open(sealed, world.reading(world.bob)).value();
  const AttachmentInfo& good = opened.attachments[0];
  const auto changed = [&](auto change) {
    AttachmentInfo info{good.id, good.name, good.type, good.size, good.blob, good.key.clone()};
    Bytes blob = sealed.blobs[0];
    change(info, blob);
    return code_of(open_attachment(sealed.header, info, blob));
  };
  EXPECT_EQ(changed([](auto&, auto&) {}), Code::bom);
  EXPECT_EQ(changed([](auto&, auto& blob) { blob.back() ^= 1; }), Code::blob_hash);
  EXPECT_EQ(changed([](auto& info, auto&) { info.id = 1; }), Code::key_commitment);
  EXPECT_EQ(changed([](auto& info, auto&) { info.key = crypto::Secret(32); }),
            Code::key_commitment);
  EXPECT_EQ(changed([](auto& info, auto&) { info.size = 9; }), Code::body_layout);
  Header other = parse_header(sealed.header).value();
  other.id = Id16{99};
  EXPECT_EQ(code_of(open_attachment(to_value(other), good, sealed.blobs[0])), Code::key_commitment);
}

TEST(Letter, goes_to_a_hundred_and_no_more) {
  const World& world = letter_world();
  std::vector<keys::KeyPair> pairs;
  std::vector<const keys::KeyRecord*> to;
  Draft draft = world.draft();
  for (std::uint8_t i = 0; i < 100; ++i) {
    pairs.push_back(testing::modern_pair(static_cast<std::uint8_t>(120 + i)));
    draft.to.push_back("reader-with-a-long-name-" + std::to_string(i) + "@beta.example");
  }
  draft.deliver_to = draft.to;
  for (const auto& pair : pairs) to.push_back(&pair.record);
  const Sealed sealed = world.seal(draft, to).value();
  EXPECT_EQ(sealed.stanzas.size(), 100u);
  for (const std::size_t i : {0u, 50u, 99u}) {
    OpenContext context = world.reading(world.bob);
    context.reader = draft.deliver_to[i];
    context.own_record = &pairs[i].record;
    context.own_key = &pairs[i].encryption;
    EXPECT_TRUE(testing::open(sealed, context));
    EXPECT_LE(sealed.head.size(), 4096u);
    EXPECT_EQ(open_head(sealed.header, sealed.asig, sealed.stanzas, sealed.head, context)->subject,
              draft.subject);
  }
  to.push_back(&world.bob.pair.record);
  EXPECT_EQ(code_of(world.seal(draft, to)), Code::too_many_stanzas);
}

TEST(Letter, bcc_is_a_message_of_its_own) {
  const World& world = letter_world();
  Draft draft = world.draft();
  draft.deliver_to = {world.bob.addr};
  draft.cc.clear();
  const SealOptions options{.ts = now_ms, .mid = Id16{77}};
  const Sealed open_copy = world.seal(draft, {&world.bob.pair.record}, options).value();
  draft.deliver_to = {world.rita.addr};
  const Sealed bcc = world.seal(draft, {&world.rita.pair.record}, options).value();
  const Opened to_bob = testing::open(open_copy, world.reading(world.bob)).value();
  const Opened to_rita = testing::open(bcc, world.reading(world.rita)).value();
  EXPECT_EQ(to_bob.mid, to_rita.mid);
  EXPECT_EQ(to_bob.deliver_to, std::vector<std::string>{world.bob.addr});
  EXPECT_EQ(content_digest(to_bob, {}), content_digest(to_rita, {}));
  EXPECT_EQ(code_of(testing::open(open_copy, world.reading(world.rita))), Code::no_stanza);
}

TEST(Letter, seal_refuses_what_a_reader_would) {
  const World& world = letter_world();
  const auto refused = [&](const std::function<void(Draft&)>& change) {
    Draft draft = world.draft();
    change(draft);
    return code_of(world.seal(draft, bob_rita_alice()));
  };
  EXPECT_EQ(refused([](auto& d) { d.to = {"Bob@beta.example"}; }), Code::address_syntax);
  EXPECT_EQ(refused([](auto& d) { d.reply_to_addr = "bob"; }), Code::address_syntax);
  EXPECT_EQ(refused([](auto& d) { d.deliver_to.clear(); }), Code::schema);
  EXPECT_EQ(refused([](auto& d) { d.subject = "\xff"; }), Code::utf8);
  EXPECT_EQ(refused([](auto& d) { d.subject = std::string(4097, 'a'); }), Code::object_too_large);
  EXPECT_EQ(refused([](auto& d) { d.parts.resize(513); }), Code::object_too_large);
  EXPECT_EQ(refused([](auto& d) { d.attachments = {{"\xc0", "t", {}}}; }), Code::utf8);
  EXPECT_EQ(refused([&](auto& d) { d.from = world.bob.addr; }), Code::from_binding);
  const auto with = [&](SealOptions options) {
    return code_of(world.seal(world.draft(), bob_rita_alice(), options));
  };
  EXPECT_EQ(with({.ts = now_ms + 301 * testing::day_ms}), Code::key_expired);
  EXPECT_EQ(with({.ts = now_ms, .life_ms = header_life_ms_max + 1}), Code::expired);
}

OpenedHead head_of_message(const Draft& draft) {
  const World& world = letter_world();
  const Sealed sealed = world.seal(draft, bob_rita_alice()).value();
  EXPECT_LE(sealed.head.size(), 4096u);
  return open_head(sealed.header, sealed.asig, sealed.stanzas, sealed.head,
                   world.reading(world.bob))
      .value();
}

TEST(Head, shows_what_a_list_needs) {
  const World& world = letter_world();
  const OpenedHead head = head_of_message(world.draft());
  EXPECT_EQ(head.subject, world.draft().subject);
  EXPECT_EQ(head.from, world.alice.addr);
  EXPECT_EQ(head.date, world.draft().date);
  EXPECT_EQ(head.mid, Id16{4});
}

TEST(Head, cuts_the_subject_at_a_character) {
  Draft draft = letter_world().draft();
  for (const std::string character : {"a", "\"", "\x01", "ü", "\xf0\x9f\x93\xac"}) {
    draft.subject.clear();
    while (draft.subject.size() + character.size() <= 4096) draft.subject += character;
    const std::string cut = head_of_message(draft).subject;
    EXPECT_LT(cut.size(), draft.subject.size());
    EXPECT_GT(cut.size(), 400u);
    EXPECT_EQ(cut.size() % character.size(), 0u);
    EXPECT_TRUE(draft.subject.starts_with(cut));
  }
}

TEST(Head, is_checked_like_the_body) {
  const World& world = letter_world();
  const Sealed sealed = world.seal(world.draft(), bob_rita_alice()).value();
  const OpenContext context = world.reading(world.bob);
  Bytes other = sealed.head;
  other.back() ^= 1;
  EXPECT_EQ(code_of(open_head(sealed.header, sealed.asig, sealed.stanzas, other, context)),
            Code::blob_hash);
  EXPECT_EQ(code_of(open_head(sealed.header, Bytes(64), sealed.stanzas, sealed.head, context)),
            Code::signature);
  EXPECT_EQ(code_of(open_head(sealed.header, sealed.asig, {}, sealed.head, context)),
            Code::no_stanza);
  EXPECT_EQ(code_of(open_head(sealed.header, sealed.asig, sealed.stanzas, sealed.body, context)),
            Code::blob_hash);
  OpenContext wrong_domain = context;
  wrong_domain.sender_domain = &*world.beta.chain;
  EXPECT_EQ(
      code_of(open_head(sealed.header, sealed.asig, sealed.stanzas, sealed.head, wrong_domain)),
      Code::from_binding);
}

std::string random_text() {
  const auto points = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::oneOf(
      rc::gen::inRange<std::uint32_t>(0, 0x80), rc::gen::inRange<std::uint32_t>(0xa0, 0xd7ff),
      rc::gen::inRange<std::uint32_t>(0x10000, 0x10ffff)));
  std::string out;
  for (const std::uint32_t point : points) wire::append_utf8(out, point);
  return out;
}

TEST(Letter, random_drafts_come_back) {
  const World& world = letter_world();
  EXPECT_TRUE(rc::check([&] {
    Draft draft = world.draft();
    draft.subject = random_text();
    draft.parts.clear();
    for (int left = *rc::gen::inRange(0, 4); left > 0; --left) {
      std::string text = random_text();
      draft.parts.push_back({"text/plain", std::move(text)});
    }
    for (int left = *rc::gen::inRange(0, 3); left > 0; --left) {
      Bytes data = *rc::gen::arbitrary<Bytes>();
      draft.attachments.push_back({"n", "application/octet-stream", std::move(data)});
    }
    const Sealed sealed = world.seal(draft, {&world.bob.pair.record}).value();
    const Opened opened = testing::open(sealed, world.reading(world.bob)).value();
    RC_ASSERT(content_digest(opened, attachments_of(sealed, opened)) == content_digest(draft));
    RC_ASSERT(opened.subject == draft.subject);
  }));
}

}  // namespace
}  // namespace ams::mail
