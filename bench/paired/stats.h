// Statistics of repeated measurements: what a median of one run is worth, and whether two runs
// differ.
#pragma once

#include <span>
#include <vector>

namespace ams::paired {

struct Spread {                          // of a sample
  double low = 0, median = 0, high = 0;  // quartiles
};
/// Quartiles by linear interpolation. Precondition: not empty.
Spread spread_of(std::vector<double> sample);

/// Two-sided Mann–Whitney U test, with the normal approximation, corrected for ties and
/// continuity: how likely two samples this different are if they come from one distribution. 1 when
/// a sample has fewer than three values, which can show nothing.
double mann_whitney_p(std::span<const double> a, std::span<const double> b);

/// The exponent k of the power law y = c * x^k that fits best (least squares of the logarithms): 0
/// is constant cost, 1 linear. Preconditions: at least two different x; all values positive.
double fitted_exponent(std::span<const double> x, std::span<const double> y);

}  // namespace ams::paired
