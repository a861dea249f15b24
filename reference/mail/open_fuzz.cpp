// Property: a message whose header, signature or body differs in a bit from what was sealed does
// not open; stanzas, which a relay may leave out and nobody signs, change nothing of what is read.
// Input: edits, each u8 section (header, asig, stanzas, body), u16 place, u8 xor.
#include "mail/forge_test.h"

namespace {

using namespace ams;
using namespace ams::mail;

struct Parts {
  Bytes header, asig, stanzas, body;
  bool operator==(const Parts&) const = default;
};

Parts parts_of(const Sealed& sealed) {
  wire::Array stanzas;
  for (const Stanza& stanza : sealed.stanzas) stanzas.push_back(to_value(stanza));
  return {wire::encode(sealed.header), sealed.asig, wire::encode(stanzas), sealed.body};
}

Parts edited(ByteView data, Parts parts) {
  Bytes* const sections[] = {&parts.header, &parts.asig, &parts.stanzas, &parts.body};
  for (; data.size() >= 4; data = data.subspan(4)) {
    Bytes& section = *sections[data[0] % 4];
    section[static_cast<std::size_t>(data[1] << 8 | data[2]) % section.size()] ^= data[3];
  }
  return parts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const testing::World world;
  static const Sealed sealed =
      world.seal(world.draft(), {&world.bob.pair.record, &world.rita.pair.record}).value();
  static const Parts good = parts_of(sealed);
  const Parts parts = edited({data, size}, good);
  const auto header = wire::decode(parts.header);
  const auto stanzas = wire::decode(parts.stanzas);
  if (!header || !stanzas) return 0;
  const auto opened =
      open_received(*header, parts.asig, *stanzas, parts.body, world.reading(world.bob));
  if (parts == good) AMS_ASSERT(opened.has_value());
  if (!opened) return 0;
  AMS_ASSERT(parts.header == good.header && parts.asig == good.asig && parts.body == good.body);
  AMS_ASSERT(content_digest(*opened, {}) == content_digest(world.draft()));
  return 0;
}
