// Property: a header or an array of stanzas that is accepted is written back byte for byte.
#include "mail/objects.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ams::Bytes input(data, data + size);
  const auto value = ams::wire::decode(input);
  if (!value) return 0;
  if (const auto header = ams::mail::parse_header(*value))
    AMS_ASSERT(ams::wire::encode(ams::mail::to_value(*header)) == input);
  if (const auto stanzas = ams::mail::parse_stanzas(*value)) {
    ams::wire::Array again;
    for (const ams::mail::Stanza& stanza : *stanzas) again.push_back(ams::mail::to_value(stanza));
    AMS_ASSERT(ams::wire::encode(again) == input);
  }
  return 0;
}
