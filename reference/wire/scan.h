// The one inner loop of the codec.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace ams::wire {

/// Where, from `from` on, the first byte stands that JSON cannot hold as it is inside a string: a
/// quote, a backslash or a control character; text.size() when there is none.
inline std::size_t find_special(std::string_view text, std::size_t from) {
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  constexpr std::uint64_t highs = 0x80 * ones;
  // Eight bytes at a time: (x - ones) & ~x & highs is zero exactly when no byte of x is zero. Which
  // byte it is the loop below finds, so byte order does not matter.
  const auto has_zero = [](std::uint64_t x) { return (x - ones) & ~x & highs; };
  std::size_t at = from;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    const std::uint64_t control = (word - 0x20 * ones) & ~word & highs;
    if ((control | has_zero(word ^ ('"' * ones)) | has_zero(word ^ ('\\' * ones))) != 0) break;
  }
  for (; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == '"' || byte == '\\') break;
  }
  return at;
}

}  // namespace ams::wire
