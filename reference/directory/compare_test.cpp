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

TEST(Compare, a_log_that_answers_convicts_itself) {
  EXPECT_TRUE(testing::a_log_that_answers_convicts_itself());
}
TEST(Compare, a_log_cast_out_is_asked_until_it_convicts_itself) {
  EXPECT_TRUE(testing::a_log_cast_out_is_asked_until_it_convicts_itself());
}
TEST(Compare, a_log_that_stays_small_convicts_itself) {
  EXPECT_TRUE(testing::a_log_that_stays_small_convicts_itself());
}
TEST(Compare, what_a_log_could_not_explain_is_durable) {
  EXPECT_TRUE(testing::what_a_log_could_not_explain_is_durable());
}

// Evidence of two sizes goes from peer to peer as that of one size does.
TEST(Compare, a_rewritten_history_is_believed_by_who_hears_of_it) {
  Dispute d;
  ASSERT_TRUE(show(d.liar.face, d.judge, second(2)));
  ASSERT_TRUE(show(d.liar.face, d.teller, second(2)));
  d.liar.grow(d.liar.other, 51);
  d.liar.grow(d.liar.other, 52);
  d.liar.at = 1;
  for (std::uint64_t number = 53; number < 57; ++number) d.liar.grow(d.liar.face, number);
  ASSERT_TRUE(show(d.liar.face, d.judge, second(250), 1));
  d.tell(d.liar.other);
  (void)answer_for(d.judge, d.liar.face, second(250));
  const wire::Value said = d.gossip(second(250));
  wire::Value changed = said;
  std::string& text =
      changed.as_object()["proofs"].as_array()[0].as_object()["evidence"].as_string();
  text[text.size() - 3] = text[text.size() - 3] == 'A' ? 'B' : 'A';
  const auto hears = [&](const wire::Value& message) {
    wire::Object args{{"proofs", *message.find("proofs")}};
    (void)d.teller.take(d.teller.peer.gossip(wire::Value(args), d.names[0],
                                             &d.judge.op.record.signing(), second(251)));
    return d.teller.peer.stats().peers_evicted;
  };
  EXPECT_EQ(hears(changed), 0u);
  EXPECT_EQ(hears(said), 1u);
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
