#include "paired/stats.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/result.h"

namespace ams::paired {
namespace {

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Spread spread_of(std::vector<double> sample) {
  AMS_ASSERT(!sample.empty());
  std::sort(sample.begin(), sample.end());
  return {quantile(sample, 0.25), quantile(sample, 0.5), quantile(sample, 0.75)};
}

double mann_whitney_p(std::span<const double> a, std::span<const double> b) {
  if (a.size() < 3 || b.size() < 3) return 1;
  std::vector<std::pair<double, bool>> all;  // the value, and whether it is one of a's
  for (const double value : a) all.emplace_back(value, true);
  for (const double value : b) all.emplace_back(value, false);
  std::sort(all.begin(), all.end());
  double rank_sum = 0;  // of a's values; equal values share the mean of their ranks
  double ties = 0;
  for (std::size_t from = 0; from < all.size();) {
    std::size_t to = from;
    while (to < all.size() && all[to].first == all[from].first) ++to;
    const double count = static_cast<double>(to - from);
    const double rank = static_cast<double>(from + to + 1) / 2;
    for (std::size_t i = from; i < to; ++i) rank_sum += all[i].second ? rank : 0;
    ties += count * count * count - count;
    from = to;
  }
  const double m = static_cast<double>(a.size());
  const double n = static_cast<double>(b.size());
  const double u = rank_sum - m * (m + 1) / 2;
  const double variance = m * n / 12 * (m + n + 1 - ties / ((m + n) * (m + n - 1)));
  if (variance <= 0) return 1;  // all values are equal
  const double distance = std::max(0.0, std::abs(u - m * n / 2) - 0.5);
  return std::erfc(distance / std::sqrt(2 * variance));
}

double fitted_exponent(std::span<const double> x, std::span<const double> y) {
  AMS_ASSERT(x.size() == y.size() && x.size() >= 2);
  const double count = static_cast<double>(x.size());
  double mean_x = 0;
  double mean_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    AMS_ASSERT(x[i] > 0 && y[i] > 0);
    mean_x += std::log(x[i]) / count;
    mean_y += std::log(y[i]) / count;
  }
  double covariance = 0;
  double variance = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    covariance += (std::log(x[i]) - mean_x) * (std::log(y[i]) - mean_y);
    variance += (std::log(x[i]) - mean_x) * (std::log(x[i]) - mean_x);
  }
  AMS_ASSERT(variance > 0);
  return covariance / variance;
}

}  // namespace ams::paired
