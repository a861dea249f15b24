// Which switches a piece of work asks for: those whose mutants could change its outcome.
#pragma once

#include <set>
#include <string>

namespace ams::mutants {

/// From here on every switch that is asked is noted, and all switches answer as if off. Not
/// thread-safe, like activate(), which ends it.
void record();
/// The names noted since record().
const std::set<std::string, std::less<>>& recorded() noexcept;

}  // namespace ams::mutants
