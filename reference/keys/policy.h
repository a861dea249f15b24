// A domain's encryption policy (spec POL): what stands in its record, what is in force at a time,
// and where a sender may put a stanza under it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "keys/key_id.h"
#include "wire/value.h"

namespace ams::keys {

enum class Policy : std::uint8_t { isp, corporate, groups };
std::string_view name(Policy);
std::optional<Policy> find_policy(std::string_view text);

inline constexpr std::int64_t policy_notice_ms = 24LL * 3'600'000;  // POL-5
inline constexpr std::size_t shared_keys_max = 64;                  // POL-3

/// A group's name (POL-4, KST-4): 1 to 63 of [a-z0-9-], no hyphen first or last, as a label of a
/// domain is. So it is a local part too: the group's address (BND-12).
bool is_group(std::string_view text);

/// An encryption key that addresses share: the domain's (no group) or a group's.
struct SharedKey {
  std::string group;  // empty: the whole domain's
  KeyId key;
  friend bool operator==(const SharedKey&, const SharedKey&) = default;
};

/// A mode, the time from which it holds, and its shared keys in ascending order of group.
struct PolicyTerms {
  Policy mode = Policy::isp;
  std::int64_t effective = 0;  // Unix ms
  std::vector<SharedKey> keys;
  /// Whether `key` is one of the shared keys.
  bool shares(const KeyId& key) const;
  friend bool operator==(const PolicyTerms&, const PolicyTerms&) = default;
};

/// The policy object of a domain record (POL-3).
struct DomainPolicy {
  std::int64_t published = 0;        // Unix ms
  PolicyTerms terms;                 // from terms.effective on
  std::optional<PolicyTerms> prior;  // until then; there when the record's seq is above 1
  friend bool operator==(const DomainPolicy&, const DomainPolicy&) = default;
};

wire::Value to_value(const DomainPolicy& policy);
/// POL-3 to POL-5 for a record of this seq: schema, base64url, unknown_member, object_too_large.
Result<DomainPolicy> parse_policy(const wire::Value& value, std::int64_t seq);

/// POL-6: the terms in force.
const PolicyTerms& policy_at(const DomainPolicy& policy, Instant now);

/// The policy of a domain that has been isp all along, for a record of this seq.
DomainPolicy isp_policy(std::int64_t seq = 1);
/// What follows `before` when `mode` with `keys` is published now: in force 24 hours later, and
/// until then what is in force now. Where the mode stays, the new keys count at once (POL-7).
DomainPolicy next_policy(const DomainPolicy& before, Policy mode, std::vector<SharedKey> keys,
                         Instant now);

}  // namespace ams::keys
