// Encoding and verification of map proofs (spec MAP-5 to MAP-7).
#include <algorithm>

#include "policy/mutant.h"
#include "verifiable/map.h"

namespace ams::verifiable {
namespace {

constexpr std::size_t hash_size = 32;
constexpr std::size_t entry_size = 48;

/// From the leaf up, along the bits of `kid`.
Hash folded(Hash hash, const Id16& kid, const MapProof& proof) {
  for (std::size_t i = proof.depths.size(); i-- > 0;) {
    const std::size_t depth = proof.depths[i];
    hash = kid_bit(kid, depth) ? hash_branch(depth, proof.siblings[i], hash)
                               : hash_branch(depth, hash, proof.siblings[i]);
  }
  return hash;
}

Code map_form() {
  return ams::mutant("verifiable.wrong_code_map_proof") ? Code::proof : Code::proof_form;
}

Result<> check_root(const Hash& root, const Hash& computed) {
  if (!ams::mutant("verifiable.skip_path_check") && computed != root)
    return fail(Code::proof, "map root");
  return {};
}

}  // namespace

Bytes encode(const MapProof& proof) {
  std::array<std::uint8_t, kid_bits / 8> depths{};
  for (const std::size_t depth : proof.depths)
    depths[depth / 8] = static_cast<std::uint8_t>(depths[depth / 8] | (0x80 >> (depth % 8)));
  const std::size_t depths_size = proof.depths.empty() ? 0 : proof.depths.back() / 8 + 1u;
  Bytes out;
  out.reserve(2 + depths_size + hash_size * proof.siblings.size() + entry_size);
  out.push_back(static_cast<std::uint8_t>(proof.kind));
  out.push_back(static_cast<std::uint8_t>(depths_size));
  append(out, ByteView(depths).first(depths_size));
  for (const Hash& sibling : proof.siblings) append(out, sibling);
  if (proof.other) {
    append(out, proof.other->kid);
    append(out, proof.other->value);
  }
  return out;
}

Result<MapProof> decode_map_proof(ByteView in) {
  const bool kind_known = in.size() >= 2 && (in[0] <= 2 || ams::mutant("verifiable.any_map_kind"));
  if (!kind_known || in[1] > kid_bits / 8 || in.size() < 2u + in[1])
    return fail(map_form(), "map proof head");
  MapProof proof;
  proof.kind = static_cast<MapProofKind>(in[0]);
  const ByteView depths = in.subspan(2, in[1]);
  ByteView rest = in.subspan(2 + depths.size());
  const bool longer = !depths.empty() && depths.back() == 0;
  if (longer && !ams::mutant("verifiable.accept_depths_of_zero"))
    return fail(Code::proof_form, "map proof depths");
  for (std::size_t depth = 0; depth < 8 * depths.size(); ++depth) {
    if ((depths[depth / 8] & (0x80 >> (depth % 8))) != 0)
      proof.depths.push_back(static_cast<std::uint8_t>(depth));
  }
  const std::size_t tail = proof.kind == MapProofKind::other_leaf ? entry_size : 0;
  const std::size_t expected = hash_size * proof.depths.size() + tail;
  if (rest.size() < expected) return fail(map_form(), "map proof size");
  if (!ams::mutant("verifiable.accept_trailing_bytes") && rest.size() != expected)
    return fail(Code::proof_form, "map proof size");
  const bool empty_with_depths = proof.kind == MapProofKind::empty && !proof.depths.empty();
  if (empty_with_depths && !ams::mutant("verifiable.accept_depths_of_empty"))
    return fail(Code::proof_form, "map proof of an empty map");
  for (std::size_t i = 0; i < proof.depths.size(); ++i, rest = rest.subspan(hash_size))
    proof.siblings.push_back(*to_array<hash_size>(rest.first(hash_size)));
  if (tail > 0)
    proof.other = Entry{*to_array<16>(rest.first(16)), *to_array<32>(rest.subspan(16, 32))};
  return proof;
}

Result<> verify_present(const Hash& root, const Id16& kid, const Hash& value, ByteView bytes) {
  AMS_TRY(const MapProof proof, decode_map_proof(bytes));
  if (proof.kind != MapProofKind::present && !ams::mutant("verifiable.present_by_any_kind"))
    return fail(Code::proof, "a proof of absence");
  return check_root(root, folded(hash_leaf(kid, value), kid, proof));
}

Result<> verify_absent(const Hash& root, const Id16& kid, ByteView bytes) {
  AMS_TRY(const MapProof proof, decode_map_proof(bytes));
  if (proof.kind == MapProofKind::present) {
    if (ams::mutant("verifiable.absent_by_presence")) return {};
    return fail(Code::proof, "a proof of presence");
  }
  if (proof.kind == MapProofKind::empty) return check_root(root, Hash{});
  const Entry& other = *proof.other;
  if (!ams::mutant("verifiable.absent_though_present") && other.kid == kid)
    return fail(Code::proof, "the other leaf is the kid's own");
  // In an honest tree the leaf found by the kid's bits has those bits itself.
  const bool on_its_way = std::all_of(
      proof.depths.begin(), proof.depths.end(),
      [&](std::size_t depth) { return kid_bit(other.kid, depth) == kid_bit(kid, depth); });
  if (!ams::mutant("verifiable.accept_misplaced_leaf") && !on_its_way)
    return fail(Code::proof, "the other leaf lies elsewhere");
  return check_root(root, folded(hash_leaf(other.kid, other.value), kid, proof));
}

}  // namespace ams::verifiable
