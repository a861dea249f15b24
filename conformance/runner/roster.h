// The accounts that a run was given, and what the suite made of them.
#pragma once

#include <optional>
#include <vector>

#include "judge/objects.h"
#include "runner/target.h"

namespace ams::conform {

struct Account {
  AccountGrant grant;
  crypto::SigningKey device;
  std::optional<Key> key;  // associated
  std::int64_t version = 0;
  bool enrolled = false;
};

/// a1, a2, a3 are the first three accounts and are used again and again; each fresh account
/// (f1, …) is used by one play of one case only.
class Roster {
 public:
  static constexpr std::size_t kept = 3;
  Roster(const Target& target, const std::string& run_tag);
  Account* ready(std::size_t number) { return number <= all_.size() ? &all_[number - 1] : nullptr; }
  Account* fresh() { return next_ < all_.size() ? &all_[next_++] : nullptr; }

 private:
  std::vector<Account> all_;
  std::size_t next_ = kept;
};

}  // namespace ams::conform
