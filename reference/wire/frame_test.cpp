// Goal: frames are judged by their header alone, however the stream is cut, and hostile streams
// cost no memory. Method: headers one step over each limit, random streams in random pieces, a
// flood.
#include "wire/frame.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ams::wire {
namespace {

Bytes header(std::uint32_t size, std::uint8_t kind) {
  Bytes out;
  append_u32(out, size);
  out.push_back(kind);
  return out;
}

std::string frame_code(ByteView in) {
  const auto frame = parse_frame(in);
  if (!frame) return std::string(code_info(frame.error().code).name);
  return *frame ? "frame" : "more";
}

TEST(ParseFrame, judges_the_header_before_the_payload) {
  EXPECT_EQ(frame_code({}), "more");
  EXPECT_EQ(frame_code(Bytes{0xff, 0xff, 0xff, 0xff}), "more");
  EXPECT_EQ(frame_code(header(1, 0)), "frame_kind");
  EXPECT_EQ(frame_code(header(1, 3)), "frame_kind");
  EXPECT_EQ(frame_code(header(0xffffffff, 3)), "frame_kind");
  EXPECT_EQ(frame_code(header(1 << 20, 1)), "more");
  EXPECT_EQ(frame_code(header((1 << 20) + 1, 1)), "frame_too_large");
  EXPECT_EQ(frame_code(header(0xffffffff, 1)), "frame_too_large");
  EXPECT_EQ(frame_code(header(65552, 2)), "more");
  EXPECT_EQ(frame_code(header(65553, 2)), "frame_too_large");
  EXPECT_EQ(frame_code(header(0, 1)), "frame_empty");
  EXPECT_EQ(frame_code(header(0, 2)), "frame_empty");
  EXPECT_EQ(frame_code(header(15, 2)), "frame_short");
  EXPECT_EQ(frame_code(header(16, 2)), "more");
}

TEST(ParseFrame, borrows_the_payload) {
  Bytes stream;
  ASSERT_TRUE(append_frame(stream, FrameKind::json, as_bytes("{}")));
  EXPECT_EQ(to_hex(stream), "00000002017b7d");
  append_blob_frame(stream, 7, 9, as_bytes("abc"));
  const auto first = parse_frame(stream);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->kind, FrameKind::json);
  EXPECT_EQ((*first)->payload.data(), stream.data() + frame_header_size);
  const auto second = parse_frame(ByteView(stream).subspan((*first)->consumed));
  ASSERT_TRUE(second && *second);
  const BlobChunk chunk = parse_blob_payload((*second)->payload);
  EXPECT_EQ(chunk.transfer, 7u);
  EXPECT_EQ(chunk.offset, 9u);
  EXPECT_EQ(as_text(chunk.bytes), "abc");
}

TEST(AppendFrame, refuses_what_no_reader_takes) {
  Bytes out;
  EXPECT_EQ(append_frame(out, FrameKind::json, {}).error().code, Code::frame_empty);
  EXPECT_EQ(append_frame(out, FrameKind::json, Bytes(json_payload_size_max + 1)).error().code,
            Code::frame_too_large);
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(append_frame(out, FrameKind::json, Bytes(json_payload_size_max)));
}

/// What a reader gives for a stream in these pieces, as text: frames, then the final error if any.
std::string transcript(ByteView stream, const std::vector<std::size_t>& cuts) {
  FrameReader reader;
  std::string out;
  bool failed = false;
  const auto drain = [&] {
    for (;;) {
      const auto frame = reader.next();
      if (!frame) {
        if (!failed) out += code_info(frame.error().code).name;
        failed = true;
        return;
      }
      if (!*frame) return;
      out += std::to_string(static_cast<int>((*frame)->kind)) + to_hex((*frame)->payload) + ";";
    }
  };
  for (std::size_t i = 0; !stream.empty(); ++i) {
    const std::size_t size = i < cuts.size() ? std::min(cuts[i], stream.size()) : stream.size();
    reader.push(stream.first(size));
    stream = stream.subspan(size);
    drain();
  }
  return out + "|" + std::to_string(reader.buffered());
}

TEST(FrameReader, any_split_gives_the_same_frames_and_the_same_error) {
  EXPECT_TRUE(rc::check([] {
    Bytes stream;
    const int frames = *rc::gen::inRange(0, 6);
    for (int i = 0; i < frames; ++i) {
      const Bytes payload = *rc::gen::nonEmpty(rc::gen::arbitrary<Bytes>());
      if (*rc::gen::arbitrary<bool>())
        RC_ASSERT(append_frame(stream, FrameKind::json, payload).has_value());
      else
        append_blob_frame(stream, payload[0], 3, payload);
    }
    append(stream, *rc::gen::arbitrary<Bytes>());  // garbage or an unfinished header
    const auto cuts =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 9));
    RC_ASSERT(transcript(stream, cuts) == transcript(stream, {}));
    RC_ASSERT(transcript(stream, std::vector<std::size_t>(stream.size(), 1)) ==
              transcript(stream, {}));
  }));
}

TEST(FrameReader, the_first_error_is_final_and_frees_memory) {
  FrameReader reader;
  reader.push(Bytes(50'000, 0xff));
  EXPECT_EQ(reader.next().error().code, Code::frame_kind);
  for (int i = 0; i < 1000; ++i) {
    reader.push(Bytes(50'000, 0xff));
    EXPECT_FALSE(reader.next());
  }
  EXPECT_EQ(reader.capacity(), 0u);
}

TEST(FrameReader, an_announced_length_takes_no_memory) {
  std::vector<FrameReader> readers(100);
  for (FrameReader& reader : readers) {
    reader.push(header(json_payload_size_max, 1));
    EXPECT_FALSE(reader.next().value());
    EXPECT_LE(reader.capacity(), 64u);
  }
}

TEST(FrameReader, memory_is_bound_by_one_frame_and_a_piece) {
  Bytes one;
  ASSERT_TRUE(append_frame(one, FrameKind::json, Bytes(json_payload_size_max, 'x')));
  constexpr std::size_t piece_size = 60'000;
  FrameReader reader;
  std::size_t given = 0;
  std::size_t capacity_max = 0;
  for (int frame = 0; frame < 20; ++frame) {
    for (ByteView rest = one; !rest.empty();) {
      const auto piece = rest.first(std::min(piece_size, rest.size()));
      rest = rest.subspan(piece.size());
      reader.push(piece);
      while (reader.next().value()) ++given;
      capacity_max = std::max(capacity_max, reader.capacity());
    }
  }
  EXPECT_EQ(given, 20u);
  EXPECT_LE(capacity_max, 2 * (one.size() + piece_size));  // a vector's growth at most doubles
  EXPECT_EQ(reader.capacity(), 0u);                        // quiet again
}

}  // namespace
}  // namespace ams::wire
