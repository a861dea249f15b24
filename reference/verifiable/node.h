// The nodes of the Merkle map (spec MAP-1 to MAP-3): immutable, counted, shared between maps. Only
// this room's map*.cpp include it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"

namespace ams::verifiable {

inline constexpr std::size_t kid_bits = 128;

/// Bit `i` of a kid, the first one the most significant.
inline bool kid_bit(const Id16& kid, std::size_t i) {
  return ((kid[i / 8] >> (7 - i % 8)) & 1) != 0;
}
/// The first bit in which they differ; kid_bits if in none.
std::size_t first_difference(const Id16& a, const Id16& b);

/// MAP-1, MAP-2.
Hash hash_leaf(const Id16& kid, const Hash& value);
Hash hash_branch(std::size_t depth, const Hash& left, const Hash& right);

class Node;

/// A counted reference. The counts are atomic: maps in several threads may share nodes.
class NodeRef {
 public:
  NodeRef() = default;
  NodeRef(const NodeRef& other);
  NodeRef(NodeRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodeRef& operator=(NodeRef other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodeRef();
  const Node* get() const { return node_; }
  const Node* operator->() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  friend class Node;
  explicit NodeRef(Node* node) : node_(node) {}  // takes over one count
  Node* node_ = nullptr;
};

/// A leaf, or a branch with two subtrees that first differ in bit `depth`. 56 bytes either way, so
/// that a key costs two chunks of 64 bytes; a leaf's hash is computed when it is asked for.
class Node {
 public:
  static NodeRef leaf(const Id16& kid, const Hash& value);
  static NodeRef branch(std::size_t depth, NodeRef left, NodeRef right);

  bool is_leaf() const { return depth_ == kid_bits; }
  std::size_t depth() const { return depth_; }  // kid_bits for a leaf
  const Id16& kid() const { return leaf_.kid; }
  const Hash& value() const { return leaf_.value; }
  const NodeRef& child(bool right) const { return branch_.child[right ? 1 : 0]; }
  Hash hash() const { return is_leaf() ? hash_leaf(kid(), value()) : branch_.hash; }
  /// Some kid below; all kids below agree with it in the first depth() bits.
  const Id16& some_kid() const;

  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

 private:
  friend class NodeRef;
  struct Leaf {
    Id16 kid;
    Hash value;
  };
  struct Branch {
    Hash hash;
    NodeRef child[2];
  };
  Node(const Id16& kid, const Hash& value) : depth_(kid_bits), leaf_{kid, value} {}
  Node(std::size_t depth, NodeRef left, NodeRef right);
  ~Node();

  std::atomic<std::uint32_t> count_{1};
  std::uint8_t depth_;
  union {
    Leaf leaf_;
    Branch branch_;
  };
};

}  // namespace ams::verifiable
