// Goal: a container opens for its readers to what was sealed, and any change to it is refused with
// its own code, without a byte of what does not authenticate. Method: sizes around the chunk's;
// sections cut, changed, moved and mixed; drawn splits of the input.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "container/test_bench.h"

namespace ams::container {
namespace {

using testing::both;
using testing::code_of;
using testing::open;
using testing::reading;
using testing::seal;
using testing::Sections;
using testing::text_of;
using testing::world;

constexpr std::size_t chunk_size = crypto::stream_chunk_size;

TEST(Container, opens_to_what_was_sealed_for_every_kind_of_key) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, chunk_size - 1, chunk_size,
                                 chunk_size + 1, std::size_t{5} << 20}) {
    const Bytes plaintext = text_of(size);
    for (const crypto::Aead aead : {crypto::Aead::a256gcm, crypto::Aead::c20p1305}) {
      const Bytes sealed = seal(plaintext, both(), 1, {aead, mail::testing::now_ms}).value();
      for (const auto* reader : {&world().bob, &world().rita}) {
        const auto opened = open(sealed, reading(*reader));
        ASSERT_TRUE(opened.result) << size << " " << code_info(opened.result.error().code).name;
        EXPECT_TRUE(opened.released == plaintext) << size;
      }
    }
  }
}

TEST(Container, the_reader_learns_who_sealed_it_and_when) {
  const Bytes sealed = seal(text_of(3), both()).value();
  Reader reader(reading(world().bob));
  EXPECT_EQ(reader.sender(), std::nullopt);
  Bytes out;
  ASSERT_TRUE(reader.push(sealed, out));
  ASSERT_TRUE(reader.finish());
  EXPECT_EQ(reader.sender(), world().alice.pair.record.id());
  EXPECT_EQ(reader.sealed_at(), mail::testing::now_ms);
}

TEST(Container, a_seed_and_any_split_give_the_same_bytes) {
  const Bytes plaintext = text_of(3 * chunk_size + 9);
  const Bytes whole = seal(plaintext, {&world().bob.pair.record}).value();
  EXPECT_TRUE(rc::check([&] {
    const auto drawn = [] {
      return *rc::gen::resize(100, rc::gen::inRange<std::size_t>(1, 40000));
    };
    crypto::Drbg drbg(Bytes(32, 1));
    Bytes sealed;
    const keys::KeyRecord* const to = &world().bob.pair.record;
    Writer writer =
        Writer::begin(world().alice.pair, {&to, 1}, {.ts = mail::testing::now_ms}, drbg, sealed)
            .value();
    for (ByteView rest(plaintext); !rest.empty();) {
      const ByteView piece = rest.first(std::min(drawn(), rest.size()));
      writer.push(piece, sealed);
      rest = rest.subspan(piece.size());
    }
    RC_ASSERT(writer.finish(sealed));
    RC_ASSERT(sealed == whole);
    Reader reader(reading(world().bob));
    Bytes opened;
    for (ByteView rest(sealed); !rest.empty();) {
      const ByteView piece = rest.first(std::min(drawn(), rest.size()));
      RC_ASSERT(reader.push(piece, opened));
      rest = rest.subspan(piece.size());
    }
    RC_ASSERT(reader.finish());
    RC_ASSERT(opened == plaintext);
  }));
}

TEST(Container, byte_by_byte_is_the_same_too) {
  const Bytes sealed = seal(text_of(40), both()).value();
  Reader reader(reading(world().rita));
  Bytes opened;
  for (const std::uint8_t byte : sealed) ASSERT_TRUE(reader.push({&byte, 1}, opened));
  ASSERT_TRUE(reader.finish());
  EXPECT_EQ(opened, text_of(40));
}

TEST(Container, every_shorter_length_is_truncated) {
  const Bytes sealed = seal(text_of(chunk_size + 40), {&world().bob.pair.record}).value();
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    if (size > 2000 && size + 2000 < sealed.size() && size % 97 != 0) continue;
    EXPECT_EQ(code_of(ByteView(sealed).first(size), reading(world().bob)), Code::stream_truncated)
        << size;
  }
}

TEST(Container, one_byte_more_is_refused) {
  Bytes sealed = seal(text_of(5), both()).value();
  sealed.push_back(0);
  EXPECT_EQ(code_of(sealed, reading(world().bob)), Code::schema);
}

TEST(Container, no_flipped_bit_passes_or_releases_what_was_not_sealed) {
  const Bytes plaintext = text_of(2 * chunk_size + 30);
  const Bytes sealed = seal(plaintext, {&world().bob.pair.record}).value();
  EXPECT_TRUE(rc::check([&] {
    Bytes changed = sealed;
    // Half of the changes hit the small sections at both ends.
    const auto any = *rc::gen::resize(100, rc::gen::inRange<std::size_t>(0, sealed.size()));
    const auto near = *rc::gen::resize(100, rc::gen::inRange<std::size_t>(0, 1000));
    const auto at = *rc::gen::element(any, near, sealed.size() - 1 - near % 300);
    changed[at] ^= static_cast<std::uint8_t>(1 << *rc::gen::resize(100, rc::gen::inRange(0, 8)));
    const auto opened = open(changed, reading(world().bob));
    RC_ASSERT(!opened.result);
    RC_ASSERT(opened.released.size() <= plaintext.size());
    RC_ASSERT(std::equal(opened.released.begin(), opened.released.end(), plaintext.begin()));
  }));
}

TEST(Container, each_changed_section_has_its_code) {
  const Bytes sealed = seal(text_of(2 * chunk_size + 30), {&world().bob.pair.record}).value();
  const auto code = [&](const std::function<void(Sections&)>& change) {
    Sections sections(sealed);
    change(sections);
    return code_of(sections.joined(), reading(world().bob));
  };
  EXPECT_EQ(code([](Sections&) {}), Code::bom);
  EXPECT_EQ(code([](Sections& s) { s.magic_line[9] = '2'; }), Code::unknown_ams_tag);
  EXPECT_EQ(code([](Sections& s) { s.header[0] = 1; }), Code::object_too_large);
  EXPECT_EQ(code([](Sections& s) { s.stanzas[0] = 1; }), Code::object_too_large);
  EXPECT_EQ(code([](Sections& s) { s.trailer[0] = 1; }), Code::object_too_large);
  EXPECT_EQ(code([](Sections& s) { s.stream_header[0] ^= 1; }), Code::key_commitment);
  EXPECT_EQ(code([](Sections& s) { s.stream_header[55] ^= 1; }), Code::key_commitment);
  EXPECT_EQ(code([](Sections& s) { s.chunks[0][2] ^= 1; }), Code::chunk);
  EXPECT_EQ(code([](Sections& s) { s.chunks[2].back() ^= 1; }), Code::chunk);
  EXPECT_EQ(code([](Sections& s) { std::swap(s.chunks[0], s.chunks[1]); }), Code::chunk);
  EXPECT_EQ(code([](Sections& s) { s.chunks.erase(s.chunks.begin()); }), Code::chunk);
  EXPECT_EQ(code([](Sections& s) { s.chunks[0] = {0, 15}; }), Code::chunk);
  EXPECT_EQ(code([](Sections& s) { s.chunks[0][0] = 0xff; }), Code::chunk);
}

TEST(Container, each_changed_header_member_has_its_code) {
  const Bytes sealed = seal(text_of(30), {&world().bob.pair.record}).value();
  const auto code = [&](std::string_view name, const wire::Value& value) {
    Sections sections(sealed);
    wire::Value header = Sections::value(sections.header);
    header.as_object().insert_or_assign(std::string(name), value);
    sections.header = Sections::section(header);
    return code_of(sections.joined(), reading(world().bob));
  };
  EXPECT_EQ(code("ams", "seal/2"), Code::unknown_ams_tag);
  EXPECT_EQ(code("aead", "rot13"), Code::unknown_algorithm);
  EXPECT_EQ(code("more", 1), Code::unknown_member);
  EXPECT_EQ(code("to", wire::Array{}), Code::schema);
  EXPECT_EQ(code("to", wire::Array{to_base64url(Hash{})}), Code::deliver_to);
  EXPECT_EQ(code("skid", to_uuid_text(Id16{})), Code::kid_mismatch);
  EXPECT_EQ(code("sfp", to_base64url(Hash{})), Code::fp_mismatch);
  EXPECT_EQ(code("ts", 1), Code::key_expired);
  EXPECT_EQ(code("ts", mail::testing::now_ms + mail::testing::day_ms), Code::not_yet_valid);
  EXPECT_EQ(code("ts", mail::testing::now_ms + 1), Code::unwrap) << "h0 is another";
  EXPECT_EQ(code("id", to_base64url(Id16{})), Code::unwrap);
}

TEST(Container, stanzas_are_judged_as_a_messages) {
  const Bytes sealed = seal(text_of(30), both()).value();
  const auto code = [&](const std::function<void(wire::Array&)>& change) {
    Sections sections(sealed);
    wire::Value stanzas = Sections::value(sections.stanzas);
    change(stanzas.as_array());
    sections.stanzas = Sections::section(stanzas);
    return code_of(sections.joined(), reading(world().bob));
  };
  EXPECT_EQ(code([](wire::Array& s) { s.clear(); }), Code::schema);
  EXPECT_EQ(code([](wire::Array& s) { s.resize(101, s[0]); }), Code::too_many_stanzas);
  EXPECT_EQ(code([](wire::Array& s) { s.pop_back(); }), Code::deliver_to);
  EXPECT_EQ(code([](wire::Array& s) { std::swap(s[0], s[1]); }), Code::deliver_to);
  EXPECT_EQ(code([](wire::Array& s) { s[0].as_object()["enc"] = to_base64url(Hash{}); }),
            Code::algorithm_mix);
  EXPECT_EQ(code([](wire::Array& s) { s[0].as_object()["wk"] = to_base64url(Bytes(48)); }),
            Code::unwrap);
  EXPECT_EQ(code_of(sealed, reading(world().mallory)), Code::no_stanza);
}

TEST(Container, another_key_under_the_readers_name_does_not_open_it) {
  const Bytes sealed = seal(text_of(30), both()).value();
  ReadContext context = reading(world().bob);
  context.own_key = &world().mallory.pair.encryption;
  EXPECT_EQ(code_of(sealed, context), Code::unwrap);
}

TEST(Container, a_former_key_opens_what_was_sealed_to_it) {
  const Bytes sealed = seal(text_of(30), both()).value();
  ReadContext context = reading(world().mallory);
  context.former = {&world().mallory.pair, &world().bob.pair};
  EXPECT_TRUE(open(sealed, context).result);
  context.former.pop_back();
  EXPECT_EQ(code_of(sealed, context), Code::no_stanza);
}

TEST(Container, a_sender_who_is_not_known_is_refused_before_anything_is_opened) {
  const Bytes sealed = seal(text_of(30), both()).value();
  ReadContext context = reading(world().bob);
  context.sender = [](const keys::KeyId&) { return nullptr; };
  EXPECT_EQ(code_of(sealed, context), Code::not_found);
  context.sender = [](const keys::KeyId&) { return &world().mallory.pair.record; };
  EXPECT_EQ(code_of(sealed, context), Code::kid_mismatch);
}

TEST(Container, a_trailer_binds_its_own_container) {
  const Sections one(seal(text_of(30), both(), 1).value());
  const Sections other(seal(text_of(30), both(), 2).value());
  const auto code = [&](const Bytes& trailer) {
    Sections sections = one;
    sections.trailer = trailer;
    return code_of(sections.joined(), reading(world().bob));
  };
  EXPECT_EQ(code(other.trailer), Code::blob_hash);
  const auto changed = [&](std::string_view name, const wire::Value& value) {
    wire::Value trailer = Sections::value(one.trailer);
    trailer.as_object().insert_or_assign(std::string(name), value);
    return code(Sections::section(trailer));
  };
  EXPECT_EQ(changed("len", 1), Code::blob_hash);
  EXPECT_EQ(changed("hash", to_base64url(Hash{})), Code::blob_hash);
  EXPECT_EQ(changed("asig", to_base64url(Bytes(64))), Code::signature);
  EXPECT_EQ(changed("asig", to_base64url(Bytes(256))), Code::algorithm_mix);
  EXPECT_EQ(changed("more", 1), Code::unknown_member);
  // Another's signature over exactly this, and alice's over another header.
  wire::Value header = Sections::value(one.header);
  const Trailer trailer = parse_trailer(Sections::value(one.trailer)).value();
  const auto signed_by = [&](const crypto::SigningKey& key) {
    return to_base64url(keys::sign_beside(signed_form(header, trailer), key).value());
  };
  EXPECT_EQ(changed("asig", signed_by(world().alice.pair.signing)), Code::bom);
  EXPECT_EQ(changed("asig", signed_by(world().mallory.pair.signing)), Code::signature);
  header.as_object()["ts"] = mail::testing::now_ms + 1;
  EXPECT_EQ(changed("asig", signed_by(world().alice.pair.signing)), Code::signature);
}

TEST(Container, what_a_reader_would_refuse_is_not_sealed) {
  const auto code = [](const testing::Recipients& to, std::int64_t ts) {
    return mail::testing::code_of(seal({}, to, 1, {.ts = ts}));
  };
  const keys::KeyRecord* bob = &world().bob.pair.record;
  EXPECT_EQ(code({}, mail::testing::now_ms), Code::schema);
  EXPECT_EQ(code({bob, bob}, mail::testing::now_ms), Code::schema);
  EXPECT_EQ(code(testing::Recipients(101, bob), mail::testing::now_ms), Code::too_many_stanzas);
  EXPECT_EQ(code({bob}, 0), Code::key_expired);
  EXPECT_EQ(code({bob}, -1), Code::schema);
  wire::Value value = bob->value();
  value.as_object()["aeads"] = wire::Array{"c20p1305"};
  value.as_object().erase("sig");
  const auto choosy =
      keys::KeyRecord::parse(keys::sign_object(std::move(value), world().bob.pair.signing).value())
          .value();
  EXPECT_EQ(code({&choosy}, mail::testing::now_ms), Code::unknown_algorithm);
}

}  // namespace
}  // namespace ams::container
