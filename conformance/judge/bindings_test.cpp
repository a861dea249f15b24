// Goal: what the suite's own log shows holds for the suite's own judge, and nothing else does: a
// maker whose proofs are wrong would make every refusal look like one for the reason asked for.
#include "judge/bindings.h"

#include <gtest/gtest.h>

namespace ams::conform {
namespace {

Id16 kid_of(std::size_t i) {
  return *to_array<16>(ByteView(crypto::sha256(as_bytes(std::to_string(i)))).first(16));
}

TEST(JudgeBindings, map_proofs_are_made_as_they_are_judged) {
  std::map<Id16, Hash> leaves;
  for (std::size_t count = 0; count < 40; ++count) {
    const Hash root = map_root(leaves);
    for (std::size_t i = 0; i < 45; ++i) {
      const bool there = leaves.contains(kid_of(i));
      const std::optional<Hash> value = there ? std::optional(leaves.at(kid_of(i))) : std::nullopt;
      const Bytes proof = map_proof(leaves, kid_of(i));
      EXPECT_FALSE(judge_map_proof(root, kid_of(i), value, proof).has_value()) << count << " " << i;
      const auto otherwise = there ? std::nullopt : std::optional(Hash{1});
      EXPECT_TRUE(judge_map_proof(root, kid_of(i), otherwise, proof).has_value());
    }
    leaves[kid_of(count)] = crypto::sha256(kid_of(count));
  }
}

TEST(JudgeBindings, the_last_leaf_is_shown_to_be_the_last) {
  std::vector<Hash> leaves;
  for (std::size_t size = 1; size < 40; ++size) {
    leaves.push_back(log_leaf(as_bytes(std::to_string(size))));
    const Bytes path = inclusion_path(leaves, size - 1);
    EXPECT_TRUE(is_last_leaf(leaves.back(), size, log_root(leaves), path));
    EXPECT_EQ(is_last_leaf(leaves.front(), size, log_root(leaves), path), size == 1);
  }
}

// u < v: exactly one number is both in N(u) and in P(v) (BLG-11).
TEST(JudgeBindings, steps_and_gaps_meet_in_one_number) {
  for (std::int64_t v = 1; v < 70; ++v) {
    auto steps = version_steps(v);
    steps.push_back(v);
    for (std::int64_t u = 1; u < v; ++u) {
      const auto gaps = version_gaps(u);
      const auto common = std::count_if(steps.begin(), steps.end(), [&](std::int64_t step) {
        return std::count(gaps.begin(), gaps.end(), step) > 0;
      });
      EXPECT_EQ(common, 1) << u << " " << v;
    }
  }
}

TEST(JudgeBindings, a_log_shows_its_head_and_its_versions) {
  BindingLog log("d.example", "seed");
  const std::string addr = "a@d.example";
  Json entry = {{"addr", addr}, {"version", 1}};
  log.add(entry);
  log.seal(1'800'000'000);
  const Json key = {{"sk", log.keys().at("log_key")}};
  std::string why;
  const Json proof = log.prove(addr);
  const auto epoch = open_head(proof.at("head"), "ams-bind/d.example", key, why);
  ASSERT_TRUE(epoch.has_value()) << why;
  const auto beta = crypto::vrf_verify(unb64(log.keys().at("vrf_key")), label_input(addr, 1),
                                       unb64(proof.at("here").at("vrf")));
  ASSERT_TRUE(beta.has_value());
  const Id16 label = *to_array<16>(ByteView(*beta).first(16));
  const Hash value = binding_value(entry, proof.at("r"));
  EXPECT_FALSE(judge_map_proof(epoch->root, label, value, unb64(proof.at("here").at("path"))));
  entry["kid"] = "another";
  EXPECT_TRUE(judge_map_proof(epoch->root, label, binding_value(entry, proof.at("r")),
                              unb64(proof.at("here").at("path"))));
}

}  // namespace
}  // namespace ams::conform
