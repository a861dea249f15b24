// LogShowing: how far each full peer of the directory has seen the domain's binding log (BLG-39).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/instant.h"

namespace ams::server {

inline constexpr std::size_t log_witnesses_max = 16;
inline constexpr std::int64_t log_epoch_shown_s = 2'700;  // an epoch is ended for them after that
inline constexpr Duration log_round_spacing = std::chrono::seconds{1};
inline constexpr Duration log_retry_first = std::chrono::seconds{5};
inline constexpr Duration log_retry_max = std::chrono::hours{1};

struct LogWitness {
  std::optional<std::uint64_t> size;  // of our log, as it said last
  std::uint64_t cosigned = 0;         // the size that it cosigned last
  bool busy = false;
  int failures = 0;  // one after the other
  Instant next{};    // not asked before
};
/// A round shows what was offered when it began to all of them; the next one begins when nobody is
/// being asked any more.
struct LogShowing {
  std::map<std::string, LogWitness> witnesses;  // by domain
  std::uint64_t offered = 0;                    // size
  bool wanted = false;                          // a piece of work is waiting
  Instant next_round{}, next_epoch{};
};

}  // namespace ams::server
