// Goal: the map is std::map with a root that depends on the set alone, and a proof convinces of the
// truth and of nothing else.
// Method: rapidcheck against std::map and against the definition of the root, kids crowded into few
// bits so that every shape of branch occurs; every bit of proofs flipped.
#include "verifiable/map.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "crypto/crypto.h"

namespace ams::verifiable {
namespace {

using Oracle = std::map<Id16, Hash>;

/// 2^14 kids that share long prefixes and part in every region.
Id16 kid_of(std::uint16_t n) {
  Id16 kid{};
  kid[0] = static_cast<std::uint8_t>((n & 3) << 6);
  kid[1] = static_cast<std::uint8_t>((n >> 2) & 7);
  kid[8] = static_cast<std::uint8_t>((n >> 5) & 0xf);
  kid[15] = static_cast<std::uint8_t>((n >> 9) & 0x1f);
  return kid;
}

Hash value_of(std::uint8_t n) {
  Hash value{};
  value[31] = n;
  return value;
}

Id16 random_kid(std::mt19937_64& random) {
  Id16 kid;
  for (auto& byte : kid) byte = static_cast<std::uint8_t>(random());
  return kid;
}

/// MAP-1 to MAP-3 word for word: bit after bit, a branch only where both sides have kids.
Hash defined_root(const std::vector<Entry>& set, std::size_t depth = 0) {
  if (set.empty()) return Hash{};
  if (set.size() == 1) {
    Bytes input{0x02};
    append(input, set[0].kid);
    append(input, set[0].value);
    return crypto::sha256(input);
  }
  std::vector<Entry> side[2];
  for (const Entry& e : set) side[(e.kid[depth / 8] >> (7 - depth % 8)) & 1].push_back(e);
  if (side[0].empty() || side[1].empty()) return defined_root(set, depth + 1);
  Bytes input{0x03, static_cast<std::uint8_t>(depth)};
  append(input, defined_root(side[0], depth + 1));
  append(input, defined_root(side[1], depth + 1));
  return crypto::sha256(input);
}

std::vector<Entry> entries_of(const Oracle& oracle) {
  std::vector<Entry> out;
  for (const auto& [kid, value] : oracle) out.push_back({kid, value});
  return out;
}

struct Both {
  Map map;
  Oracle oracle;
};

Both made(const std::vector<std::pair<std::uint16_t, std::uint8_t>>& ops) {
  Both both;
  for (const auto& [n, v] : ops) {
    const Id16 kid = kid_of(n);
    if (v % 4 == 0) {
      const bool erased = both.map.erase(kid);
      RC_ASSERT(erased == (both.oracle.erase(kid) == 1));
    } else {
      const auto found = both.oracle.find(kid);
      const bool changes = found == both.oracle.end() || found->second != value_of(v);
      RC_ASSERT(both.map.insert(kid, value_of(v)) == changes);
      both.oracle[kid] = value_of(v);
    }
  }
  return both;
}

using Ops = std::vector<std::pair<std::uint16_t, std::uint8_t>>;

RC_GTEST_PROP(MerkleMap, is_a_map_with_the_root_of_its_set, (const Ops& ops)) {
  const auto [map, oracle] = made(ops);
  RC_ASSERT(map.size() == oracle.size());
  RC_ASSERT(map.entries() == entries_of(oracle));
  RC_ASSERT(map.root() == defined_root(entries_of(oracle)));
  RC_ASSERT(Map::of(entries_of(oracle)).root() == map.root());
  for (const auto& [n, v] : ops) {
    const auto found = oracle.find(kid_of(n));
    const auto expected = found == oracle.end() ? std::nullopt : std::optional(found->second);
    RC_ASSERT(map.find(kid_of(n)) == expected);
  }
}

TEST(MerkleMap, known_answer_of_an_independent_program) {
  Map map;
  EXPECT_EQ(to_hex(map.root()), std::string(64, '0'));
  const auto id = [](std::string_view hex) { return *to_array<16>(*from_hex(hex)); };
  map.insert(id("00112233445566778899aabbccddeeff"), value_of(1));
  EXPECT_EQ(to_hex(map.root()), "f3df074f098f6d1fc91273b9ab756d41ab64606f776ba403da3a281a2e9a7e82");
  map.insert(id("00112233445566778899aabbccddeefe"), value_of(2));
  map.insert(id("80000000000000000000000000000000"), value_of(3));
  EXPECT_EQ(to_hex(map.root()), "52d6d87a83640bd541f9b9c887799632258cd1e8a90a3d015171810b44e57e99");
}

TEST(MerkleMap, the_order_of_insertion_leaves_no_trace) {
  std::mt19937_64 random(1);
  std::vector<Entry> set;
  for (int i = 0; i < 500; ++i) set.push_back({random_kid(random), value_of(1)});
  const Hash root = Map::of(set).root();
  for (int round = 0; round < 5; ++round) {
    std::shuffle(set.begin(), set.end(), random);
    Map map;
    for (const Entry& e : set) map.insert(e.kid, e.value);
    EXPECT_EQ(map.root(), root);
    for (int i = 0; i < 200; ++i) map.erase(set[static_cast<std::size_t>(i)].kid);
    EXPECT_NE(map.root(), root);
    for (int i = 200; i-- > 0;) map.insert(set[static_cast<std::size_t>(i)].kid, value_of(1));
    EXPECT_EQ(map.root(), root);
  }
}

TEST(MerkleMap, of_equal_kids_the_last_stays) {
  const Map map =
      Map::of({{kid_of(1), value_of(1)}, {kid_of(2), value_of(2)}, {kid_of(1), value_of(3)}});
  EXPECT_EQ(map.size(), 2u);
  EXPECT_EQ(map.find(kid_of(1)), value_of(3));
}

TEST(MerkleMap, a_copy_is_a_value) {
  Map map;
  for (std::uint16_t n = 0; n < 100; ++n) map.insert(kid_of(n), value_of(1));
  const Map before = map;
  EXPECT_TRUE(before.same_nodes(map));
  map.insert(kid_of(3), value_of(9));
  map.erase(kid_of(4));
  EXPECT_EQ(before.size(), 100u);
  EXPECT_EQ(before.find(kid_of(3)), value_of(1));
  EXPECT_EQ(before.find(kid_of(4)), value_of(1));
}

bool proves_present(const Map& map, const Id16& kid, const Hash& value, ByteView proof) {
  return verify_present(map.root(), kid, value, proof).has_value();
}
bool proves_absent(const Map& map, const Id16& kid, ByteView proof) {
  return verify_absent(map.root(), kid, proof).has_value();
}

RC_GTEST_PROP(MapProof, shows_what_is_so_and_nothing_else, (const Ops& ops, std::uint16_t any)) {
  const auto [map, oracle] = made(ops);
  std::vector<Id16> asked{kid_of(any)};
  for (const auto& [n, v] : ops) asked.push_back(kid_of(n));
  for (const Id16& kid : asked) {
    const Bytes proof = map.prove(kid);
    const auto value = map.find(kid);
    RC_ASSERT(proves_absent(map, kid, proof) == !value.has_value());
    RC_ASSERT(encode(*decode_map_proof(proof)) == proof);
    if (value) {
      RC_ASSERT(proves_present(map, kid, *value, proof));
      Hash other = *value;
      other[0] ^= 1;
      RC_ASSERT(!proves_present(map, kid, other, proof));
    }
    RC_ASSERT(!proves_present(map, kid, value_of(0), proof));  // no value here ends in 0
    for (std::size_t bit = 0; bit < kid_bits; bit += 5) {      // another kid, the same proof
      Id16 near = kid;
      near[bit / 8] = static_cast<std::uint8_t>(near[bit / 8] ^ (0x80 >> (bit % 8)));
      if (value && !map.find(near)) RC_ASSERT(!proves_present(map, near, *value, proof));
      if (map.find(near)) RC_ASSERT(!proves_absent(map, near, proof));
    }
  }
}

TEST(MapProof, no_flipped_bit_cut_or_addition_passes) {
  std::mt19937_64 random(2);
  Map map;
  for (int i = 0; i < 300; ++i) map.insert(random_kid(random), value_of(7));
  std::vector<Id16> asked{map.entries()[17].kid, random_kid(random)};
  for (const Id16& kid : asked) {
    const Bytes proof = map.prove(kid);
    const auto accepted = [&](ByteView in) {
      return proves_present(map, kid, value_of(7), in) || proves_absent(map, kid, in);
    };
    ASSERT_TRUE(accepted(proof));
    for (std::size_t bit = 0; bit < 8 * proof.size(); ++bit) {
      Bytes changed = proof;
      changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1 << (bit % 8)));
      EXPECT_FALSE(accepted(changed)) << "bit " << bit;
    }
    for (std::size_t size = 0; size < proof.size(); ++size)
      EXPECT_FALSE(accepted(ByteView(proof).first(size))) << size;
    Bytes longer = proof;
    longer.push_back(0);
    EXPECT_FALSE(accepted(longer));
    longer.resize(proof.size() + 32);
    EXPECT_FALSE(accepted(longer));
  }
}

TEST(MapProof, each_fault_has_its_code) {
  Map map;
  map.insert(kid_of(1), value_of(1));
  map.insert(kid_of(2), value_of(2));
  const auto code = [](const Result<>& result) { return result ? Code{} : result.error().code; };
  const Bytes present = map.prove(kid_of(1));
  const Bytes absent = map.prove(kid_of(3));
  const Hash root = map.root();
  EXPECT_EQ(code(verify_present(root, kid_of(1), value_of(1), {})), Code::proof_form);
  EXPECT_EQ(code(verify_absent(root, kid_of(1), present)), Code::proof);
  EXPECT_EQ(code(verify_present(root, kid_of(3), value_of(1), absent)), Code::proof);
  EXPECT_EQ(code(verify_present(Hash{}, kid_of(1), value_of(1), present)), Code::proof);
  EXPECT_EQ(code(verify_absent(Hash{}, kid_of(3), absent)), Code::proof);
  EXPECT_TRUE(verify_absent(Hash{}, kid_of(3), Map().prove(kid_of(3))));
  EXPECT_EQ(code(verify_absent(root, kid_of(3), Map().prove(kid_of(3)))), Code::proof);
  // The form: kind, length of the depths, a last byte of zero, too short, an empty map with depths.
  for (const Bytes& bad : {Bytes{3, 0}, Bytes{0, 17}, Bytes{0, 1, 0}, Bytes{0, 1, 0x80},
                           Bytes{2, 1, 0x80}, Bytes{1, 0}, Bytes{0, 2, 0x80}})
    EXPECT_EQ(code(verify_absent(root, kid_of(1), bad)), Code::proof_form) << to_hex(bad);
}

TEST(MapProof, the_kids_own_leaf_does_not_show_its_absence) {
  Map map;
  for (std::uint16_t n = 0; n < 40; ++n) map.insert(kid_of(n), value_of(1));
  MapProof forged = *decode_map_proof(map.prove(kid_of(5)));
  forged.kind = MapProofKind::other_leaf;
  forged.other = Entry{kid_of(5), value_of(1)};
  EXPECT_EQ(verify_absent(map.root(), kid_of(5), encode(forged)).error().code, Code::proof);
}

TEST(MapProof, a_leaf_off_its_way_shows_nothing) {
  // A dishonest tree: kid_of(1)'s leaf hangs where kid_of(0) belongs.
  const Hash misplaced = hash_leaf(kid_of(1), value_of(1));
  const Hash root = hash_branch(1, misplaced, Hash{});
  MapProof proof{MapProofKind::other_leaf, {1}, {Hash{}}, Entry{kid_of(1), value_of(1)}};
  EXPECT_EQ(verify_absent(root, kid_of(0), encode(proof)).error().code, Code::proof);
}

RC_GTEST_PROP(MapDiff, finds_exactly_the_differences,
              (const Ops& common, const Ops& only_a, const Ops& only_b)) {
  Ops a_ops = common;
  a_ops.insert(a_ops.end(), only_a.begin(), only_a.end());
  Ops b_ops = common;
  b_ops.insert(b_ops.end(), only_b.begin(), only_b.end());
  Both a = made(a_ops);
  const Both b = made(b_ops);
  std::vector<Difference> expected;
  Oracle all = a.oracle;
  all.insert(b.oracle.begin(), b.oracle.end());
  for (const auto& [kid, value] : all) {
    const auto left = a.map.find(kid);
    const auto right = b.map.find(kid);
    if (left != right) expected.push_back({kid, left, right});
  }
  RC_ASSERT(diff(a.map, b.map) == expected);
  for (const std::size_t max : {std::size_t{0}, std::size_t{1}, std::size_t{5}}) {
    const auto some = diff(a.map, b.map, max);
    RC_ASSERT(some.size() == std::min(max, expected.size()));
    RC_ASSERT(std::equal(some.begin(), some.end(), expected.begin()));
  }
  const Hash root = a.map.root();
  a.map.share_with(b.map);
  RC_ASSERT(a.map.root() == root && a.map.entries() == entries_of(a.oracle));
  RC_ASSERT(diff(a.map, b.map) == expected);
  for (const Difference& d : expected) {
    if (d.right)
      a.map.insert(d.kid, *d.right);
    else
      a.map.erase(d.kid);
  }
  a.map.share_with(b.map);
  RC_ASSERT(a.map.same_nodes(b.map));
}

RC_GTEST_PROP(MapRange, is_the_map_of_the_range, (const Ops& ops, std::uint16_t any)) {
  const auto [map, oracle] = made(ops);
  for (std::size_t bits = 0; bits <= kid_bits; bits += 3) {
    const Id16 prefix = kid_of(any);
    std::vector<Entry> in_range;
    for (const Entry& e : entries_of(oracle))
      if (first_difference(e.kid, prefix) >= bits) in_range.push_back(e);
    RC_ASSERT(map.range(prefix, bits) == in_range);
    RC_ASSERT(map.range_root(prefix, bits) == defined_root(in_range));
    if (in_range.size() > 2) RC_ASSERT(map.range(prefix, bits, 2).size() == 2u);
  }
}

}  // namespace
}  // namespace ams::verifiable
