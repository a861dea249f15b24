// New key pairs as people ask for them, and how far their making is.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "keys/profiles.h"
#include "keys/records.h"

namespace ams::cli {

/// What this program's library offers beyond what every one must; asked once.
keys::Offered offered();
/// Names for --profile: those that can be made here.
std::vector<std::string> profile_names();

inline constexpr int key_days_max = 398;    // KEY-4
inline constexpr int key_days_warned = 30;  // before its end a key's owner is told

/// A pair valid from ten minutes ago (others' clocks may be behind) for so many days. RSA takes a
/// quarter of a second and more: a terminal sees that it goes on. Fails with unknown_algorithm.
Result<keys::KeyPair> make_profile_pair(const std::string& profile, std::int64_t now_ms,
                                        int days = key_days_max);

/// The profile of a record's algorithms, or both names when they are of no profile.
std::string profile_of(const keys::KeyRecord& record);

}  // namespace ams::cli
