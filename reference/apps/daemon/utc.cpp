#include "daemon/utc.h"

#include <ctime>

namespace ams::daemon {

std::string utc_text(std::int64_t unix_s) {
  const auto seconds = static_cast<std::time_t>(unix_s);
  std::tm split{};
  char out[32] = "";
  if (gmtime_r(&seconds, &split) != nullptr) std::strftime(out, sizeof out, "%FT%TZ", &split);
  return out;
}

}  // namespace ams::daemon
