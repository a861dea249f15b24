// The append-only log of a peer's map roots (spec LOG): the Merkle tree and the proofs of RFC 9162
// section 2.1 with SHA-256.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace ams::verifiable {

/// LOG-1: SHA-256(0x00 || entry), SHA-256(0x01 || left || right), SHA-256("") for the empty log.
Hash log_leaf_hash(ByteView entry);
Hash log_node_hash(const Hash& left, const Hash& right);
Hash empty_log_root();

/// What a peer logs each epoch (LOG-2).
struct Epoch {
  Hash map_root;
  std::uint64_t map_size;
  std::uint64_t time_s;  // Unix time
  friend bool operator==(const Epoch&, const Epoch&) = default;
};
inline constexpr std::size_t epoch_size = 60;
/// "AMS-EPOCH/1\0" || map_root || map_size u64 || time_s u64.
Bytes encode(const Epoch& epoch);
/// Fails with proof_form.
Result<Epoch> decode_epoch(ByteView entry);

/// All that a writer needs to go on and to sign: the roots of the complete subtrees, widest first,
/// one for each bit set in size. O(log n) memory; append O(1) amortised.
class Frontier {
 public:
  std::uint64_t size() const { return size_; }
  Hash root() const;
  void append(const Hash& leaf_hash);

  /// size u64 || roots, 32 bytes each.
  Bytes encode() const;
  /// Fails with proof_form.
  static Result<Frontier> decode(ByteView in);
  friend bool operator==(const Frontier&, const Frontier&) = default;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> roots_;
};

/// A log that can prove: keeps the hash of every complete subtree, about 64 bytes an entry.
class Log {
 public:
  std::uint64_t size() const { return levels_.empty() ? 0 : levels_[0].size(); }
  void append(const Hash& leaf_hash);
  Hash root() const { return root(size()); }
  /// The root that the log had at `size` <= size(). O(log n).
  Hash root(std::uint64_t size) const;
  Frontier frontier() const;

  /// That leaf `index` is in the log of `size`: index < size <= size(). At most 64 hashes.
  Bytes prove_inclusion(std::uint64_t index, std::uint64_t size) const;
  /// That the log of `second` extends the log of `first`: first <= second <= size(). Empty when
  /// first is 0 or second.
  Bytes prove_consistency(std::uint64_t first, std::uint64_t second) const;

 private:
  Hash subtree(std::uint64_t begin, std::uint64_t end) const;
  void inclusion(std::uint64_t index, std::uint64_t begin, std::uint64_t end, Bytes& out) const;
  void consistency(std::uint64_t first, std::uint64_t begin, std::uint64_t end, bool known,
                   Bytes& out) const;
  std::vector<std::vector<Hash>> levels_;  // [h][i]: the subtree of leaves i*2^h up to (i+1)*2^h
};

// Proofs are hashes of 32 bytes, without a count. The functions fail with proof_form for a length
// that is no multiple of 32, then with proof.

Result<> verify_inclusion(const Hash& root, std::uint64_t size, std::uint64_t index,
                          const Hash& leaf_hash, ByteView proof);
/// The roots at two sizes that a consistency proof leads to. `hashes`: SUBPROOF(first, D[second],
/// false) of RFC 9162: those of the proof, with the first root put before them where `first` is a
/// power of two. Fails with `proof` when there are too few or too many. Precondition: 0 < first <
/// second.
struct ConsistencyRoots {
  Hash first{}, second{};
};
Result<ConsistencyRoots> consistency_roots(std::uint64_t first, std::uint64_t second,
                                           std::span<const Hash> hashes);
Result<> verify_consistency(std::uint64_t first, const Hash& first_root, std::uint64_t second,
                            const Hash& second_root, ByteView proof);

}  // namespace ams::verifiable
