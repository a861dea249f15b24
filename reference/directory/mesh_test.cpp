// Goal: with many peers nobody is asked by all at once, a publication costs what the number of
// peers is and not its square, and a peer with two faces is noticed and convicted whichever way it
// showed them. Method: mesh_test.h over peers whose asks are carried by hand.
#include "directory/mesh_test.h"

#include <gtest/gtest.h>

namespace ams::directory {
namespace {

TEST(Mesh, peers_ask_in_orders_of_their_own) {
  EXPECT_TRUE(testing::peers_ask_in_orders_of_their_own());
}
TEST(Mesh, what_a_peer_told_goes_on_to_eight) {
  EXPECT_TRUE(testing::what_a_peer_told_goes_on_to_eight());
}
TEST(Mesh, two_faces_in_answers_are_noticed) {
  EXPECT_TRUE(testing::two_faces_in_answers_are_noticed());
}
TEST(Mesh, a_failed_consistency_gives_a_proof) {
  EXPECT_TRUE(testing::a_failed_consistency_gives_a_proof());
}
TEST(Mesh, a_comparison_goes_on_after_failures) {
  EXPECT_TRUE(testing::a_comparison_goes_on_after_failures());
}
TEST(Mesh, checkpoints_are_told_by_turns) { EXPECT_TRUE(testing::checkpoints_are_told_by_turns()); }

}  // namespace
}  // namespace ams::directory
