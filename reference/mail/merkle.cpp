// RFC 9162 section 2.1.1: the hash of a tree over a list.
#include <bit>
#include <span>

#include "mail/objects.h"

namespace ams::mail {
namespace {

Hash leaf_hash(ByteView leaf) {
  crypto::Sha256 hash;
  hash.update(Bytes{0x00});
  hash.update(leaf);
  return hash.finish();
}

Hash tree_hash(std::span<const Bytes> leaves) {
  if (leaves.size() == 1) return leaf_hash(leaves[0]);
  const std::size_t split = std::bit_floor(leaves.size() - 1);  // largest power of two below size
  Bytes node{0x01};
  append(node, tree_hash(leaves.first(split)));
  append(node, tree_hash(leaves.subspan(split)));
  return crypto::sha256(node);
}

}  // namespace

Hash merkle_root(const std::vector<Bytes>& leaves) {
  AMS_ASSERT(!leaves.empty());
  return tree_hash(leaves);
}

}  // namespace ams::mail
