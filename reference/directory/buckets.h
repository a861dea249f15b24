// Token buckets by domain (spec DIR-6, DIR-18): so many at once, so many a day on average.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/instant.h"

namespace ams::directory {

class Buckets {
 public:
  /// `burst`: tokens of a full bucket; `per_day`: tokens that come back in a day. Both >= 1.
  Buckets(std::int64_t burst, std::int64_t per_day) : burst_(burst), per_day_(per_day) {}

  bool has(std::string_view domain, Instant now) const {
    const auto at = buckets_.find(domain);
    return at == buckets_.end() || level(at->second, now) >= 1;
  }
  /// How many there are to take.
  double left(std::string_view domain, Instant now) const {
    const auto at = buckets_.find(domain);
    return at == buckets_.end() ? static_cast<double>(burst_) : level(at->second, now);
  }
  /// Whether there were so many to take; then they are taken.
  bool take(std::string_view domain, Instant now, double wanted = 1) {
    auto at = buckets_.find(domain);
    if (at == buckets_.end()) {
      if (buckets_.size() >= domains_max) drop_full(now);
      at = buckets_.emplace(std::string(domain), Bucket{static_cast<double>(burst_), now}).first;
    }
    const double tokens = level(at->second, now);
    if (tokens < wanted) return false;
    at->second = {tokens - wanted, std::max(now, at->second.at)};
    return true;
  }

 private:
  struct Bucket {
    double tokens;
    Instant at;
  };
  // A bucket that is full again is as good as none. Domains cost a DNS name each, so the number of
  // those that are not full at once is bounded by what a day brings.
  static constexpr std::size_t domains_max = 4'096;

  double level(const Bucket& bucket, Instant now) const {
    using Days = std::chrono::duration<double, std::ratio<86'400>>;
    const double days = std::max(0.0, std::chrono::duration_cast<Days>(now - bucket.at).count());
    return std::min(static_cast<double>(burst_),
                    bucket.tokens + days * static_cast<double>(per_day_));
  }
  void drop_full(Instant now) {
    std::erase_if(buckets_, [&](const auto& entry) {
      return level(entry.second, now) >= static_cast<double>(burst_);
    });
  }

  std::int64_t burst_, per_day_;
  std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace ams::directory
