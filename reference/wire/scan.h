// The one inner loop of the codec.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ams::wire {

/// A byte that JSON cannot hold as it is inside a string: a quote, a backslash, a control
/// character.
inline bool is_special(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

/// How many bytes of eight, in the order of memory, stand before the first special one.
inline std::size_t clean_prefix(std::uint64_t word) {
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  constexpr std::uint64_t highs = 0x80 * ones;
  // (x - ones) & ~x & highs has the high bit of the lowest byte that is zero, and none below it;
  // bits above it may be set by the borrow. So on a little-endian machine the lowest bit decides.
  const auto zero_bytes = [](std::uint64_t x) { return (x - ones) & ~x & highs; };
  const std::uint64_t control = (word - 0x20 * ones) & ~word & highs;
  const std::uint64_t found =
      control | zero_bytes(word ^ ('"' * ones)) | zero_bytes(word ^ ('\\' * ones));
  if (found == 0) return 8;
  if constexpr (std::endian::native == std::endian::little) {
    return static_cast<std::size_t>(std::countr_zero(found)) / 8;
  }
  char bytes[8];
  std::memcpy(bytes, &word, 8);
  std::size_t at = 0;
  while (!is_special(bytes[at])) ++at;
  return at;
}

/// Where, from `from` on, the first special byte stands; text.size() when there is none.
inline std::size_t find_special(std::string_view text, std::size_t from) {
  std::size_t at = from;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    if (const std::size_t clean = clean_prefix(word); clean < 8) return at + clean;
  }
  while (at < text.size() && !is_special(text[at])) ++at;
  return at;
}

}  // namespace ams::wire
