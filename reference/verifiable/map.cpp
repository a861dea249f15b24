#include "verifiable/map.h"

#include <algorithm>
#include <span>

namespace ams::verifiable {
namespace {

const Node* nearest_leaf(const Node* node, const Id16& kid) {
  while (!node->is_leaf()) node = node->child(kid_bit(kid, node->depth())).get();
  return node;
}

NodeRef join(std::size_t depth, bool first_is_right, NodeRef first, NodeRef second) {
  if (first_is_right) std::swap(first, second);
  return Node::branch(depth, std::move(first), std::move(second));
}

/// `split`: the first bit in which `kid` differs from everything here, kid_bits if it is here.
NodeRef inserted(const NodeRef& at, const Id16& kid, const Hash& value, std::size_t split) {
  if (split == kid_bits && at->is_leaf()) return Node::leaf(kid, value);
  if (at->depth() > split) return join(split, kid_bit(kid, split), Node::leaf(kid, value), at);
  const bool right = kid_bit(kid, at->depth());
  return join(at->depth(), right, inserted(at->child(right), kid, value, split), at->child(!right));
}

/// Precondition: `kid` is here.
NodeRef erased(const NodeRef& at, const Id16& kid) {
  if (at->is_leaf()) return {};
  const bool right = kid_bit(kid, at->depth());
  NodeRef rest = erased(at->child(right), kid);
  if (!rest) return at->child(!right);  // a branch with one side is no branch
  return join(at->depth(), right, std::move(rest), at->child(!right));
}

/// `sorted`: by kid, without duplicates, not empty.
NodeRef built(std::span<const Entry> sorted) {
  if (sorted.size() == 1) return Node::leaf(sorted[0].kid, sorted[0].value);
  const std::size_t depth = first_difference(sorted.front().kid, sorted.back().kid);
  const auto middle = std::partition_point(sorted.begin(), sorted.end(),
                                           [&](const Entry& e) { return !kid_bit(e.kid, depth); });
  const auto left_size = static_cast<std::size_t>(middle - sorted.begin());
  NodeRef left = built(sorted.first(left_size));
  NodeRef right = built(sorted.subspan(left_size));
  return Node::branch(depth, std::move(left), std::move(right));
}

/// The subtree of exactly the kids that begin like `prefix`; null if there are none.
const Node* range_node(const Node* node, const Id16& prefix, std::size_t bits) {
  AMS_ASSERT(bits <= kid_bits);
  while (node != nullptr && node->depth() < bits)
    node = node->child(kid_bit(prefix, node->depth())).get();
  if (node == nullptr || first_difference(node->some_kid(), prefix) < bits) return nullptr;
  return node;
}

void collect(const Node& node, std::size_t max, std::vector<Entry>& out) {
  if (out.size() >= max) return;
  if (node.is_leaf()) {
    out.push_back({node.kid(), node.value()});
    return;
  }
  collect(*node.child(false).get(), max, out);
  collect(*node.child(true).get(), max, out);
}

bool equal(const Node& a, const Node& b) {
  if (&a == &b) return true;
  if (a.depth() != b.depth()) return false;
  if (a.is_leaf()) return a.kid() == b.kid() && a.value() == b.value();
  return a.hash() == b.hash();
}

/// How two unequal subtrees lie to each other.
struct Meeting {
  std::size_t depth;  // of the upper one, or where they part
  bool disjoint;      // they part above both
};
Meeting meeting(const Node& a, const Node& b) {
  const std::size_t upper = std::min(a.depth(), b.depth());
  const std::size_t parts = first_difference(a.some_kid(), b.some_kid());
  return parts < upper ? Meeting{parts, true} : Meeting{upper, false};
}

class Differ {
 public:
  explicit Differ(std::size_t max) : max_(max) {}
  std::vector<Difference> take() { return std::move(out_); }

  void compare(const Node* left, const Node* right) {
    if (out_.size() >= max_) return;
    if (left == nullptr || right == nullptr) return one_side(left, right);
    if (equal(*left, *right)) return;
    if (left->is_leaf() && right->is_leaf() && left->kid() == right->kid()) {
      out_.push_back({left->kid(), left->value(), right->value()});
      return;
    }
    const Meeting m = meeting(*left, *right);
    for (const bool side : {false, true}) compare(part(left, m, side), part(right, m, side));
  }

 private:
  /// What of `node` lies on this side of bit `m.depth`.
  static const Node* part(const Node* node, const Meeting& m, bool side) {
    if (!m.disjoint && node->depth() == m.depth) return node->child(side).get();
    return kid_bit(node->some_kid(), m.depth) == side ? node : nullptr;
  }

  void one_side(const Node* left, const Node* right) {
    const Node* node = left != nullptr ? left : right;
    if (node == nullptr) return;
    std::vector<Entry> all;
    collect(*node, max_ - out_.size(), all);
    for (const Entry& e : all) {
      if (left != nullptr)
        out_.push_back({e.kid, e.value, std::nullopt});
      else
        out_.push_back({e.kid, std::nullopt, e.value});
    }
  }

  std::size_t max_;
  std::vector<Difference> out_;
};

/// `mine` with `donor`'s nodes wherever they are equal.
NodeRef shared(const NodeRef& mine, const NodeRef& donor) {
  if (mine.get() == donor.get()) return mine;
  if (equal(*mine.get(), *donor.get())) return donor;
  const Meeting m = meeting(*mine.get(), *donor.get());
  if (m.disjoint || mine->is_leaf()) {
    if (m.disjoint || donor->is_leaf()) return mine;
    return shared(mine, donor->child(kid_bit(mine->kid(), m.depth)));
  }
  if (donor->depth() == m.depth && mine->depth() > m.depth)
    return shared(mine, donor->child(kid_bit(mine->some_kid(), m.depth)));
  NodeRef child[2];
  for (const bool side : {false, true}) {
    const NodeRef& own = mine->child(side);
    const bool both = donor->depth() == m.depth;
    const bool reaches = both || kid_bit(donor->some_kid(), m.depth) == side;
    child[side ? 1 : 0] = reaches ? shared(own, both ? donor->child(side) : donor) : own;
  }
  if (child[0].get() == mine->child(false).get() && child[1].get() == mine->child(true).get())
    return mine;
  return Node::branch(m.depth, std::move(child[0]), std::move(child[1]));
}

}  // namespace

Map Map::of(std::vector<Entry> entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.kid < b.kid; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + 1 < entries.size() && entries[i].kid == entries[i + 1].kid) continue;
    entries[kept++] = entries[i];
  }
  Map map;
  map.size_ = kept;
  if (kept > 0) map.root_ = built(std::span<const Entry>(entries).first(kept));
  return map;
}

Hash Map::root() const { return root_ ? root_->hash() : Hash{}; }

std::optional<Hash> Map::find(const Id16& kid) const {
  if (!root_) return std::nullopt;
  const Node* leaf = nearest_leaf(root_.get(), kid);
  if (leaf->kid() != kid) return std::nullopt;
  return leaf->value();
}

bool Map::insert(const Id16& kid, const Hash& value) {
  if (!root_) {
    root_ = Node::leaf(kid, value);
    size_ = 1;
    return true;
  }
  const Node* near = nearest_leaf(root_.get(), kid);
  const std::size_t split = first_difference(near->kid(), kid);
  if (split == kid_bits && near->value() == value) return false;
  root_ = inserted(root_, kid, value, split);
  if (split < kid_bits) ++size_;
  return true;
}

bool Map::erase(const Id16& kid) {
  if (!find(kid)) return false;
  root_ = erased(root_, kid);
  --size_;
  return true;
}

Hash Map::range_root(const Id16& prefix, std::size_t bits) const {
  const Node* node = range_node(root_.get(), prefix, bits);
  return node != nullptr ? node->hash() : Hash{};
}

std::vector<Entry> Map::range(const Id16& prefix, std::size_t bits, std::size_t max) const {
  std::vector<Entry> out;
  const Node* node = range_node(root_.get(), prefix, bits);
  if (node != nullptr) collect(*node, max, out);
  return out;
}

void Map::share_with(const Map& donor) {
  if (root_ && donor.root_) root_ = shared(root_, donor.root_);
}

std::vector<Difference> diff(const Map& left, const Map& right, std::size_t max) {
  Differ differ(max);
  differ.compare(left.root_.get(), right.root_.get());
  return differ.take();
}

Bytes Map::prove(const Id16& kid) const {
  MapProof proof;
  if (!root_) return encode(proof);
  const Node* node = root_.get();
  while (!node->is_leaf()) {
    const bool right = kid_bit(kid, node->depth());
    proof.depths.push_back(static_cast<std::uint8_t>(node->depth()));
    proof.siblings.push_back(node->child(!right)->hash());
    node = node->child(right).get();
  }
  proof.kind = node->kid() == kid ? MapProofKind::present : MapProofKind::other_leaf;
  if (proof.kind == MapProofKind::other_leaf) proof.other = Entry{node->kid(), node->value()};
  return encode(proof);
}

}  // namespace ams::verifiable
