// Properties: frames that are accepted are written back byte for byte, and the reader gives the
// same frames and the same end for the whole stream as for any pieces of it.
#include <algorithm>
#include <cstdlib>

#include "wire/frame.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void write_back(ams::Bytes& out, const ams::wire::Frame& frame) {
  if (frame.kind == ams::wire::FrameKind::json) {
    require(ams::wire::append_frame(out, frame.kind, frame.payload).has_value());
    return;
  }
  const auto chunk = ams::wire::parse_blob_payload(frame.payload);
  ams::wire::append_blob_frame(out, chunk.transfer, chunk.offset, chunk.bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece_size = data[0] % 32 + 1u;  // the first byte says how the stream is cut
  const ams::ByteView stream(data + 1, size - 1);

  ams::Bytes whole;
  std::optional<ams::Code> whole_end;
  for (ams::ByteView rest = stream;;) {
    const auto frame = ams::wire::parse_frame(rest);
    if (!frame) whole_end = frame.error().code;
    if (!frame || !*frame) break;
    write_back(whole, **frame);
    rest = rest.subspan((*frame)->consumed);
  }
  require(whole.size() <= stream.size() && whole == ams::to_bytes(stream.first(whole.size())));

  ams::Bytes pieces;
  std::optional<ams::Code> pieces_end;
  ams::wire::FrameReader reader;
  for (ams::ByteView rest = stream; !rest.empty() && !pieces_end;) {
    const auto piece = rest.first(std::min(piece_size, rest.size()));
    rest = rest.subspan(piece.size());
    reader.push(piece);
    for (;;) {
      const auto frame = reader.next();
      if (!frame) pieces_end = frame.error().code;
      if (!frame || !*frame) break;
      write_back(pieces, **frame);
    }
  }
  require(pieces == whole && pieces_end == whole_end);
  return 0;
}
