// The Merkle map of a directory peer (spec MAP): kid -> 32-byte value hash, as a binary radix tree
// without chains. The root depends on the set alone, not on how it came about.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "verifiable/node.h"

namespace ams::verifiable {

struct Entry {
  Id16 kid;
  Hash value;
  friend bool operator==(const Entry&, const Entry&) = default;
};

/// Where two maps differ: what each has under this kid.
struct Difference {
  Id16 kid;
  std::optional<Hash> left;
  std::optional<Hash> right;
  friend bool operator==(const Difference&, const Difference&) = default;
};

inline constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

/// A value: a copy costs a pointer and shares every node, and a change copies one path. So many
/// simulated peers may hold one set in the memory of one. Not thread-safe; copies in other threads
/// are. Cost: depth is about log2 n + 1 for random kids; about 128 bytes for a key.
class Map {
 public:
  Map() = default;
  /// All of `entries`, in any order; of equal kids the last stays. O(n log n), two hashes a key:
  /// ten times faster than inserting them one by one.
  static Map of(std::vector<Entry> entries);

  std::size_t size() const { return size_; }
  /// 32 zero bytes when empty (MAP-3). O(1).
  Hash root() const;
  std::optional<Hash> find(const Id16& kid) const;

  /// Whether the map changed. One hash for each node of the path.
  bool insert(const Id16& kid, const Hash& value);
  bool erase(const Id16& kid);

  /// Shows that `kid` has its value here, or that it has none: MAP-5. Verified by verify_present
  /// and verify_absent.
  Bytes prove(const Id16& kid) const;

  /// The root that the map of only those kids would have whose first `bits` bits are those of
  /// `prefix` (MAP-8): ranges of equal digest need no comparison. `bits` <= 128.
  Hash range_root(const Id16& prefix, std::size_t bits) const;
  /// The entries of that range in the order of kids, at most `max`.
  std::vector<Entry> range(const Id16& prefix, std::size_t bits, std::size_t max = no_limit) const;
  std::vector<Entry> entries() const { return range({}, 0); }

  /// Takes over `donor`'s nodes for every subtree that is equal: two peers that came to one set by
  /// different ways hold it once afterwards. Changes no value. Costs about what diff does.
  void share_with(const Map& donor);
  /// Whether both are the very same nodes, not only equal ones.
  bool same_nodes(const Map& other) const { return root_.get() == other.root_.get(); }

  /// The differences in the order of kids, at most `max` of them. Subtrees of equal hash are not
  /// entered: O(d log n) for d differences.
  friend std::vector<Difference> diff(const Map& left, const Map& right, std::size_t max);

 private:
  NodeRef root_;
  std::size_t size_ = 0;
};

std::vector<Difference> diff(const Map& left, const Map& right, std::size_t max = no_limit);

// A proof (MAP-5): kind u8 | L u8 | L bytes of depths | siblings, 32 bytes each, root first
// | the other leaf's kid and value, 48 bytes, if kind is other_leaf.
inline constexpr std::size_t map_proof_size_max = 2 + 16 + kid_bits * 32 + 48;
enum class MapProofKind : std::uint8_t { present = 0, other_leaf = 1, empty = 2 };

struct MapProof {
  MapProofKind kind = MapProofKind::empty;
  std::vector<std::uint8_t> depths;  // of the branches on the path, ascending
  std::vector<Hash> siblings;        // one for each depth
  std::optional<Entry> other;        // kind other_leaf: what stands where the kid would
  friend bool operator==(const MapProof&, const MapProof&) = default;
};

/// Fails with proof_form for all but the one encoding of each proof.
Result<MapProof> decode_map_proof(ByteView proof);
Bytes encode(const MapProof& proof);

/// Whether the map of this root holds `value` under `kid`. Needs nothing but its arguments. Fails
/// with proof_form, then proof. For one root and kid only one answer can be proven, whatever shape
/// the prover's tree has: the root fixes the depths, and the depths fix the way.
Result<> verify_present(const Hash& root, const Id16& kid, const Hash& value, ByteView proof);
/// Whether it holds nothing there.
Result<> verify_absent(const Hash& root, const Id16& kid, ByteView proof);

}  // namespace ams::verifiable
