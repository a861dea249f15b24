#pragma once

#include <cstdint>
#include <string>

namespace ams::daemon {

/// "2030-01-01T12:00:00Z" (RFC 3339); empty for a time that no calendar has.
std::string utc_text(std::int64_t unix_s);

}  // namespace ams::daemon
