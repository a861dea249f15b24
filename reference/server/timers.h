// Timers: at most one instant for each key, and the earliest of all. O(log n).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/instant.h"

namespace ams::server {

enum class TimerKind : std::uint8_t { conn, link, lane, directory, sweep, showing };

struct TimerKey {
  TimerKind kind = TimerKind::conn;
  std::uint64_t id = 0;  // conn
  std::string domain;    // link, lane
  friend auto operator<=>(const TimerKey&, const TimerKey&) = default;
};

class Timers {
 public:
  void arm(const TimerKey& key, std::optional<Instant> due) {
    if (const auto old = by_key_.find(key); old != by_key_.end()) {
      if (due && old->second == *due) return;
      by_due_.erase({old->second, key});
      by_key_.erase(old);
    }
    if (!due) return;
    by_key_.emplace(key, *due);
    by_due_.emplace(*due, key);
  }

  /// The earliest key that is due, disarmed.
  std::optional<TimerKey> pop_due(Instant now) {
    if (by_due_.empty() || by_due_.begin()->first > now) return std::nullopt;
    TimerKey key = by_due_.begin()->second;
    by_due_.erase(by_due_.begin());
    by_key_.erase(key);
    return key;
  }

  std::optional<Instant> next() const {
    if (by_due_.empty()) return std::nullopt;
    return by_due_.begin()->first;
  }

 private:
  std::map<TimerKey, Instant> by_key_;
  std::set<std::pair<Instant, TimerKey>> by_due_;
};

}  // namespace ams::server
