// How a room shows that its mutant switches are real: each one a probe that tells whether the rule
// holds.
#pragma once

#include <cstdio>
#include <functional>
#include <vector>

#include "policy/mutant.h"

namespace ams::mutants {

struct Probe {
  const char* name;             // of the switch
  std::function<bool()> holds;  // whether the rule does
};

/// Every rule must hold with all switches off, break with its own on, and the switch must have been
/// asked. Gives main()'s exit code: 0 all do, 1 otherwise.
inline int run(const std::vector<Probe>& probes) {
  int failures = 0;
  for (const Probe& probe : probes) {
    activate("");
    const bool holds = probe.holds();
    activate(probe.name);
    const bool broken = !probe.holds();
    if (holds && broken && asked() > 0) continue;
    std::printf("%s: rule %s without it, %s with it%s\n", probe.name, holds ? "holds" : "is broken",
                broken ? "is broken" : "still holds", asked() > 0 ? "" : ", never asked");
    ++failures;
  }
  std::printf("%zu probes, %d failures\n", probes.size(), failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace ams::mutants
