// Goal: a sealed stream opens to what was sealed, and any change to it is refused with its own
// code. Method: answers made by an independent Python program; sizes around the chunk's; for short
// streams every bit and every length, for long ones every chunk boundary and drawn places.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "crypto/test_data.h"

namespace ams::crypto {
namespace {

using test_data::hex;

constexpr std::size_t whole_chunk = stream_chunk_size + aead_tag_size;
constexpr std::array both_aeads{Aead::a256gcm, Aead::c20p1305};

Bytes counting(std::size_t size, std::size_t first, std::size_t step = 1) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(first + i * step);
  return out;
}

struct Sample {
  Bytes key = counting(32, 0);
  Bytes context = to_bytes("AMS1-BODY");
  Bytes salt = counting(24, 100);
  Sample() { context.resize(context.size() + 32); }

  Bytes seal(Aead aead, ByteView plaintext) const {
    return *stream_seal(aead, key, context, salt, plaintext);
  }
  std::optional<Code> refusal(Aead aead, ByteView sealed) const {
    const auto opened = stream_open(aead, key, context, sealed);
    return opened ? std::nullopt : std::optional(opened.error().code);
  }
};

/// What the order of checks gives for a stream cut to `size` bytes.
Code code_of_cut(std::size_t size) {
  if (size < stream_header_size + aead_tag_size) return Code::stream_truncated;
  const std::size_t last = (size - stream_header_size) % whole_chunk;
  return last < aead_tag_size ? Code::stream_truncated : Code::chunk;
}

Code code_of_change(std::size_t at) {
  return at < stream_header_size ? Code::key_commitment : Code::chunk;
}

TEST(Stream, answers_of_an_independent_program) {
  const Sample sample;
  const std::string header =
      "6465666768696a6b6c6d6e6f707172737475767778797a7b"
      "4eca577a17c8048f67ca276f1e3f91722b9e504d3f0c032bec58d00266e25132";
  const Bytes hi = to_bytes("hi");
  EXPECT_EQ(to_hex(sample.seal(Aead::a256gcm, hi)),
            header + "71405fd8b5b04f200d636b44d6f66232aa36");
  EXPECT_EQ(to_hex(sample.seal(Aead::c20p1305, hi)),
            header + "e2563051e200bb555be07e699f303b16094c");
  const Bytes two_chunks = counting(stream_chunk_size + 5, 3, 7);
  EXPECT_EQ(to_hex(sha256(sample.seal(Aead::a256gcm, two_chunks))),
            "82fda326d6fe5586b1728e0e4ee32aaccb4bbf5d02c3843afc820e0d7a2d2eee");
  EXPECT_EQ(to_hex(sha256(sample.seal(Aead::c20p1305, two_chunks))),
            "eec5e12706991435307c4862977ff8ae0e7eee5bfac60cc94ba766a05000f8e4");
}

TEST(Stream, round_trips_around_the_chunk_size) {
  const Sample sample;
  for (const Aead aead : both_aeads) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{16383}, std::size_t{16384},
          std::size_t{16385}, std::size_t{32768}, std::size_t{49152}, std::size_t{50000}}) {
      const Bytes plaintext = counting(size, 11, 13);
      const Bytes sealed = sample.seal(aead, plaintext);
      EXPECT_EQ(sealed.size(), sealed_size(size));
      const auto opened = stream_open(aead, sample.key, sample.context, sealed);
      ASSERT_TRUE(opened) << size;
      EXPECT_TRUE(*opened == plaintext) << size;
    }
  }
}

TEST(Stream, round_trips_whatever_the_inputs) {
  EXPECT_TRUE(rc::check([](const std::array<std::uint8_t, 32>& key,
                           const std::array<std::uint8_t, 24>& salt, const Bytes& context) {
    const auto aead = *rc::gen::elementOf(both_aeads);
    const Bytes plaintext = counting(*rc::gen::inRange<std::size_t>(0, 40000), 5, 3);
    const auto sealed = stream_seal(aead, key, context, salt, plaintext);
    RC_ASSERT(sealed && sealed->size() == sealed_size(plaintext.size()));
    RC_ASSERT(stream_open(aead, key, context, *sealed) == plaintext);
  }));
}

TEST(Stream, every_flipped_bit_of_a_short_stream_is_refused) {
  const Sample sample;
  for (const Aead aead : both_aeads) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{40}}) {
      Bytes sealed = sample.seal(aead, counting(size, 1));
      for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        const auto mask = static_cast<std::uint8_t>(1 << (bit % 8));
        sealed[bit / 8] ^= mask;
        EXPECT_EQ(sample.refusal(aead, sealed), code_of_change(bit / 8)) << size << " " << bit;
        sealed[bit / 8] ^= mask;
      }
      EXPECT_EQ(sample.refusal(aead, sealed), std::nullopt);
    }
  }
}

TEST(Stream, any_flipped_bit_of_three_chunks_is_refused) {
  const Sample sample;
  const Bytes plaintext = counting(2 * stream_chunk_size + 77, 1);
  const Bytes sealed = sample.seal(Aead::a256gcm, plaintext);
  EXPECT_TRUE(rc::check([&] {
    Bytes changed = sealed;
    const auto at = *rc::gen::inRange<std::size_t>(0, sealed.size());
    changed[at] ^= static_cast<std::uint8_t>(1 << *rc::gen::inRange(0, 8));
    RC_ASSERT(sample.refusal(Aead::a256gcm, changed) == code_of_change(at));
  }));
}

TEST(Stream, every_shorter_length_is_refused) {
  const Sample sample;
  for (const Aead aead : both_aeads) {
    const Bytes sealed = sample.seal(aead, counting(100, 1));
    for (std::size_t size = 0; size < sealed.size(); ++size) {
      EXPECT_EQ(sample.refusal(aead, ByteView(sealed).first(size)), code_of_cut(size)) << size;
    }
  }
  // Three chunks: all lengths near the boundaries, and a stride through the rest.
  const Bytes sealed = sample.seal(Aead::a256gcm, counting(2 * stream_chunk_size + 77, 1));
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    const std::size_t within =
        size < stream_header_size ? 0 : (size - stream_header_size) % whole_chunk;
    if (within > 34 && within < whole_chunk - 18 && size % 501 != 0) continue;
    EXPECT_EQ(sample.refusal(Aead::a256gcm, ByteView(sealed).first(size)), code_of_cut(size))
        << size;
  }
}

TEST(Stream, a_stream_of_whole_chunks_still_ends_in_a_short_one) {
  const Sample sample;
  for (const Aead aead : both_aeads) {
    const Bytes sealed = sample.seal(aead, counting(2 * stream_chunk_size, 1));
    EXPECT_EQ(sealed.size(), stream_header_size + 2 * whole_chunk + aead_tag_size);
    const ByteView cut = ByteView(sealed).first(stream_header_size + 2 * whole_chunk);
    EXPECT_EQ(sample.refusal(aead, cut), Code::stream_truncated);
  }
}

TEST(Stream, moved_chunks_are_refused) {
  const Sample sample;
  const Bytes plaintext(3 * stream_chunk_size + 5, 0x77);  // equal chunks: only places differ
  for (const Aead aead : both_aeads) {
    const Bytes sealed = sample.seal(aead, plaintext);
    const ByteView header = ByteView(sealed).first(stream_header_size);
    const auto chunk = [&](std::size_t i) {
      const ByteView rest = ByteView(sealed).subspan(stream_header_size + i * whole_chunk);
      return rest.first(std::min(rest.size(), whole_chunk));
    };
    for (const std::vector<std::size_t>& order : std::vector<std::vector<std::size_t>>{
             {1, 0, 2, 3}, {0, 2, 1, 3}, {0, 1, 3}, {1, 2, 3}, {0, 0, 1, 2, 3}, {3}}) {
      Bytes moved = to_bytes(header);
      for (const std::size_t i : order) append(moved, chunk(i));
      EXPECT_EQ(sample.refusal(aead, moved), Code::chunk);
    }
    Bytes longer = sealed;
    longer.push_back(0);
    EXPECT_EQ(sample.refusal(aead, longer), Code::chunk);
  }
}

TEST(Stream, the_commitment_binds_key_and_context) {
  const Sample sample;
  const Bytes sealed = sample.seal(Aead::a256gcm, counting(10, 1));
  Sample other_key;
  other_key.key[31] ^= 1;
  EXPECT_EQ(other_key.refusal(Aead::a256gcm, sealed), Code::key_commitment);
  Sample other_context;
  other_context.context.back() ^= 1;
  EXPECT_EQ(other_context.refusal(Aead::a256gcm, sealed), Code::key_commitment);
  EXPECT_EQ(sample.refusal(Aead::c20p1305, sealed), Code::chunk);
}

TEST(Stream, truncation_is_told_before_commitment_and_commitment_before_chunks) {
  const Sample sample;
  Bytes sealed = sample.seal(Aead::a256gcm, counting(10, 1));
  sealed[30] ^= 1;
  sealed.back() ^= 1;
  EXPECT_EQ(sample.refusal(Aead::a256gcm, sealed), Code::key_commitment);
  EXPECT_EQ(sample.refusal(Aead::a256gcm, ByteView(sealed).first(71)), Code::stream_truncated);
}

/// Some cut of `whole` into pieces. Small cases of rapidcheck draw small pieces, but not empty ones
/// only: the cut would never end.
std::vector<ByteView> drawn_pieces(ByteView whole) {
  std::vector<ByteView> out{whole.first(0)};
  while (!whole.empty()) {
    const auto drawn = *rc::gen::resize(100, rc::gen::inRange<std::size_t>(1, 40000));
    const auto size = std::min(drawn, whole.size());
    out.push_back(whole.first(size));
    whole = whole.subspan(size);
  }
  return out;
}

TEST(Stream, pieces_give_the_bytes_of_the_whole) {
  EXPECT_TRUE(rc::check([] {
    const Sample sample;
    const auto aead = *rc::gen::elementOf(both_aeads);
    const auto about = *rc::gen::element<std::size_t>(0, 16384, 32768, 49152, 100000);
    const auto size = about + *rc::gen::inRange<std::size_t>(0, 40);
    const Bytes plaintext = counting(size, 7, 3);
    StreamSealer sealer(aead, sample.key, sample.context, sample.salt);
    Bytes sealed;
    for (const ByteView piece : drawn_pieces(plaintext)) sealer.push(piece, sealed);
    sealer.finish(sealed);
    RC_ASSERT(sealed == sample.seal(aead, plaintext));
    StreamOpener opener(aead, sample.key, sample.context);
    Bytes opened;
    for (const ByteView piece : drawn_pieces(sealed)) RC_ASSERT(opener.push(piece, opened));
    RC_ASSERT(opener.finish(opened));
    RC_ASSERT(opened == plaintext);
  }));
}

TEST(Stream, only_verified_chunks_come_out_of_pieces) {
  const Sample sample;
  const Bytes plaintext = counting(2 * stream_chunk_size + 77, 1);
  const Bytes sealed = sample.seal(Aead::a256gcm, plaintext);
  EXPECT_TRUE(rc::check([&] {
    Bytes changed = sealed;
    const auto at = *rc::gen::inRange<std::size_t>(0, sealed.size());
    changed[at] ^= static_cast<std::uint8_t>(1 << *rc::gen::inRange(0, 8));
    StreamOpener opener(Aead::a256gcm, sample.key, sample.context);
    Bytes opened;
    Result<> result;
    for (const ByteView piece : drawn_pieces(changed))
      if (result) result = opener.push(piece, opened);
    if (result) result = opener.finish(opened);
    RC_ASSERT(!result);
    RC_ASSERT(result.error().code == code_of_change(at));
    const std::size_t good = at < stream_header_size ? 0 : (at - stream_header_size) / whole_chunk;
    RC_ASSERT(opened == to_bytes(ByteView(plaintext).first(good * stream_chunk_size)));
  }));
}

TEST(Stream, pieces_that_stop_early_are_told_at_the_end) {
  const Sample sample;
  const Bytes sealed = sample.seal(Aead::c20p1305, counting(stream_chunk_size + 5, 1));
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{55}, stream_header_size, stream_header_size + whole_chunk,
        stream_header_size + whole_chunk + 15}) {
    StreamOpener opener(Aead::c20p1305, sample.key, sample.context);
    Bytes opened;
    ASSERT_TRUE(opener.push(ByteView(sealed).first(size), opened)) << size;
    const auto result = opener.finish(opened);
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().code, Code::stream_truncated) << size;
  }
}

}  // namespace
}  // namespace ams::crypto
