#include <bit>

#include "crypto/crypto.h"

namespace ams::crypto {

// A length of E+1 bits keeps the leading floor(log2 E) + 1 bits below its top bit; the rest is
// rounded up: what leaks of a length is O(log log) bits, and the overhead is at most 12 %.
std::uint64_t padme(std::uint64_t length) {
  if (length < 2) return length;
  const auto exponent = static_cast<unsigned>(std::bit_width(length)) - 1;
  const auto kept_bits = static_cast<unsigned>(std::bit_width(exponent));
  const std::uint64_t mask = (std::uint64_t{1} << (exponent - kept_bits)) - 1;
  AMS_ASSERT(length <= ~mask);  // lengths near 2^64 would wrap
  return (length + mask) & ~mask;
}

}  // namespace ams::crypto
