// Goal: peers that know few others come to know more, by their own connections and within bounds; a
// stranger's word brings nobody into use. Method: exchange_test.h over peers whose asks are carried
// by hand, with an address for each.
#include "directory/exchange_test.h"

#include <gtest/gtest.h>

namespace ams::directory {
namespace {

TEST(Exchange, a_ring_becomes_a_mesh) { EXPECT_TRUE(testing::a_ring_becomes_a_mesh()); }
TEST(Exchange, a_caller_is_tried) { EXPECT_TRUE(testing::a_caller_is_tried()); }
TEST(Exchange, who_shows_no_log_is_not_learned) {
  EXPECT_TRUE(testing::who_shows_no_log_is_not_learned());
}
TEST(Exchange, learned_peers_outlive_a_restart) {
  EXPECT_TRUE(testing::learned_peers_outlive_a_restart());
}
TEST(Exchange, an_evicted_peer_loses_its_place) {
  EXPECT_TRUE(testing::an_evicted_peer_loses_its_place());
}
TEST(Exchange, sixteen_are_told_by_turns) { EXPECT_TRUE(testing::sixteen_are_told_by_turns()); }
TEST(Exchange, the_silent_are_not_told) { EXPECT_TRUE(testing::the_silent_are_not_told()); }
TEST(Exchange, a_named_peer_compares_too) { EXPECT_TRUE(testing::a_named_peer_compares_too()); }

TEST(Exchange, logs_of_former_peers_give_way) {
  EXPECT_TRUE(testing::logs_of_former_peers_give_way());
}
TEST(Exchange, named_peers_are_asked_first) { EXPECT_TRUE(testing::named_peers_are_asked_first()); }

TEST(Exchange, a_light_peer_tells_of_nobody) {
  testing::Node light("p0.example", false, {"p1.example"});
  const auto answer = light.peer.peers(wire::Object{}, light.now);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->find("peers")->as_array().empty());
}

TEST(Exchange, the_evicted_are_not_told) { EXPECT_TRUE(testing::the_evicted_are_not_told()); }

/// Answers that are none, or that name 10,000: of each what the form allows, and no more.
TEST(Exchange, odd_answers_bring_nothing) {
  testing::Ring ring(2);
  wire::Array names;
  for (int i = 0; i < 10'000; ++i)
    names.push_back(wire::Object{{"domain", testing::numbered("n", static_cast<std::size_t>(i))}});
  const std::vector<wire::Value> answers{
      wire::Object{}, wire::Object{{"peers", 1}}, wire::Object{{"peers", wire::Array{1, "x"}}},
      wire::Object{{"peers", wire::Array{wire::Object{{"domain", "NO"}}}}},
      wire::Object{{"peers", std::move(names)}}};
  for (const wire::Value& answer : answers) {
    ring[0].tick(ring.now += reconcile_interval);
    for (const Ask& ask : testing::asks_of(ring[0]))
      ring[0].peer.handle_reply(ask.cookie, answer, nullptr, ring.now);
  }
  EXPECT_EQ(ring[0].peer.stats().peers_waiting, candidates_told_max);
  EXPECT_EQ(ring[0].peer.stats().peers_learned, 0u);
}

}  // namespace
}  // namespace ams::directory
