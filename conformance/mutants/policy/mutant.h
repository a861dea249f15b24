// The test-only policy of mutant switches. See reference/base/policy/mutant.h for production's.
#pragma once

#include <string>
#include <string_view>

namespace ams {

/// True when the switch `name` is on. Reads one global; set it before threads start.
bool mutant(std::string_view name) noexcept;

namespace mutants {
/// Turns exactly one switch on; an empty name turns all off. Not thread-safe.
void activate(std::string name);
/// How often the active switch was asked since activate(): 0 means its site was never reached.
unsigned long long asked() noexcept;
}  // namespace mutants

}  // namespace ams
