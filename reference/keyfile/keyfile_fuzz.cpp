// Property: whatever stands in a key file's box gives a code, or contents that read back as
// themselves. Method: the bytes as the plaintext of a box; what is around the box costs a
// derivation of 16 MiB each time, and has its tests instead.
#include <cstddef>
#include <cstdint>

#include "keyfile/contents.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ams;
  const ByteView bytes(data, size);
  const auto contents = keyfile::parse_contents(bytes);
  if (!contents) return 0;
  std::vector<keyfile::Source> sources;
  for (const keyfile::Held& held : contents->pairs)
    sources.push_back({&held.pair, held.revocation});
  const auto again =
      keyfile::parse_contents(keyfile::contents_layout(contents->addr, sources).view());
  if (!again || again->addr != contents->addr || again->pairs.size() != contents->pairs.size())
    __builtin_trap();
  for (std::size_t i = 0; i < again->pairs.size(); ++i)
    if (again->pairs[i].pair.record.id() != contents->pairs[i].pair.record.id()) __builtin_trap();
  return 0;
}
