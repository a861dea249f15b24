// ams-conform-mut selftest: every case can fail (design 07). Test-only build.
#pragma once

#include <string>
#include <vector>

#include "runner/case.h"

namespace ams::conform {

struct SelftestOptions {
  std::string mutant;    // only this one; empty: all
  std::string json;      // kill matrix
  std::string markdown;  // the same for people
  bool full = false;     // every mutant against every case, not only those named
};
/// The exit code.
int selftest(const std::vector<Case>& cases, const SelftestOptions& options);

}  // namespace ams::conform
