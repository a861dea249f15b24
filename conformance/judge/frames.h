// The suite's own frames (spec WIR-3): writing any header, well formed or not, and splitting what a
// peer sends.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"

namespace ams::conform {

inline constexpr std::size_t frame_header = 5;
inline constexpr std::size_t json_max = 1'048'576;  // WIR-7
inline constexpr std::size_t chunk_max = 65'552;

struct Frame {
  std::uint8_t kind = 0;
  Bytes payload;
};

/// `length`: what the header claims; the payload's size when left out.
Bytes write_frame(std::uint8_t kind, ByteView payload, std::optional<std::uint32_t> length = {});
Bytes write_chunk(std::uint64_t transfer, std::uint64_t offset, ByteView bytes);

class FrameSplitter {
 public:
  void push(ByteView bytes) { append(buffer_, bytes); }
  /// The next whole frame. A header that WIR-4 to WIR-7 forbid is reported in `wrong()`.
  std::optional<Frame> next();
  const std::optional<std::string>& wrong() const { return wrong_; }

 private:
  Bytes buffer_;
  std::optional<std::string> wrong_;
};

}  // namespace ams::conform
