// The registry of error codes as the spec's errors.json has it.
#pragma once

#include <optional>
#include <string>

namespace ams::conform {

/// The phase of a registered code; empty: no such code.
std::optional<std::string> phase_of(const std::string& code);

}  // namespace ams::conform
