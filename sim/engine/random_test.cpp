#include "sim_engine/random.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <set>
#include <vector>

namespace ams::sim {
namespace {

using namespace std::chrono_literals;

// Goal: the function is the same on every compiler and for ever, since seeds are recorded.
// Method: constants computed once, by this code under gcc 12, and checked under clang 14.
TEST(Random, golden_values) {
  const RandomStream stream(1, 2, 3u);
  EXPECT_EQ(stream.u64(0), 2'291'615'041'064'451'886u);
  EXPECT_EQ(stream.u64(1), 4'986'125'780'813'900'446u);
  EXPECT_EQ(stream.exponential(5, 1s).count(), 2'046'298'920);
  EXPECT_EQ(stream.log_normal(5, 40ms, 500).count(), 21'813'535);
  std::array<std::uint8_t, 9> bytes{};
  stream.fill(7, bytes);
  EXPECT_EQ(bytes[0], 77);
  EXPECT_EQ(bytes[8], 200);
}

// Goal: streams that differ in one coordinate share nothing visible.
// Method: neighbours in each coordinate; 64 differences of about half the bits each (binomial:
// 4096 coin flips, sd 32; 6 sd allowed), and no value twice among 3 x 1000.
TEST(Random, neighbouring_streams_are_independent) {
  const std::vector<RandomStream> streams = {{9, 9, 9u}, {10, 9, 9u}, {9, 10, 9u}, {9, 9, 10u}};
  for (std::size_t other = 1; other < streams.size(); ++other) {
    int differing = 0;
    for (std::uint64_t i = 0; i < 64; ++i) {
      differing += std::popcount(streams[0].u64(i) ^ streams[other].u64(i));
    }
    EXPECT_NEAR(differing, 2048, 192) << other;
  }
  std::set<std::uint64_t> values;
  for (const RandomStream& stream : streams) {
    for (std::uint64_t i = 0; i < 1000; ++i) values.insert(stream.u64(i));
  }
  EXPECT_EQ(values.size(), 4000u);
}

// Goal: every output bit depends on every input bit of each coordinate (avalanche).
// Method: flip each bit of seed, entity and decision over 64 bases; each output bit must flip in
// between 35 % and 65 % of 64 x 64 trials.
TEST(Random, avalanche) {
  for (int coordinate = 0; coordinate < 3; ++coordinate) {
    std::array<int, 64> flips{};
    for (std::uint64_t base = 0; base < 64; ++base) {
      std::array<std::uint64_t, 3> at = {base * 7 + 1, base * 3 + 2, base};
      const std::uint64_t before = RandomStream(at[0], at[1], 1u).u64(at[2]);
      for (int bit = 0; bit < 64; ++bit) {
        auto moved = at;
        moved[static_cast<std::size_t>(coordinate)] ^= std::uint64_t{1} << bit;
        const std::uint64_t after = RandomStream(moved[0], moved[1], 1u).u64(moved[2]);
        for (std::size_t out = 0; out < 64; ++out) {
          flips[out] += static_cast<int>((before ^ after) >> out & 1);
        }
      }
    }
    for (int count : flips) EXPECT_NEAR(count, 2048, 614) << coordinate;
  }
}

// Goal: below() is uniform. Method: chi-square over 100 cells of 1,000,000 consecutive decisions;
// 99 degrees of freedom, 149 is the 0.1 % point. The seed is fixed, so the test cannot flake.
TEST(Random, below_is_uniform) {
  const RandomStream stream(4, 5, 6u);
  std::array<std::int64_t, 100> cells{};
  for (std::uint64_t i = 0; i < 1'000'000; ++i) ++cells[stream.below(i, 100)];
  double chi = 0;
  for (std::int64_t n : cells) chi += static_cast<double>((n - 10'000) * (n - 10'000)) / 10'000;
  EXPECT_LT(chi, 149);
  EXPECT_GT(chi, 57);  // too even would be wrong too
}

TEST(Random, bernoulli_meets_its_rate_and_its_ends) {
  const RandomStream stream(7, 7, 7u);
  int hits = 0;
  for (std::uint64_t i = 0; i < 1'000'000; ++i) {
    hits += stream.bernoulli_ppm(i, 20'000) ? 1 : 0;
    ASSERT_FALSE(stream.bernoulli_ppm(i, 0));
    ASSERT_TRUE(stream.bernoulli_ppm(i, 1'000'000));
  }
  EXPECT_NEAR(hits, 20'000, 700);  // 5 sd
}

TEST(Random, uniform_reaches_both_ends_and_no_further) {
  const RandomStream stream(1, 1, 1u);
  std::set<std::int64_t> seen;
  for (std::uint64_t i = 0; i < 200; ++i) seen.insert(stream.uniform(i, -2ns, 2ns).count());
  EXPECT_EQ(seen, (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
  EXPECT_EQ(stream.uniform(3, 5ms, 5ms), 5ms);
}

// Goal: the fixed-point functions are what they claim. Method: libm, in the test only.
TEST(Random, fixed_point_logarithm_and_exponential) {
  for (std::uint64_t x = 1; x != 0 && x < (std::uint64_t{1} << 63); x = x * 3 + 1) {
    const double expected = (64 - std::log2(static_cast<double>(x))) * 4294967296.0;
    ASSERT_NEAR(static_cast<double>(minus_log2_q32(x)), expected, 4294967296.0 * 1e-5) << x;
  }
  for (std::int64_t x = -std::int64_t{20} << 32; x < std::int64_t{28} << 32; x += 987'654'321) {
    const double expected = std::exp2(static_cast<double>(x) / 4294967296.0) * 4294967296.0;
    ASSERT_NEAR(static_cast<double>(exp2_q32(x)) / expected, 1.0, 1e-3) << x;
  }
}

TEST(Random, exponential_has_its_mean_and_variance) {
  const RandomStream stream(3, 3, 3u);
  double sum = 0;
  double squares = 0;
  for (std::uint64_t i = 0; i < 1'000'000; ++i) {
    const auto x = static_cast<double>(stream.exponential(i, 1s).count()) / 1e9;
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 1e6, 1.0, 0.005);
  EXPECT_NEAR(squares / 1e6, 2.0, 0.025);
}

TEST(Random, log_normal_has_its_median_and_spread) {
  const RandomStream stream(3, 4, 3u);
  int below_median = 0;
  double log_squares = 0;
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const auto x = static_cast<double>(stream.log_normal(i, 40ms, 500).count()) / 40e6;
    below_median += x < 1 ? 1 : 0;
    log_squares += std::log(x) * std::log(x);
  }
  EXPECT_NEAR(below_median, 100'000, 1'200);
  EXPECT_NEAR(std::sqrt(log_squares / 200'000), 0.5, 0.005);
  EXPECT_EQ(stream.log_normal(1, 40ms, 0), 40ms);
}

}  // namespace
}  // namespace ams::sim
