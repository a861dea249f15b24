// Verdicts, and how a step says that it failed.
#pragma once

#include <string>
#include <utility>

namespace ams::conform {

enum class Verdict {
  pass,
  fail,
  warn,
  unsupported,
  not_applicable,
  not_exercised,
  ambiguous,
  crash,
  hang,
  suite_error,
};
inline const char* name(Verdict verdict) {
  constexpr const char* names[] = {"PASS",           "FAIL",          "WARN",      "UNSUPPORTED",
                                   "NOT_APPLICABLE", "NOT_EXERCISED", "AMBIGUOUS", "CRASH",
                                   "HANG",           "SUITE_ERROR"};
  return names[static_cast<int>(verdict)];
}

/// Thrown by a step; ends the case.
struct StepFailed {
  Verdict verdict = Verdict::fail;
  std::string why;
};
[[noreturn]] inline void fail_step(std::string why) { throw StepFailed{Verdict::fail, why}; }

}  // namespace ams::conform
