// Property: a key record that is accepted says its own id and is written back byte for byte.
#include "keys/records.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ams::ByteView input(data, size);
  const auto value = ams::wire::decode(input);
  if (!value) return 0;
  const auto record = ams::keys::KeyRecord::parse(*value);
  if (!record) return 0;
  const ams::Bytes again = ams::wire::encode(record->value());
  AMS_ASSERT(ams::Bytes(input.begin(), input.end()) == again);
  AMS_ASSERT(ams::keys::KeyRecord::parse_as(*value, record->id()).has_value());
  AMS_ASSERT(ams::keys::kid_of(record->id().fp) == record->id().kid);
  return 0;
}
