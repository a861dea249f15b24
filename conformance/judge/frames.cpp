#include "judge/frames.h"

namespace ams::conform {

Bytes write_frame(std::uint8_t kind, ByteView payload, std::optional<std::uint32_t> length) {
  Bytes out;
  append_u32(out, length.value_or(static_cast<std::uint32_t>(payload.size())));
  out.push_back(kind);
  append(out, payload);
  return out;
}

Bytes write_chunk(std::uint64_t transfer, std::uint64_t offset, ByteView bytes) {
  Bytes payload;
  append_u64(payload, transfer);
  append_u64(payload, offset);
  append(payload, bytes);
  return write_frame(2, payload);
}

std::optional<Frame> FrameSplitter::next() {
  if (wrong_ || buffer_.size() < frame_header) return std::nullopt;
  const std::size_t length = read_u32(buffer_);
  const std::uint8_t kind = buffer_[4];
  if (kind != 1 && kind != 2)
    wrong_ = "a frame of kind " + std::to_string(kind) + " (WIR-4)";
  else if (length == 0)
    wrong_ = "a frame of length 0 (WIR-5)";
  else if (kind == 2 && length < 16)
    wrong_ = "a blob frame shorter than its header (WIR-6)";
  else if (length > (kind == 1 ? json_max : chunk_max))
    wrong_ = "a frame too large (WIR-7)";
  if (wrong_ || buffer_.size() - frame_header < length) return std::nullopt;
  const ByteView payload = ByteView(buffer_).subspan(frame_header, length);
  Frame out{kind, to_bytes(payload)};
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(5 + length));
  return out;
}

}  // namespace ams::conform
