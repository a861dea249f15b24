// Properties: a map proof that is accepted is written back byte for byte; no input shows a kid both
// present and absent; log proofs, frontiers and epochs of any bytes are judged without harm, and
// what decodes is written back.
#include <cstdlib>

#include "verifiable/log.h"
#include "verifiable/map.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ams::verifiable;
  const ams::ByteView in(data, size);
  if (const auto proof = decode_map_proof(in); proof && encode(*proof) != ams::to_bytes(in))
    std::abort();
  if (const auto frontier = Frontier::decode(in);
      frontier && frontier->encode() != ams::to_bytes(in))
    std::abort();
  if (const auto epoch = decode_epoch(in); epoch && encode(*epoch) != ams::to_bytes(in))
    std::abort();
  static const Map map = Map::of({{{1}, {1}}, {{2}, {2}}, {{200}, {3}}});
  for (const ams::Id16& kid : {ams::Id16{1}, ams::Id16{3}}) {
    const bool here = map.find(kid).has_value();
    if (verify_absent(map.root(), kid, in) && here) std::abort();
    if (verify_present(map.root(), kid, ams::Hash{1}, in) && !here) std::abort();
  }
  if (size < 16) return 0;
  const std::uint64_t a = ams::read_u64(in);
  const std::uint64_t b = ams::read_u64(in.subspan(8));
  const ams::ByteView rest = in.subspan(16);
  if (verify_inclusion(ams::Hash{9}, b, a, ams::Hash{1}, rest)) std::abort();  // needs a preimage
  (void)verify_consistency(a, ams::Hash{1}, b, ams::Hash{2}, rest).has_value();
  return 0;
}
