// Time as an input. Instant has no now(): only a driver (net/) or the simulator makes one.
#pragma once

#include <chrono>
#include <cstdint>

namespace ams {

/// A clock tag without now(). Its epoch is the Unix epoch, UTC.
struct GivenClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<GivenClock, duration>;
  static constexpr bool is_steady = false;
};
using Instant = GivenClock::time_point;
using Duration = GivenClock::duration;

/// Integer Unix milliseconds, the only form of time in AMS objects (spec ENC-10).
constexpr std::int64_t to_unix_ms(Instant t) {
  return std::chrono::floor<std::chrono::milliseconds>(t.time_since_epoch()).count();
}
/// Saturates at Instant's ends, some 292 years from 1970: a stranger may write any integer into an
/// object.
constexpr Instant from_unix_ms(std::int64_t ms) {
  constexpr std::int64_t ms_max =
      std::chrono::floor<std::chrono::milliseconds>(Duration::max()).count();
  if (ms > ms_max) return Instant::max();
  if (ms < -ms_max) return Instant::min();
  return Instant{std::chrono::milliseconds{ms}};
}
/// Days since the epoch, UTC.
constexpr std::int64_t to_day(Instant t) { return to_unix_ms(t) / 86'400'000; }

}  // namespace ams
