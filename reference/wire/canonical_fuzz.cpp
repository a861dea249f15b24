// Property: what decode() accepts is written back byte for byte, and a message that is accepted as
// well.
#include <cstdlib>

#include "wire/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ams::ByteView in(data, size);
  const auto value = ams::wire::decode(in);
  if (value && ams::wire::encode(*value) != ams::to_bytes(in)) std::abort();
  auto message = ams::wire::decode_message(in);
  if (message && !value) std::abort();
  if (message && ams::wire::encode_message(std::move(*message)) != ams::to_bytes(in)) std::abort();
  return 0;
}
