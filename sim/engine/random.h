// Counter-based random numbers: a pure integer function of (root seed, entity, purpose, decision).
//
// Nothing is consumed: asking for decision 7 twice gives the same answer, an extra question moves
// no other answer, and leaving a decision out leaves all others as they were. That is what makes
// runs independent of scheduling and stories shrinkable. No floating point anywhere: gcc and clang
// agree. Not for cryptography.
#pragma once

#include <cstdint>
#include <span>

#include "base/instant.h"

namespace ams::sim {

__extension__ using Uint128 = unsigned __int128;

/// Bijective 64-bit mixer (the finaliser of SplitMix64, variant 13 of Stafford).
constexpr std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9;
  x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11eb;
  return x ^ (x >> 31);
}

/// High half of a 128-bit product: maps 64 random bits to [0, n) with a bias below n / 2^64.
constexpr std::uint64_t scale_to(std::uint64_t random, std::uint64_t n) {
  return static_cast<std::uint64_t>((static_cast<Uint128>(random) * n) >> 64);
}

/// What a decision is about. Add at the end: the numbers are part of every recorded seed.
/// Rooms above the engine take numbers from `first_free` on.
enum class Purpose : std::uint32_t { workload = 1, shuffle = 2, first_free = 16 };

/// One stream: the decisions of one entity for one purpose. 16 bytes, copied freely, immutable.
class RandomStream {
 public:
  constexpr RandomStream(std::uint64_t seed, std::uint64_t entity, std::uint32_t purpose)
      : key_(mix64(mix64(seed + 0x9e37'79b9'7f4a'7c15) ^ (entity * 0xd134'2543'de82'ef95 + 1))),
        tweak_(mix64(key_ + 0x9e37'79b9'7f4a'7c15 * (static_cast<std::uint64_t>(purpose) + 1))) {}
  constexpr RandomStream(std::uint64_t seed, std::uint64_t entity, Purpose purpose)
      : RandomStream(seed, entity, static_cast<std::uint32_t>(purpose)) {}

  /// 64 random bits of one decision.
  constexpr std::uint64_t u64(std::uint64_t decision) const {
    const std::uint64_t x = mix64(tweak_ + decision * 0x9e37'79b9'7f4a'7c15);
    return mix64(x ^ key_);
  }
  /// Uniform in [0, n). Precondition: n > 0.
  constexpr std::uint64_t below(std::uint64_t decision, std::uint64_t n) const {
    return scale_to(u64(decision), n);
  }
  /// True in `ppm` of a million decisions; never for 0, always from 1,000,000 on.
  constexpr bool bernoulli_ppm(std::uint64_t decision, std::uint32_t ppm) const {
    return below(decision, 1'000'000) < ppm;
  }
  /// Uniform in [low, high], both ends included. Precondition: low <= high, high - low < 2^63 ns.
  constexpr Duration uniform(std::uint64_t decision, Duration low, Duration high) const {
    const auto width = static_cast<std::uint64_t>((high - low).count()) + 1;
    return low + Duration{static_cast<std::int64_t>(below(decision, width))};
  }
  /// Exponential with this mean, by a fixed-point logarithm (error below 10^-5 of the mean).
  /// Never above 44.4 means. Precondition: 0 <= mean < 2^57 ns.
  Duration exponential(std::uint64_t decision, Duration mean) const;
  /// Bell-shaped: sum of four uniforms, scaled to mean 0 and deviation 1.0 = 2^32; |z| < 3.47.
  std::int64_t bell_q32(std::uint64_t decision) const;
  /// Log-normal-like jitter: median * e^(sigma * bell). `sigma_milli` is 1000 sigma, at most 5000.
  /// Precondition: 0 <= median < 2^36 ns (68 s).
  Duration log_normal(std::uint64_t decision, Duration median, std::uint32_t sigma_milli) const;
  /// Fills `out` from this one decision, e.g. the exporter of a connection.
  void fill(std::uint64_t decision, std::span<std::uint8_t> out) const;

 private:
  std::uint64_t key_;
  std::uint64_t tweak_;
};

/// A cursor over one stream, for consumers that want "the next number" (entropy of one node).
class RandomSequence {
 public:
  explicit RandomSequence(RandomStream stream) : stream_(stream) {}
  std::uint64_t next() { return stream_.u64(next_++); }
  std::uint64_t below(std::uint64_t n) { return scale_to(next(), n); }
  void fill(std::span<std::uint8_t> out) { stream_.fill(next_++, out); }

 private:
  RandomStream stream_;
  std::uint64_t next_ = 0;
};

/// -log2(x / 2^64) in units of 2^-32; x = 0 counts as 1. Exposed for its test.
std::uint64_t minus_log2_q32(std::uint64_t x);
/// 2^(x / 2^32) in units of 2^-32. Precondition: |x| < 30 * 2^32. Exposed for its test.
std::uint64_t exp2_q32(std::int64_t x);

}  // namespace ams::sim
