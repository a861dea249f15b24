// Property: what an opener makes of a sealed stream does not depend on how its bytes come in; what
// it releases is a beginning of what was sealed, and it accepts the sealed bytes only (STR-3 to 6).
// Input: u16 length cut off the end, then edits of a good stream, each u32 place, u8 xor.
#include <algorithm>

#include "crypto/crypto.h"

namespace {

using namespace ams;

const Bytes key(32, 7), context{'f', 'u', 'z', 'z'};

struct Verdict {
  Bytes released;
  std::optional<Code> refusal;
};

Verdict read(ByteView input, std::size_t piece_size) {
  crypto::StreamOpener opener(crypto::Aead::a256gcm, key, context);
  Verdict out;
  while (!input.empty()) {
    const ByteView piece = input.first(std::min(piece_size, input.size()));
    if (const auto pushed = opener.push(piece, out.released); !pushed)
      return out.refusal = pushed.error().code, out;
    input = input.subspan(piece.size());
  }
  if (const auto finished = opener.finish(out.released); !finished)
    out.refusal = finished.error().code;
  return out;
}

Bytes edited(ByteView data, const Bytes& good) {
  Bytes out = good;
  if (data.size() < 2) return out;
  out.resize(good.size() - std::min(good.size(), std::size_t{data[0]} << 8 | data[1]));
  for (data = data.subspan(2); data.size() >= 5 && !out.empty(); data = data.subspan(5))
    out[read_u32(data) % out.size()] ^= data[4];
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Bytes plaintext(crypto::stream_chunk_size + 50, 'x');
  static const Bytes good =
      crypto::stream_seal(crypto::Aead::a256gcm, key, context, Bytes(24, 1), plaintext).value();
  const Bytes input = edited({data, size}, good);
  const Verdict whole = read(input, input.size() + 1);
  const Verdict pieces = read(input, 1 + size % 61);
  AMS_ASSERT(whole.refusal == pieces.refusal && whole.released == pieces.released);
  AMS_ASSERT(whole.refusal.has_value() == (input != good));
  AMS_ASSERT(whole.released.size() <= plaintext.size());
  AMS_ASSERT(std::equal(whole.released.begin(), whole.released.end(), plaintext.begin()));
  const auto at_once = crypto::stream_open(crypto::Aead::a256gcm, key, context, input);
  AMS_ASSERT(at_once.has_value() == (input == good));
  return 0;
}
