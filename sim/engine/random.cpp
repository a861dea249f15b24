#include "sim_engine/random.h"

#include <array>
#include <bit>

namespace ams::sim {
namespace {

// log2(1 + i/256) in Q32, bit by bit: squaring a number doubles its logarithm.
constexpr std::uint64_t log2_mantissa_q32(std::uint64_t mantissa_q62) {
  std::uint64_t y = mantissa_q62;
  std::uint64_t bits = 0;
  for (int i = 0; i < 32; ++i) {
    const Uint128 square = (static_cast<Uint128>(y) * y) >> 62;
    bits <<= 1;
    if ((square >> 63) != 0) {
      bits |= 1;
      y = static_cast<std::uint64_t>(square >> 1);
    } else {
      y = static_cast<std::uint64_t>(square);
    }
  }
  return bits;
}

constexpr std::array<std::uint64_t, 257> make_log2_table() {
  std::array<std::uint64_t, 257> table{};
  for (std::uint64_t i = 0; i < 256; ++i) table[i] = log2_mantissa_q32((256 + i) << 54);
  table[256] = std::uint64_t{1} << 32;
  return table;
}

// floor(sqrt(x)) bit by bit.
constexpr std::uint64_t square_root(Uint128 x) {
  std::uint64_t root = 0;
  for (int bit = 62; bit >= 0; --bit) {
    const std::uint64_t candidate = root | (std::uint64_t{1} << bit);
    if (static_cast<Uint128>(candidate) * candidate <= x) root = candidate;
  }
  return root;
}

// 2^(i/256) in Q32, from repeated square roots of 2 in Q60.
constexpr std::array<std::uint64_t, 257> make_exp2_table() {
  std::array<std::uint64_t, 8> roots{};  // roots[k] = 2^(2^k / 256)
  std::uint64_t root = std::uint64_t{1} << 61;
  for (int k = 7; k >= 0; --k) {
    root = square_root(static_cast<Uint128>(root) << 60);
    roots[static_cast<std::size_t>(k)] = root;
  }
  std::array<std::uint64_t, 257> table{};
  for (std::size_t i = 0; i < 256; ++i) {
    std::uint64_t value = std::uint64_t{1} << 60;
    for (std::size_t k = 0; k < 8; ++k) {
      if ((i >> k & 1) != 0) {
        value = static_cast<std::uint64_t>((static_cast<Uint128>(value) * roots[k]) >> 60);
      }
    }
    table[i] = value >> 28;
  }
  table[256] = std::uint64_t{1} << 33;
  return table;
}

constexpr auto log2_table = make_log2_table();
constexpr auto exp2_table = make_exp2_table();
constexpr std::uint64_t ln2_q32 = 2'977'044'471;   // ln 2
constexpr std::int64_t log2e_q32 = 6'196'328'018;  // 1 / ln 2

std::uint64_t interpolate(const std::array<std::uint64_t, 257>& table, std::uint64_t fraction_q32) {
  const std::size_t i = fraction_q32 >> 24;
  const std::uint64_t rest = fraction_q32 & 0xff'ffff;
  return table[i] + (((table[i + 1] - table[i]) * rest) >> 24);
}

}  // namespace

std::uint64_t minus_log2_q32(std::uint64_t x) {
  if (x == 0) x = 1;
  const int zeros = std::countl_zero(x);
  const std::uint64_t normal = x << zeros;             // top bit set
  const std::uint64_t fraction = (normal << 1) >> 32;  // Q32 of the mantissa beyond 1
  const std::uint64_t log2_q32 = interpolate(log2_table, fraction);
  return (static_cast<std::uint64_t>(zeros + 1) << 32) - log2_q32;
}

std::uint64_t exp2_q32(std::int64_t x) {
  const std::int64_t whole = x >> 32;  // floor, also below zero
  const auto fraction = static_cast<std::uint64_t>(x) & 0xffff'ffff;
  const std::uint64_t mantissa = interpolate(exp2_table, fraction);
  return whole >= 0 ? mantissa << whole : mantissa >> -whole;
}

Duration RandomStream::exponential(std::uint64_t decision, Duration mean) const {
  const Uint128 minus_ln_q32 =
      (static_cast<Uint128>(minus_log2_q32(u64(decision))) * ln2_q32) >> 32;
  const auto count = static_cast<std::uint64_t>(mean.count());
  return Duration{static_cast<std::int64_t>((minus_ln_q32 * count) >> 32)};
}

std::int64_t RandomStream::bell_q32(std::uint64_t decision) const {
  const std::uint64_t bits = u64(decision);
  std::int64_t sum = 0;  // four 16-bit uniforms: mean 2 * 65535, variance (2^32 - 1) / 3
  for (int i = 0; i < 4; ++i) sum += static_cast<std::int64_t>(bits >> (16 * i) & 0xffff);
  return (sum - 131'070) * 113'512;  // 113512 = 2^32 / sqrt((2^32 - 1) / 3)
}

Duration RandomStream::log_normal(std::uint64_t decision, Duration median,
                                  std::uint32_t sigma_milli) const {
  const std::int64_t z = bell_q32(decision);
  // In two steps, so that no product leaves 64 bits: z < 2^34, sigma < 2^13, log2e < 2^33.
  const std::int64_t scaled = z * static_cast<std::int64_t>(sigma_milli) / 1000;
  const std::int64_t exponent = (scaled >> 8) * (log2e_q32 >> 8) / (std::int64_t{1} << 16);
  const Uint128 product =
      static_cast<Uint128>(exp2_q32(exponent)) * static_cast<std::uint64_t>(median.count());
  return Duration{static_cast<std::int64_t>(product >> 32)};
}

void RandomStream::fill(std::uint64_t decision, std::span<std::uint8_t> out) const {
  const RandomStream inner(u64(decision), tweak_, Purpose::workload);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint64_t word = inner.u64(i / 8);
    out[i] = static_cast<std::uint8_t>(word >> (8 * (i % 8)));
  }
}

}  // namespace ams::sim
