// Order-sensitive 128-bit digest of what a logical process did. Own integer mixing, the same on
// every compiler; against accidents only, not against adversaries.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "sim_engine/random.h"

namespace ams::sim {

/// Folded 64 x 64 -> 128 multiplication.
constexpr std::uint64_t fold_product(std::uint64_t x, std::uint64_t y) {
  const Uint128 product = static_cast<Uint128>(x) * y;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

struct TraceHash {
  std::uint64_t low = 0x2d35'8dcc'aa6c'78a5;
  std::uint64_t high = 0x8bb8'4b93'962e'acc9;

  constexpr void absorb(std::uint64_t x, std::uint64_t y) {
    low = fold_product(low ^ x ^ 0xa076'1d64'78bd'642f, y ^ 0xe703'7ed1'a0b4'28db) +
          std::rotl(low, 23);
    high = (std::rotl(high ^ y, 27) + x) * 0x9e37'79b9'7f4a'7c15;
  }
  constexpr void absorb(std::uint64_t x) { absorb(x, 0x5895'89ed'1234'5671); }
  friend bool operator==(const TraceHash&, const TraceHash&) = default;
};

/// Digest of a byte string, 8 bytes a step, read as little-endian on every machine.
inline std::uint64_t digest_bytes(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = mix64(bytes.size() + 1);
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t step = std::min<std::size_t>(8, bytes.size());
    if (step == 8 && std::endian::native == std::endian::little) {
      std::memcpy(&word, bytes.data(), 8);
    } else {
      for (std::size_t k = 0; k < step; ++k) word |= std::uint64_t{bytes[k]} << (8 * k);
    }
    hash = fold_product(hash ^ word, 0x9e37'79b9'7f4a'7c15) + std::rotl(hash, 29);
    bytes = bytes.subspan(step);
  }
  return mix64(hash);
}

}  // namespace ams::sim
