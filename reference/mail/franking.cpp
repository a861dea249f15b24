#include "mail/franking.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "crypto/crypto.h"
#include "mail/elements.h"
#include "mail/objects.h"
#include "policy/mutant.h"
#include "wire/sigform.h"
#include "wire/writer.h"

namespace ams::mail {
namespace {

/// The letter without fk, parts and att. Written member by member: a copy of the tree would be one
/// of its keys, too.
Bytes leaf0_of(const wire::Value& letter) {
  Bytes out;
  wire::Writer writer(out, 1024);
  writer.begin_object();
  for (const auto& [name, member] : letter.as_object()) {
    if (name == "fk" || name == "parts" || name == "att" || name == "proof") continue;
    writer.name(name);
    writer.value(member);
  }
  writer.end_object();
  writer.finish();
  return out;
}

crypto::Secret leaf_key(ByteView prk, std::uint32_t index) {
  Bytes info = to_bytes("AMS-FRANK");
  append_u32(info, index);
  return crypto::hkdf_expand(prk, info, 32);
}

/// The data of a leaf of the tree.
Bytes committed_leaf(ByteView key, std::uint32_t index, ByteView leaf) {
  Bytes prefix;
  prefix.reserve(12);
  append_u32(prefix, index);
  append_u64(prefix, leaf.size());
  return to_bytes(crypto::hmac_sha256(key, {prefix, leaf}));
}

std::vector<Bytes> committed_leaves(ByteView fk, std::span<const ByteView> leaves) {
  const crypto::Secret prk = crypto::hkdf_extract({}, fk);
  std::vector<Bytes> out;
  out.reserve(leaves.size());
  for (std::uint32_t i = 0; i < leaves.size(); ++i)
    out.push_back(committed_leaf(leaf_key(prk.view(), i).view(), i, leaves[i]));
  return out;
}

Hash node_hash(const Hash& left, const Hash& right) {
  Bytes node{0x01};
  append(node, left);
  append(node, right);
  return crypto::sha256(node);
}

/// RFC 9162 section 2.1.3.1, for data[first, last).
void append_path(const std::vector<Bytes>& data, std::size_t first, std::size_t last,
                 std::size_t index, std::vector<Hash>& out) {
  if (last - first == 1) return;
  const std::size_t split = first + std::bit_floor(last - first - 1);
  const auto half = [&](std::size_t from, std::size_t to) {
    return merkle_root(std::vector<Bytes>(data.begin() + static_cast<std::ptrdiff_t>(from),
                                          data.begin() + static_cast<std::ptrdiff_t>(to)));
  };
  if (index < split) {
    append_path(data, first, split, index, out);
    out.push_back(half(split, last));
  } else {
    append_path(data, split, last, index, out);
    out.push_back(half(first, split));
  }
}

/// The root of the tree of `leaves` whose leaf `index` has this hash; empty when the path is not as
/// long as that place demands (RFC 9162 section 2.1.3.2).
std::optional<Hash> root_of(Hash node, std::uint64_t index, std::uint64_t leaves,
                            const std::vector<Hash>& path) {
  std::uint64_t last = leaves - 1;
  for (const Hash& sibling : path) {
    if (last == 0) return std::nullopt;
    if (index % 2 == 1 || index == last) {
      node = node_hash(sibling, node);
      for (; index % 2 == 0 && index != 0; index /= 2) last /= 2;
    } else {
      node = node_hash(node, sibling);
    }
    index /= 2;
    last /= 2;
  }
  if (last != 0) return std::nullopt;
  return node;
}

}  // namespace

std::vector<Bytes> leaves_of(const wire::Value& letter) {
  std::vector<Bytes> out;
  out.push_back(leaf0_of(letter));
  for (const wire::Value& part : letter.find("parts")->as_array())
    out.push_back(wire::encode(part));
  for (const wire::Value& attachment : letter.find("att")->as_array())
    out.push_back(wire::encode_without(attachment, "key"));
  return out;
}

Hash franking_commitment(ByteView fk, const std::vector<Bytes>& leaves) {
  const std::vector<ByteView> views(leaves.begin(), leaves.end());
  return franking_commitment(fk, views);
}

Hash franking_commitment(ByteView fk, std::span<const ByteView> leaves) {
  return merkle_root(committed_leaves(fk, leaves));
}

LeafOpening open_leaf(ByteView fk, const std::vector<Bytes>& leaves, std::size_t index) {
  AMS_ASSERT(index < leaves.size() && leaves.size() <= static_cast<std::size_t>(leaves_max));
  LeafOpening out;
  out.index = static_cast<std::int64_t>(index);
  out.key = leaf_key(crypto::hkdf_extract({}, fk).view(), static_cast<std::uint32_t>(index));
  out.leaf = leaves[index];
  const std::vector<ByteView> views(leaves.begin(), leaves.end());
  append_path(committed_leaves(fk, views), 0, leaves.size(), index, out.path);
  return out;
}

wire::Value to_value(const LeafOpening& opening) {
  return wire::Object{{"i", opening.index},
                      {"key", to_base64url(opening.key.view())},
                      {"leaf", to_base64url(opening.leaf)},
                      {"path", hash_array(opening.path)}};
}

Result<LeafOpening> parse_leaf_opening(const wire::Value& value) {
  wire::ObjectReader in(value, "leaf opening");
  LeafOpening out;
  out.index = in.integer("i", 0, leaves_max - 1);
  out.key = crypto::Secret::copy_of(in.bytes<32>("key"));
  out.leaf = in.binary("leaf", 1, leaf_size_max);
  out.path = read_hashes(in, "path", leaf_path_max);
  AMS_CHECK(in.finish());
  return out;
}

Result<> check_leaf(const LeafOpening& opening, std::int64_t leaves, const Hash& fc) {
  const bool inside = opening.index >= 0 && opening.index < leaves;
  if (!inside && !mutant("mail.skip_leaf_index")) return fail(Code::leaf_count, "leaf opening");
  const auto index = static_cast<std::uint32_t>(opening.index);
  const Bytes data = committed_leaf(opening.key.view(), index, opening.leaf);
  const auto root =
      root_of(merkle_root({data}), index,
              static_cast<std::uint64_t>(std::max<std::int64_t>(leaves, 1)), opening.path);
  if (root != fc && !mutant("mail.skip_leaf_path")) return fail(Code::franking, "leaf opening");
  return {};
}

}  // namespace ams::mail
