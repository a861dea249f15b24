// The reference's codec adapter: one JSON line in, one JSON line out (conformance/adapter/
// adapter.schema.json). Pure: every op is decided by its args alone.
#pragma once

#include <string>

namespace ams::adapter {

/// Never throws; what is no request is answered with a fault.
std::string answer(const std::string& line);

}  // namespace ams::adapter
