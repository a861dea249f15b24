// Goal: the log and its proofs are those of RFC 9162, for every size up to 130.
// Method: the RFC's recursive definitions written down as they stand, compared byte for byte; the
// tree that implementations of RFC 6962 test with; every bit flipped, every number changed.
#include "verifiable/log.h"

#include <gtest/gtest.h>

#include <span>

#include "crypto/crypto.h"

namespace ams::verifiable {
namespace {

constexpr std::uint64_t size_max = 130;
using Leaves = std::span<const Hash>;

std::vector<Hash> leaves(std::uint64_t count) {
  std::vector<Hash> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    Bytes entry;
    append_u64(entry, i);
    out.push_back(log_leaf_hash(entry));
  }
  return out;
}

Log log_of(Leaves in) {
  Log log;
  for (const Hash& leaf : in) log.append(leaf);
  return log;
}

std::size_t k_of(std::size_t n) {
  std::size_t k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

Hash naive_root(Leaves in) {
  if (in.empty()) return crypto::sha256({});
  if (in.size() == 1) return in[0];
  Bytes input{0x01};
  append(input, naive_root(in.first(k_of(in.size()))));
  append(input, naive_root(in.subspan(k_of(in.size()))));
  return crypto::sha256(input);
}

Bytes naive_path(std::size_t m, Leaves in) {
  if (in.size() == 1) return {};
  const std::size_t k = k_of(in.size());
  Bytes out = m < k ? naive_path(m, in.first(k)) : naive_path(m - k, in.subspan(k));
  append(out, naive_root(m < k ? in.subspan(k) : in.first(k)));
  return out;
}

Bytes naive_subproof(std::size_t m, Leaves in, bool b) {
  if (m == in.size()) return b ? Bytes{} : to_bytes(ByteView(naive_root(in)));
  const std::size_t k = k_of(in.size());
  Bytes out =
      m <= k ? naive_subproof(m, in.first(k), b) : naive_subproof(m - k, in.subspan(k), false);
  append(out, naive_root(m <= k ? in.subspan(k) : in.first(k)));
  return out;
}

TEST(MerkleLog, roots_and_proofs_are_those_of_the_rfc) {
  const auto all = leaves(size_max);
  const Log log = log_of(all);
  std::vector<Hash> roots;
  for (std::uint64_t n = 0; n <= size_max; ++n) roots.push_back(naive_root(Leaves(all).first(n)));
  for (std::uint64_t n = 0; n <= size_max; ++n) {
    ASSERT_EQ(log.root(n), roots[n]) << n;
    for (std::uint64_t i = 0; i < n; ++i) {
      const Bytes proof = log.prove_inclusion(i, n);
      ASSERT_EQ(proof, naive_path(i, Leaves(all).first(n))) << i << " of " << n;
      ASSERT_TRUE(verify_inclusion(roots[n], n, i, all[i], proof)) << i << " of " << n;
    }
    for (std::uint64_t m = 0; m <= n; ++m) {
      const Bytes proof = log.prove_consistency(m, n);
      const Bytes naive = m > 0 ? naive_subproof(m, Leaves(all).first(n), true) : Bytes{};
      ASSERT_EQ(proof, naive) << m << " to " << n;
      ASSERT_TRUE(verify_consistency(m, roots[m], n, roots[n], proof)) << m << " to " << n;
    }
  }
}

/// The entries that RFC 6962's implementations have in common, and their roots.
const std::vector<std::pair<std::string, std::string>> ct_tree = {
    {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"606162636465666768696a6b6c6d6e6f",
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"}};

TEST(MerkleLog, known_answers_of_rfc_6962) {
  Log log;
  Frontier frontier;
  EXPECT_EQ(to_hex(log.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (const auto& [entry, root] : ct_tree) {
    log.append(log_leaf_hash(*from_hex(entry)));
    frontier.append(log_leaf_hash(*from_hex(entry)));
    EXPECT_EQ(to_hex(log.root()), root);
    EXPECT_EQ(to_hex(frontier.root()), root);
  }
  EXPECT_EQ(to_hex(log.prove_consistency(6, 8)),
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
  EXPECT_EQ(to_hex(log.prove_consistency(2, 5)),
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b");
}

TEST(MerkleLog, a_frontier_goes_on_where_the_log_was) {
  const auto all = leaves(size_max);
  Log log;
  Frontier frontier;
  for (const Hash& leaf : all) {
    EXPECT_EQ(frontier.root(), log.root());
    EXPECT_EQ(frontier, log.frontier());
    const auto decoded = Frontier::decode(frontier.encode());
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, frontier);
    frontier = *decoded;
    log.append(leaf);
    frontier.append(leaf);
  }
  const Bytes encoded = frontier.encode();
  for (std::size_t size = 0; size < encoded.size(); ++size)
    EXPECT_EQ(Frontier::decode(ByteView(encoded).first(size)).error().code, Code::proof_form);
}

TEST(MerkleLog, an_epoch_is_sixty_bytes) {
  const Epoch epoch{log_leaf_hash({}), 7, 1790000000};
  const Bytes encoded = encode(epoch);
  ASSERT_EQ(encoded.size(), epoch_size);
  EXPECT_EQ(decode_epoch(encoded), epoch);
  EXPECT_EQ(as_text(ByteView(encoded).first(11)), "AMS-EPOCH/1");
  EXPECT_EQ(to_hex(ByteView(encoded).last(16)),
            "0000000000000007"
            "000000006ab13b80");
  for (std::size_t i = 0; i < 12; ++i) {
    Bytes changed = encoded;
    changed[i] ^= 1;
    EXPECT_EQ(decode_epoch(changed).error().code, Code::proof_form);
  }
  EXPECT_FALSE(decode_epoch(ByteView(encoded).first(59)));
}

/// Every flip of one bit, every cut and an addition by one hash.
template <class Verify>
void expect_only(const Bytes& proof, const Verify& verify) {
  ASSERT_TRUE(verify(proof));
  for (std::size_t bit = 0; bit < 8 * proof.size(); ++bit) {
    Bytes changed = proof;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(verify(changed)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < proof.size(); ++size)
    EXPECT_FALSE(verify(to_bytes(ByteView(proof).first(size)))) << size;
  for (const std::size_t more : {std::size_t{1}, std::size_t{32}}) {
    Bytes longer = proof;
    longer.resize(proof.size() + more);
    EXPECT_FALSE(verify(longer));
  }
}

TEST(LogProof, no_change_of_an_inclusion_proof_passes) {
  const auto all = leaves(21);
  const Log log = log_of(all);
  for (std::uint64_t size = 1; size <= 21; ++size) {
    for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1}) {
      const Hash root = log.root(size);
      const Bytes proof = log.prove_inclusion(index, size);
      expect_only(proof, [&](const Bytes& in) {
        return verify_inclusion(root, size, index, all[index], in).has_value();
      });
      for (std::uint64_t other = 0; other < 40; ++other) {
        if (other == index) continue;
        EXPECT_FALSE(verify_inclusion(root, size, other, all[index], proof));
      }
      EXPECT_FALSE(verify_inclusion(root, size, index, root, proof) && size > 1);
    }
  }
}

TEST(LogProof, no_change_of_a_consistency_proof_passes) {
  const auto all = leaves(21);
  const Log log = log_of(all);
  for (std::uint64_t second = 1; second <= 21; ++second) {
    for (std::uint64_t first = 1; first <= second; first += 3) {
      const Bytes proof = log.prove_consistency(first, second);
      expect_only(proof, [&](const Bytes& in) {
        return verify_consistency(first, log.root(first), second, log.root(second), in).has_value();
      });
      for (std::uint64_t other = 0; other <= 21; ++other) {
        EXPECT_EQ(
            verify_consistency(first, log.root(other), second, log.root(second), proof).has_value(),
            other == first);
        EXPECT_EQ(
            verify_consistency(first, log.root(first), second, log.root(other), proof).has_value(),
            other == second);
      }
    }
  }
}

TEST(LogProof, a_rewritten_log_has_no_proof) {
  auto all = leaves(40);
  const Log honest = log_of(all);
  all[7][0] ^= 1;
  const Log rewritten = log_of(all);
  for (std::uint64_t first = 8; first < 40; ++first) {
    const auto result = verify_consistency(first, honest.root(first), 40, rewritten.root(),
                                           rewritten.prove_consistency(first, 40));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::proof);
  }
}

TEST(LogProof, each_fault_has_its_code) {
  const auto all = leaves(8);
  const Log log = log_of(all);
  const auto code = [](const Result<>& result) { return result ? Code{} : result.error().code; };
  EXPECT_EQ(code(verify_inclusion(log.root(), 8, 0, all[0], Bytes(31))), Code::proof_form);
  EXPECT_EQ(code(verify_inclusion(log.root(), 8, 8, all[0], {})), Code::proof);
  EXPECT_EQ(code(verify_inclusion(log.root(), 0, 0, all[0], {})), Code::proof);
  EXPECT_EQ(code(verify_consistency(1, all[0], 8, log.root(), Bytes(33))), Code::proof_form);
  EXPECT_EQ(code(verify_consistency(9, all[0], 8, log.root(), {})), Code::proof);
  EXPECT_EQ(code(verify_consistency(8, all[0], 8, log.root(), {})), Code::proof);
  EXPECT_EQ(code(verify_consistency(0, all[0], 8, log.root(), {})), Code::proof);
  EXPECT_EQ(code(verify_consistency(0, empty_log_root(), 0, log.root(), {})), Code::proof);
  EXPECT_EQ(code(verify_consistency(3, log.root(3), 8, log.root(), {})), Code::proof);
  // A path that ends below the root: right for the log of 4, told of one of 8.
  EXPECT_EQ(code(verify_inclusion(log.root(4), 8, 3, all[3], log.prove_inclusion(3, 4))),
            Code::proof);
}

}  // namespace
}  // namespace ams::verifiable
