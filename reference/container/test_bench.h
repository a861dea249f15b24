// For this room's tests: alice seals to bob (x25519) and rita (rsa2048), and the container lies
// open in its sections for whoever wants to change one.
#pragma once

#include <string>
#include <vector>

#include "container/form.h"
#include "mail/forge_test.h"

namespace ams::container::testing {

using mail::testing::Person;
using mail::testing::World;

inline const World& world() {
  static const World the_world;
  return the_world;
}

inline Bytes text_of(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return out;
}

using Recipients = std::vector<const keys::KeyRecord*>;
inline Recipients both() { return {&world().bob.pair.record, &world().rita.pair.record}; }

inline Result<Bytes> seal(ByteView plaintext, const Recipients& to, std::uint8_t seed = 1,
                          const SealOptions& options = {.ts = mail::testing::now_ms}) {
  crypto::Drbg drbg(Bytes(32, seed));
  Bytes out;
  AMS_TRY(Writer writer, Writer::begin(world().alice.pair, to, options, drbg, out));
  writer.push(plaintext, out);
  AMS_CHECK(writer.finish(out));
  return out;
}

/// `reader` reads what alice sealed.
inline ReadContext reading(const Person& reader) {
  return {&reader.pair.record, &reader.pair.encryption,
          [](const keys::KeyId&) { return &world().alice.pair.record; }, mail::testing::now_ms};
}

struct Outcome {
  Bytes released;  // whether or not it failed
  Result<> result;
};
inline Outcome open(ByteView sealed, const ReadContext& context) {
  Reader reader(context);
  Outcome out;
  out.result = reader.push(sealed, out.released);
  if (out.result) out.result = reader.finish();
  return out;
}
/// What went wrong; `bom`, which no container can cause, when nothing did.
inline Code code_of(ByteView sealed, const ReadContext& context) {
  return mail::testing::code_of(open(sealed, context).result);
}

/// A container in its sections.
struct Sections {
  explicit Sections(ByteView sealed) {
    magic_line = take(sealed, magic.size());
    header = take(sealed, 4 + read_u32(sealed));
    stanzas = take(sealed, 4 + read_u32(sealed));
    stream_header = take(sealed, crypto::stream_header_size);
    do {
      chunks.push_back(take(sealed, 2 + (std::size_t{sealed[0]} << 8 | sealed[1])));
    } while (chunks.back().size() == 2 + crypto::stream_chunk_size + crypto::aead_tag_size);
    trailer = take(sealed, sealed.size());
  }
  static Bytes take(ByteView& from, std::size_t size) {
    Bytes out = to_bytes(from.first(size));
    from = from.subspan(size);
    return out;
  }
  static Bytes section(const wire::Value& value) {
    const Bytes encoded = wire::encode(value);
    Bytes out;
    append_u32(out, static_cast<std::uint32_t>(encoded.size()));
    append(out, encoded);
    return out;
  }
  static wire::Value value(ByteView section) { return wire::decode(section.subspan(4)).value(); }
  std::vector<ByteView> parts() const {
    std::vector<ByteView> out{magic_line, header, stanzas, stream_header};
    out.insert(out.end(), chunks.begin(), chunks.end());
    out.push_back(trailer);
    return out;
  }
  Bytes joined() const {
    Bytes out;
    for (const ByteView part : parts()) append(out, part);
    return out;
  }
  Bytes magic_line, header, stanzas, stream_header, trailer;
  std::vector<Bytes> chunks;
};

}  // namespace ams::container::testing
