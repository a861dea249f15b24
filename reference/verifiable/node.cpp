#include "verifiable/node.h"

#include <algorithm>
#include <bit>

#include "base/result.h"
#include "crypto/crypto.h"

namespace ams::verifiable {

std::size_t first_difference(const Id16& a, const Id16& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto changed = static_cast<std::uint8_t>(a[i] ^ b[i]);
    if (changed != 0) return 8 * i + static_cast<std::size_t>(std::countl_zero(changed));
  }
  return kid_bits;
}

Hash hash_leaf(const Id16& kid, const Hash& value) {
  std::array<std::uint8_t, 1 + 16 + 32> input;
  input[0] = 0x02;
  std::copy(kid.begin(), kid.end(), input.begin() + 1);
  std::copy(value.begin(), value.end(), input.begin() + 17);
  return crypto::sha256(input);
}

Hash hash_branch(std::size_t depth, const Hash& left, const Hash& right) {
  std::array<std::uint8_t, 2 + 32 + 32> input;
  input[0] = 0x03;
  input[1] = static_cast<std::uint8_t>(depth);
  std::copy(left.begin(), left.end(), input.begin() + 2);
  std::copy(right.begin(), right.end(), input.begin() + 34);
  return crypto::sha256(input);
}

NodeRef::NodeRef(const NodeRef& other) : node_(other.node_) {
  if (node_ != nullptr) node_->count_.fetch_add(1, std::memory_order_relaxed);
}

NodeRef::~NodeRef() {
  // Recursion through ~Branch goes at most kid_bits deep.
  if (node_ != nullptr && node_->count_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete node_;
}

NodeRef Node::leaf(const Id16& kid, const Hash& value) { return NodeRef(new Node(kid, value)); }

NodeRef Node::branch(std::size_t depth, NodeRef left, NodeRef right) {
  AMS_ASSERT(depth < left->depth() && depth < right->depth());
  return NodeRef(new Node(depth, std::move(left), std::move(right)));
}

Node::Node(std::size_t depth, NodeRef left, NodeRef right)
    : depth_(static_cast<std::uint8_t>(depth)),
      branch_{hash_branch(depth, left->hash(), right->hash()),
              {std::move(left), std::move(right)}} {}

Node::~Node() {
  if (!is_leaf()) branch_.~Branch();
}

const Id16& Node::some_kid() const {
  const Node* node = this;
  while (!node->is_leaf()) node = node->child(false).get();
  return node->kid();
}

}  // namespace ams::verifiable
