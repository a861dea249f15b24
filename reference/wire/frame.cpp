#include "wire/frame.h"

#include "policy/mutant.h"

namespace ams::wire {
namespace {

constexpr std::size_t idle_capacity_max = 64 << 10;  // bytes a quiet connection may keep

std::size_t payload_size_max(FrameKind kind) {
  return kind == FrameKind::blob ? blob_payload_size_max : json_payload_size_max;
}

// The header alone decides, before the payload is waited for: a hostile length must not make us
// buffer.
Result<FrameKind> judge_header(std::uint8_t kind_byte, std::size_t size) {
  auto kind = static_cast<FrameKind>(kind_byte);
  if (mutant("wire.length_before_kind") && size > json_payload_size_max)
    return fail(Code::frame_too_large, "frame");
  if (kind != FrameKind::json && kind != FrameKind::blob) {
    if (!mutant("wire.accept_frame_kind")) return fail(Code::frame_kind, "frame");
    kind = FrameKind::json;
  }
  if (size > payload_size_max(kind) && !mutant("wire.accept_frame_too_large"))
    return fail(Code::frame_too_large, "frame");
  if (size == 0 && !mutant("wire.accept_frame_empty")) return fail(Code::frame_empty, "frame");
  if (kind == FrameKind::blob && size > 0 && size < blob_header_size &&
      !mutant("wire.accept_frame_short"))
    return fail(Code::frame_short, "frame");
  return kind;
}

void append_header(Bytes& out, FrameKind kind, std::size_t size) {
  append_u32(out, static_cast<std::uint32_t>(size));
  out.push_back(static_cast<std::uint8_t>(kind));
}

}  // namespace

Result<std::optional<Frame>> parse_frame(ByteView in) {
  if (in.size() < frame_header_size) return std::nullopt;
  const std::size_t size = read_u32(in);
  AMS_TRY(const FrameKind kind, judge_header(in[4], size));
  if (in.size() - frame_header_size < size) return std::nullopt;
  return Frame{kind, in.subspan(frame_header_size, size), frame_header_size + size};
}

Result<> append_frame(Bytes& out, FrameKind kind, ByteView payload) {
  if (payload.size() > payload_size_max(kind)) return fail(Code::frame_too_large, "frame");
  if (payload.empty()) return fail(Code::frame_empty, "frame");
  AMS_ASSERT(kind != FrameKind::blob || payload.size() >= blob_header_size);
  append_header(out, kind, payload.size());
  append(out, payload);
  return {};
}

void append_blob_frame(Bytes& out, std::uint64_t transfer, std::uint64_t offset, ByteView bytes) {
  AMS_ASSERT(bytes.size() <= blob_chunk_size_max);
  append_header(out, FrameKind::blob, blob_header_size + bytes.size());
  append_u64(out, transfer);
  append_u64(out, offset);
  append(out, bytes);
}

BlobChunk parse_blob_payload(ByteView payload) {
  if (payload.size() < blob_header_size) {  // no reader but a mutant's lets this through
    AMS_ASSERT(mutant("wire.accept_frame_short") || mutant("wire.accept_frame_empty"));
    return {0, 0, {}};
  }
  return {read_u64(payload), read_u64(payload.subspan(8)), payload.subspan(blob_header_size)};
}

void FrameReader::push(ByteView piece) {
  if (error_) return;
  if (start_ > 0) {  // what was given goes first, so that memory is bound by what is still to give
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(start_));
    start_ = 0;
  }
  append(buffer_, piece);
}

Result<std::optional<Frame>> FrameReader::next() {
  if (error_) return tl::unexpected<Error>(*error_);
  auto frame = parse_frame(ByteView(buffer_).subspan(start_));
  if (!frame) {
    error_ = frame.error();
    release();
  } else if (*frame) {
    start_ += (*frame)->consumed;
  } else if (start_ == buffer_.size() && buffer_.capacity() > idle_capacity_max) {
    release();  // thousands of quiet connections must not keep a large frame's memory each
  }
  return frame;
}

void FrameReader::release() {
  Bytes().swap(buffer_);
  start_ = 0;
}

}  // namespace ams::wire
