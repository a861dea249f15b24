// Whether two runs differ: per benchmark the medians and the Mann–Whitney test.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace ams::paired {

/// Below this an honest run of the same program would differ as much once in a hundred times.
inline constexpr double significance = 0.01;

struct Comparison {
  std::string name;
  double before_ns = 0, after_ns = 0;  // medians
  double p = 1;
  bool differs() const { return p < significance; }
};
struct Comparisons {
  std::vector<Comparison> both;  // in the order of the first file
  std::vector<std::string> only_before, only_after;
};

/// Two texts in Google Benchmark's JSON, with repetitions. Throws std::runtime_error that says what
/// is wrong with which text ("A", "B").
Comparisons compare(const std::string& before, const std::string& after);
std::string to_text(const Comparisons& comparisons);

}  // namespace ams::paired
