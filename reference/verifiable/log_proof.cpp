// Verification of log proofs: the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2 (spec LOG-5
// to LOG-7).
#include <bit>

#include "policy/mutant.h"
#include "verifiable/log.h"

namespace ams::verifiable {
namespace {

constexpr std::size_t log_hash_size = 32;

Result<std::vector<Hash>> log_hashes(ByteView proof) {
  const bool large = proof.size() > 2 * 64 * log_hash_size;
  if (proof.size() % log_hash_size != 0 ||
      (large && !ams::mutant("verifiable.accept_large_log_proof")))
    return fail(ams::mutant("verifiable.wrong_code_log_proof") ? Code::proof : Code::proof_form,
                "log proof size");
  std::vector<Hash> out;
  for (; !proof.empty(); proof = proof.subspan(log_hash_size))
    out.push_back(*to_array<log_hash_size>(proof.first(log_hash_size)));
  return out;
}

}  // namespace

Result<> verify_inclusion(const Hash& root, std::uint64_t size, std::uint64_t index,
                          const Hash& leaf_hash, ByteView proof) {
  AMS_TRY(const auto path, log_hashes(proof));
  if (index >= size && !ams::mutant("verifiable.accept_any_index"))
    return fail(Code::proof, "no such index");
  std::uint64_t at = index;
  std::uint64_t last = size - 1;  // the last node of the level
  Hash hash = leaf_hash;
  for (const Hash& sibling : path) {
    if (last == 0 && !ams::mutant("verifiable.accept_long_proof"))
      return fail(Code::proof, "inclusion proof too long");
    if ((at & 1) != 0 || at == last) {
      hash = log_node_hash(sibling, hash);
      while ((at & 1) == 0 && at != 0) {  // alone at its level: it moves up as it is
        at >>= 1;
        last >>= 1;
      }
    } else {
      hash = log_node_hash(hash, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  if (!ams::mutant("verifiable.accept_short_proof") && last != 0)
    return fail(Code::proof, "inclusion proof too short");
  if (!ams::mutant("verifiable.skip_inclusion_root") && hash != root)
    return fail(Code::proof, "log root");
  return {};
}

Result<ConsistencyRoots> consistency_roots(std::uint64_t first, std::uint64_t second,
                                           std::span<const Hash> path) {
  if (path.empty()) return fail(Code::proof, "consistency proof too short");
  std::uint64_t at = first - 1;
  std::uint64_t last = second - 1;
  const int skipped = std::countr_one(at);
  at >>= skipped;
  last >>= skipped;
  ConsistencyRoots roots{path[0], path[0]};
  for (const Hash& sibling : path.subspan(1)) {
    if (last == 0 && !ams::mutant("verifiable.accept_long_consistency"))
      return fail(Code::proof, "consistency proof too long");
    if ((at & 1) != 0 || at == last) {
      roots.first = log_node_hash(sibling, roots.first);
      roots.second = log_node_hash(sibling, roots.second);
      while ((at & 1) == 0 && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      roots.second = log_node_hash(roots.second, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  if (last != 0 && !ams::mutant("verifiable.accept_short_consistency"))
    return fail(Code::proof, "consistency proof too short");
  return roots;
}

Result<> verify_consistency(std::uint64_t first, const Hash& first_root, std::uint64_t second,
                            const Hash& second_root, ByteView proof) {
  AMS_TRY(auto path, log_hashes(proof));
  if (first > second && !ams::mutant("verifiable.accept_shrunk_log"))
    return fail(Code::proof, "the log shrank");
  if (first == 0 || first == second) {
    if (!path.empty() && !ams::mutant("verifiable.accept_needless_proof"))
      return fail(Code::proof, "a proof where none is needed");
    const bool begun = first != 0 || first_root == empty_log_root();
    if (!begun && !ams::mutant("verifiable.skip_empty_root"))
      return fail(Code::proof, "root of an empty log");
    const bool same = first != second || first_root == second_root;
    if (!same && !ams::mutant("verifiable.skip_equal_roots"))
      return fail(Code::proof, "roots of one size");
    return {};
  }
  if (std::has_single_bit(first)) path.insert(path.begin(), first_root);
  if (path.empty() && ams::mutant("verifiable.accept_short_consistency")) return {};
  AMS_TRY(const ConsistencyRoots roots, consistency_roots(first, second, path));
  if (!ams::mutant("verifiable.skip_old_root") && roots.first != first_root)
    return fail(Code::proof, "the log was rewritten");
  if (!ams::mutant("verifiable.skip_new_root") && roots.second != second_root)
    return fail(Code::proof, "log root");
  return {};
}

}  // namespace ams::verifiable
