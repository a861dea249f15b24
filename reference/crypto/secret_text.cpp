#include "crypto/secret_text.h"

namespace ams::crypto {
namespace {

/// All ones when `x` is negative, else zero.
constexpr std::int32_t mask_of_negative(std::int32_t x) { return x >> 31; }

/// The character of six bits: each range's distance from the one before is added where it is above.
constexpr char character_of(std::int32_t v) {
  std::int32_t c = v + 'A';
  c += mask_of_negative(25 - v) & ('a' - 26 - 'A');
  c += mask_of_negative(51 - v) & ('0' - 52 - ('a' - 26));
  c += mask_of_negative(61 - v) & ('-' - 62 - ('0' - 52));
  c += mask_of_negative(62 - v) & ('_' - 63 - ('-' - 62));
  return static_cast<char>(c);
}

/// The six bits of a character; -1 for a foreign one.
constexpr std::int32_t bits_of(unsigned char character) {
  const std::int32_t c = character;
  const auto within = [c](std::int32_t first, std::int32_t last) {
    return ~mask_of_negative(c - first) & ~mask_of_negative(last - c);
  };
  std::int32_t out = -1;
  out += within('A', 'Z') & (c - 'A' + 1);
  out += within('a', 'z') & (c - 'a' + 26 + 1);
  out += within('0', '9') & (c - '0' + 52 + 1);
  out += within('-', '-') & (62 + 1);
  out += within('_', '_') & (63 + 1);
  return out;
}

}  // namespace

void write_secret_text(ByteView secret, char* out) {
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const std::uint8_t byte : secret) {
    bits = (bits << 8) | byte;
    for (bit_count += 8; bit_count >= 6; bit_count -= 6)
      *out++ = character_of(static_cast<std::int32_t>((bits >> (bit_count - 6)) & 63));
  }
  if (bit_count > 0) *out = character_of(static_cast<std::int32_t>((bits << (6 - bit_count)) & 63));
}

bool read_secret_text(std::string_view text, Secret& out) {
  if (text.size() != base64url_size(out.size())) return false;
  std::uint8_t* to = out.data();
  std::uint32_t bits = 0;
  int bit_count = 0;
  std::int32_t wrong = 0;  // negative once a character was foreign
  for (const char c : text) {
    const std::int32_t value = bits_of(static_cast<unsigned char>(c));
    wrong |= value;
    bits = (bits << 6) | (static_cast<std::uint32_t>(value) & 63);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    *to++ = static_cast<std::uint8_t>(bits >> bit_count);
  }
  const std::uint32_t rest = bits & ((1u << bit_count) - 1);  // must be zero: one text a value
  const std::uint32_t bad = (static_cast<std::uint32_t>(wrong) >> 31) | rest;
  return bad == 0;
}

}  // namespace ams::crypto
