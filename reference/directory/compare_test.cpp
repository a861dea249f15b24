// Goal: a log that shows two faces is noticed in the moment in which two peers have seen one each,
// whatever sizes they have and whatever the log answers; an honest one loses nothing. Method:
// compare_test.h over peers whose asks are carried by hand.
#include "directory/compare_test.h"

#include <gtest/gtest.h>

namespace ams::directory {
namespace {

using namespace testing;

TEST(Compare, both_faces_come_to_the_same_peers) {
  EXPECT_TRUE(testing::both_faces_come_to_the_same_peers());
}
TEST(Compare, comparers_are_those_of_least_hash) {
  EXPECT_TRUE(testing::comparers_are_those_of_least_hash());
}
TEST(Compare, a_comparer_says_what_it_knows) {
  EXPECT_TRUE(testing::a_comparer_says_what_it_knows());
}
TEST(Compare, a_log_that_is_told_of_is_asked_who_it_is) {
  EXPECT_TRUE(testing::a_log_that_is_told_of_is_asked_who_it_is());
}
TEST(Compare, what_a_log_could_not_explain_is_told) {
  EXPECT_TRUE(testing::what_a_log_could_not_explain_is_told());
}
TEST(Compare, a_log_that_owes_an_answer_is_not_cosigned) {
  EXPECT_TRUE(testing::a_log_that_owes_an_answer_is_not_cosigned());
}
TEST(Compare, a_log_that_denies_its_history_is_evicted) {
  EXPECT_TRUE(testing::a_log_that_denies_its_history_is_evicted());
}

// Of two faces that have answered the same question, one contradicts the other.
TEST(Compare, two_notes_of_one_size_in_flight_make_a_proof) {
  Dispute d;
  ASSERT_TRUE(show(d.liar.face, d.judge, second(2)));
  d.liar.grow(d.liar.face, 31);
  d.liar.at = 1;
  d.liar.grow(d.liar.other, 32);
  d.tell(d.liar.face);
  d.tell(d.liar.other);
  EXPECT_EQ(answer_for(d.judge, d.liar.face, second(70)), 2u);
  EXPECT_NE(d.gossip(second(71)).find("proofs"), nullptr);
}

TEST(Compare, a_stranger_is_answered_and_not_heard) {
  Dispute d;
  ASSERT_TRUE(show(d.liar.face, d.judge, second(2)));
  d.liar.grow(d.liar.face, 33);
  const auto answer = d.judge.compare(seen_args(d.names[1], note_of(d.liar.face)), "x.example");
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->find("seen"), nullptr);
  EXPECT_EQ(answer_for(d.judge, d.liar.face, second(70)), 0u);
  EXPECT_EQ(d.judge.compare(wire::Object{{"seen", wire::Array(17, wire::Object{})}}, d.names[2])
                .error()
                .code,
            Code::object_too_large);
  EXPECT_EQ(d.judge.compare(wire::Object{{"seen", wire::Array{1}}}, d.names[2]).error().code,
            Code::schema);
}

}  // namespace
}  // namespace ams::directory
