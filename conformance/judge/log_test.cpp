#include "judge/log.h"

#include <gtest/gtest.h>

namespace ams::conform {
namespace {

std::vector<Hash> leaves(std::size_t count) {
  std::vector<Hash> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(log_leaf(as_bytes(std::to_string(i))));
  return out;
}

// RFC 6962's test tree of the entries "", 00, 10, 2021, … has these roots at sizes 1 and 2.
TEST(JudgeLog, roots_are_those_of_the_rfc) {
  EXPECT_EQ(to_hex(ByteView(log_root({}))),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const Hash first = log_leaf(Bytes{});
  EXPECT_EQ(to_hex(ByteView(first)),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_EQ(to_hex(ByteView(log_root({first, log_leaf(Bytes{0})}))),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
}

// Goal: a proof holds for its own sizes and roots, and for no others.
TEST(JudgeLog, consistency_holds_for_its_own_two_logs_alone) {
  for (std::size_t second = 1; second < 20; ++second)
    for (std::size_t first = 1; first <= second; ++first) {
      const auto log = leaves(second);
      const Hash old_root = log_root(leaves(first)), root = log_root(log);
      const Bytes proof = consistency_proof(log, first);
      EXPECT_TRUE(extends(first, old_root, second, root, proof)) << first << " " << second;
      Hash other = root;
      other[0] ^= 1;
      EXPECT_FALSE(extends(first, old_root, second, other, proof));
      EXPECT_FALSE(extends(first, other, second, root, proof));
      Bytes longer = proof;
      longer.resize(longer.size() + 32);
      EXPECT_FALSE(extends(first, old_root, second, root, longer));
    }
}

TEST(JudgeLog, map_roots_do_not_depend_on_how_a_range_is_divided) {
  std::map<Id16, Hash> all;
  std::vector<Hash> parts;
  for (int i = 0; i < 100; ++i) {
    const Hash hash = log_leaf(as_bytes(std::to_string(i)));
    all.emplace(*to_array<16>(ByteView(hash).first(16)), hash);
  }
  for (std::uint8_t digit = 0; digit < 16; ++digit) {
    std::map<Id16, Hash> part;
    for (const auto& [kid, value] : all)
      if (kid[0] >> 4 == digit) part.emplace(kid, value);
    parts.push_back(map_root(part));
  }
  EXPECT_EQ(joined_digests(parts, 4), map_root(all));
  all.begin()->second[0] ^= 1;
  EXPECT_NE(joined_digests(parts, 4), map_root(all));
}

TEST(JudgeLog, checkpoints_open_with_their_own_key_and_origin) {
  const Key key = make_key("log", 0), other = make_key("other", 0);
  const std::string note = make_checkpoint("d/log", 7, log_leaf(Bytes{}), key.secret.signing);
  std::string why;
  const auto opened = open_checkpoint(note, "d/log", key.record, why);
  ASSERT_TRUE(opened) << why;
  EXPECT_EQ(opened->size, 7u);
  EXPECT_FALSE(open_checkpoint(note, "d/log", other.record, why));
  EXPECT_FALSE(open_checkpoint(note, "e/log", key.record, why));
  EXPECT_FALSE(open_checkpoint("hello\n", "d/log", key.record, why));
}

// Goal: whatever bytes a directory calls a map proof are judged by their form before they are read
// (MAP-5). Two kids that part at their first bit: the root is the branch of their leaves.
TEST(JudgeLog, a_map_proof_is_held_to_its_form) {
  const Id16 low{}, absent{0x01};
  Id16 high{};
  high[0] = 0x80;
  const Hash value = log_leaf(as_bytes("low")), other = log_leaf(as_bytes("high"));
  const Hash root = map_root({{low, value}, {high, other}});
  const Hash sibling = map_root({{high, other}});
  const auto proof = [&](Bytes head, const Hash& beside, ByteView tail = {}) {
    append(head, ByteView(beside));
    append(head, tail);
    return head;
  };
  const Bytes present = proof({0, 1, 0x80}, sibling);
  EXPECT_EQ(judge_map_proof(root, low, value, present), std::nullopt);
  Bytes leaf(16, 0);
  append(leaf, ByteView(value));
  const Bytes missing = proof({1, 1, 0x80}, sibling, leaf);
  EXPECT_EQ(judge_map_proof(root, absent, std::nullopt, missing), std::nullopt);
  EXPECT_EQ(judge_map_proof(Hash{}, low, std::nullopt, Bytes{2, 0}), std::nullopt);

  const std::string form = "the map proof's form (MAP-5)";
  EXPECT_EQ(judge_map_proof(root, absent, std::nullopt, proof({3, 1, 0x80}, sibling)), form);
  EXPECT_EQ(judge_map_proof(root, low, value, proof({0, 2, 0x80, 0}, sibling)), form);
  EXPECT_EQ(judge_map_proof(Hash{}, low, std::nullopt, proof({2, 1, 0x80}, sibling)), form);
  Bytes deep{0, 17};
  deep.resize(2 + 16, 0);
  deep.push_back(1);
  EXPECT_EQ(judge_map_proof(root, low, value, proof(deep, sibling)), form);
}

}  // namespace
}  // namespace ams::conform
