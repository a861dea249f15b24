// What a run leaves: JSON (the shape tools/report reads), JUnit, lines for the console.
#pragma once

#include <string>
#include <vector>

#include "runner/run.h"

namespace ams::conform {

struct Report {
  std::string sut;
  std::vector<Finished> cases;
};

/// How many of each verdict.
std::map<std::string, int> summary(const Report& report);
Json to_json(const Report& report);
std::string to_junit(const Report& report);
/// One line a case that did not pass, and a summary.
std::string to_console(const Report& report);

/// Exit codes: 0 clean, 1 unexpected, 2 WARN under --strict, 3 too little ran, 4 harness error.
int exit_code(const Report& report, bool strict);

}  // namespace ams::conform
