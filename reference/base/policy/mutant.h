// The production policy of mutant switches: every switch is the constant false and its branch
// compiles to nothing. Test-only programs link conformance/mutants/policy/mutant.h instead, under
// the same include name, where a switch can be turned on at run time.
#pragma once

#include <string_view>

namespace ams {

/// True when the rule at this site shall be broken on purpose. `name` is listed in
/// conformance/mutants/mutants.json.
constexpr bool mutant(std::string_view /*name*/) noexcept { return false; }

}  // namespace ams
