// Property: whatever is given as a key file, reading it neither crashes nor takes more than the
// cost that a file may ask for; and what stands inside an opened box is judged as strictly. Method:
// the bytes as a file do not open with our passphrase; as the plaintext of a box they give a code,
// or contents that read back as themselves.
#include <cstddef>
#include <cstdint>

#include "keyfile/contents.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ams;
  const ByteView bytes(data, size);
  if (keyfile::open(bytes, as_bytes("passphrase"))) __builtin_trap();
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
