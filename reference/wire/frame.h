// A frame (spec WIR-3): length u32 big-endian = bytes of payload | kind u8 | payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace ams::wire {

enum class FrameKind : std::uint8_t {
  json = 1,  // one AMS-CJ text: wire/message.h
  blob = 2,  // transfer u64 | offset u64 | bytes
};

inline constexpr std::size_t frame_header_size = 5;                         // bytes
inline constexpr std::size_t json_payload_size_max = std::size_t{1} << 20;  // bytes, WIR-7
inline constexpr std::size_t blob_header_size = 16;                         // bytes
inline constexpr std::size_t blob_chunk_size_max = std::size_t{64} << 10;   // bytes, WIR-7
inline constexpr std::size_t blob_payload_size_max = blob_header_size + blob_chunk_size_max;

struct Frame {
  FrameKind kind;
  ByteView payload;      // borrows
  std::size_t consumed;  // bytes of header and payload
};

/// The first frame of `in`; empty: more bytes are needed. Judged in this order: frame_kind
/// (unknown), frame_too_large (length above the kind's), frame_empty, frame_short (blob without its
/// header). `payload` borrows from `in`. O(1), reentrant, never reads past `in`.
Result<std::optional<Frame>> parse_frame(ByteView in);

/// Appends a frame. Fails with frame_too_large or frame_empty, and then appends nothing.
Result<> append_frame(Bytes& out, FrameKind kind, ByteView payload);
/// Precondition: `bytes` is at most blob_chunk_size_max long. An empty chunk is allowed.
void append_blob_frame(Bytes& out, std::uint64_t transfer, std::uint64_t offset, ByteView bytes);

struct BlobChunk {
  std::uint64_t transfer;
  std::uint64_t offset;  // bytes from the blob's start
  ByteView bytes;        // borrows
};
/// Precondition: the payload of a blob frame that parse_frame or FrameReader gave.
BlobChunk parse_blob_payload(ByteView payload);

/// Cuts a stream into frames, whatever the pieces it arrives in.
///   reader.push(piece); while (auto frame = TRY(reader.next())) use(*frame);
/// Memory: less than one frame of the largest kind plus the last piece, if next() was called until
/// it gave nothing before each push; it grows with bytes received, never with an announced length.
/// The first error is final: all that is held is released and later pieces are dropped.
class FrameReader {
 public:
  void push(ByteView piece);
  /// The payload borrows from the reader until the next push() or next().
  Result<std::optional<Frame>> next();
  /// Bytes held that next() has not given yet: for back-pressure.
  std::size_t buffered() const { return buffer_.size() - start_; }
  /// Bytes of memory held.
  std::size_t capacity() const { return buffer_.capacity(); }

 private:
  void release();

  Bytes buffer_;
  std::size_t start_ = 0;  // where the first frame not given yet begins
  std::optional<Error> error_;
};

}  // namespace ams::wire
