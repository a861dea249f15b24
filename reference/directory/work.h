// Proof of work (spec DIR-23): what a publisher beyond its domain's quota pays for one object.
// Bound to the peer, the day and the object, so that none is spent twice or kept for later.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"

namespace ams::directory {

using WorkNonce = std::array<std::uint8_t, 8>;
inline constexpr int work_bits_max = 40;

/// `object`: its AMS-CJ; `day`: Unix days.
struct WorkTarget {
  std::string_view peer_domain;
  std::int64_t day = 0;
  Hash object_hash{};  // SHA-256 of the object's AMS-CJ
};
/// SHA-256 over what DIR-23 lists.
Hash work_hash(const WorkTarget& target, const WorkNonce& nonce);
/// Whether that hash has at least `bits` leading zero bits.
bool has_work(const WorkTarget& target, const WorkNonce& nonce, int bits);
/// What stands for one object in `work`: empty: none was done. Fails with base64url.
Result<std::optional<WorkNonce>> read_work(std::string_view text);
/// The day, today or the one before, for which `nonce` is work that this peer asks for, on the
/// object of these bytes (its AMS-CJ). Fails with publisher.
Result<std::int64_t> check_work(std::string_view peer_domain, ByteView object,
                                const std::optional<WorkNonce>& nonce, int bits, Instant now);
/// Tries so many nonces, from 0 on: 2^bits on average. For publishers; never inside a machine.
std::optional<WorkNonce> find_work(const WorkTarget& target, int bits, std::uint64_t attempts_max);

}  // namespace ams::directory
