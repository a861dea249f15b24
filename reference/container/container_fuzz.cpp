// Property: what a reader makes of a container does not depend on how its bytes come in; whatever
// it releases is a beginning of what was sealed, and it accepts the sealed bytes only.
// Input: edits of a good container, each u32 place, u8 xor; or, after a first byte of 255, the
// container itself.
#include <algorithm>

#include "container/test_bench.h"

namespace {

using namespace ams;

struct Verdict {
  Bytes released;
  Result<> result;
  bool operator==(const Verdict& other) const {
    if (released != other.released || result.has_value() != other.result.has_value()) return false;
    return result || result.error() == other.result.error();
  }
};

Verdict read(ByteView input, std::size_t piece_size) {
  container::Reader reader(container::testing::reading(container::testing::world().bob));
  Verdict out;
  while (!input.empty() && out.result) {
    const ByteView piece = input.first(std::min(piece_size, input.size()));
    out.result = reader.push(piece, out.released);
    input = input.subspan(piece.size());
  }
  if (out.result) out.result = reader.finish();
  return out;
}

Bytes container_of(ByteView data, const Bytes& good) {
  if (!data.empty() && data[0] == 255) return to_bytes(data.subspan(1));
  Bytes out = good;
  for (; data.size() >= 5; data = data.subspan(5)) out[read_u32(data) % out.size()] ^= data[4];
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Bytes plaintext = container::testing::text_of(crypto::stream_chunk_size + 50);
  static const Bytes good =
      container::testing::seal(plaintext, {&container::testing::world().bob.pair.record}).value();
  const Bytes input = container_of({data, size}, good);
  const Verdict whole = read(input, input.size() + 1);
  AMS_ASSERT(whole == read(input, 1 + size % 61));
  AMS_ASSERT(!whole.result || input == good);
  AMS_ASSERT(whole.released.size() <= plaintext.size());
  AMS_ASSERT(std::equal(whole.released.begin(), whole.released.end(), plaintext.begin()));
  return 0;
}
