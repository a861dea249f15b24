// Property: a TXT record that is accepted names a kid that its fp gives, and is written back as a
// record that says the same; and no other record of the same answer may be of version 1.
#include "discovery/records.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ams;
  const std::string text = to_string(ByteView(data, size));
  const auto root = discovery::parse_record(text);
  const std::string both[] = {text, text};
  AMS_ASSERT(!discovery::parse_records(both));
  if (!root) return 0;
  AMS_ASSERT(keys::kid_of(root->fp) == root->kid);
  AMS_ASSERT(discovery::parse_record(discovery::to_record(*root)).value() == *root);
  AMS_ASSERT(discovery::parse_records(std::span(both).first(1)).value() == *root);
  return 0;
}
