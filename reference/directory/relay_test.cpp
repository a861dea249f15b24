// Goal: a peer that floods is held to a budget, and what honest owners publish elsewhere is not
// held up by it. Method: relay_test.h over peers whose asks are carried by hand.
#include "directory/relay_test.h"

#include <gtest/gtest.h>

namespace ams::directory {
namespace {

TEST(Relay, a_peer_passes_on_a_quota_a_day) {
  EXPECT_TRUE(testing::a_peer_passes_on_a_quota_a_day());
}
TEST(Relay, what_was_told_has_a_budget_of_its_own) {
  EXPECT_TRUE(testing::what_was_told_has_a_budget_of_its_own());
}
TEST(Relay, what_a_peer_told_goes_on_as_told) {
  EXPECT_TRUE(testing::what_a_peer_told_goes_on_as_told());
}
TEST(Relay, a_comparison_fetches_what_a_day_allows) {
  EXPECT_TRUE(testing::a_comparison_fetches_what_a_day_allows());
}
TEST(Relay, a_new_peer_is_not_held_up) { EXPECT_TRUE(testing::a_new_peer_is_not_held_up()); }

TEST(Light, an_unproven_revocation_counts) {
  EXPECT_TRUE(testing::an_unproven_revocation_counts());
}

}  // namespace
}  // namespace ams::directory
