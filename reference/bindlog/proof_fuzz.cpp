// Properties: entries, proofs, histories and lies of any bytes are judged without harm; what is
// accepted is written back, byte for byte; no proof of any bytes binds an address of a log that is
// empty, and nobody can be convicted of a lie.
#include <cstdlib>

#include "bindlog/test_world.h"

namespace {

using namespace ams::bindlog;

const Prover& empty_log() {
  static const Prover log = [] {
    Prover out = testing::make_log();
    out.seal(testing::now_s);
    return out;
  }();
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = ams::wire::decode({data, size});
  if (!value) return 0;
  if (const auto entry = parse_entry(*value); entry && to_value(*entry) != *value) std::abort();
  if (const auto proof = parse_proof(*value)) {
    if (to_value(*proof) != *value) std::abort();
    const auto proven = verify_proof(*value, proof->addr, empty_log().identity());
    if (proven && proven->entry) std::abort();
  }
  if (const auto history = parse_history(*value)) {
    if (to_value(*history) != *value) std::abort();
    if (verify_history(*value, history->addr, empty_log().identity(), {})) std::abort();
  }
  if (const auto lie = parse_lie(*value)) {
    if (to_value(*lie) != *value) std::abort();
    if (verify_lie(*lie, empty_log().identity(), nullptr)) std::abort();
  }
  return 0;
}
