// The franking commitment of a letter (spec MSG-24, MSG-25), and one leaf of it opened alone, for a
// report (MSG-33, MSG-34).
#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "wire/value.h"

namespace ams::mail {

/// Leaf 0, then the parts', then the attachments'. Precondition: a letter/1 value.
std::vector<Bytes> leaves_of(const wire::Value& letter);
Hash franking_commitment(ByteView fk, std::span<const ByteView> leaves);
Hash franking_commitment(ByteView fk, const std::vector<Bytes>& leaves);

inline constexpr std::int64_t leaves_max = 1025;                    // MSG-1
inline constexpr std::size_t leaf_size_max = std::size_t{1} << 27;  // bytes, MSG-33
inline constexpr std::size_t leaf_path_max = 11;                    // hashes, MSG-33

/// One leaf and what shows that it is the letter's. Holds the leaf's own key, never fk: of the
/// other leaves it tells nothing but hashes under keys that it does not hold.
struct LeafOpening {
  std::int64_t index = 0;
  crypto::Secret key;  // 32 bytes
  Bytes leaf;
  std::vector<Hash> path;  // from the leaf's sibling to the root's child
};

/// Precondition: index < leaves.size() <= leaves_max. O(leaves) hashes.
LeafOpening open_leaf(ByteView fk, const std::vector<Bytes>& leaves, std::size_t index);
wire::Value to_value(const LeafOpening& opening);
/// Members only; fails with schema codes.
Result<LeafOpening> parse_leaf_opening(const wire::Value& value);
/// MSG-34. `leaves` and `fc` are those of a header whose asig was verified. Fails with leaf_count,
/// franking.
Result<> check_leaf(const LeafOpening& opening, std::int64_t leaves, const Hash& fc);

}  // namespace ams::mail
