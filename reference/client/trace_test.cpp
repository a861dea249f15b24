// Goal: who asks to see how a key is verified sees what the directory's peers know of it, and is
// not given a key that they know to be revoked (BLG-34, DIR-22, DIR-56). Method: a real directory
// peer behind a scripted server that says nothing of a revocation.
#include "client/test_traced.h"

namespace ams::client::testing {
namespace {

TEST(ClientTrace, shows_each_peer_and_that_the_key_may_be_used) {
  TracedSender bench;
  const LookedUp looked = bench.traced();
  EXPECT_TRUE(looked.found.has_value());
  EXPECT_TRUE(has_step(looked.steps, "peer one.example: objects, map path", true));
  EXPECT_TRUE(has_step(looked.steps, "what its owner says of the key", true));
}

TEST(ClientTrace, a_revocation_that_a_peer_has_counts_proven_or_not) {
  for (const bool proven : {true, false}) {
    TracedSender bench;
    bench.revoke_bob(proven);
    const LookedUp looked = bench.traced();
    ASSERT_FALSE(looked.found.has_value()) << proven;
    EXPECT_EQ(looked.found.error().code, Code::key_revoked);
    EXPECT_TRUE(has_step(looked.steps, "peer one.example: objects, map path", proven));
    EXPECT_TRUE(has_step(looked.steps, "what its owner says of the key", false));
  }
}

// Of a peer as of a domain's log: what nobody else has seen is not believed (DIR-22, BLG-41).
TEST(ClientTrace, counts_who_has_cosigned_a_peers_checkpoint) {
  TracedSender content;
  content.cosigners = {&content.home, &content.away};  // away is no witness of the sender's
  EXPECT_TRUE(has_step(content.traced().steps,
                       "peer one.example: objects, map path, the epoch in its log, not a day old, "
                       "its checkpoint cosigned by 1 of 1 witnesses",
                       true));
  for (const bool cosigned : {true, false}) {
    TracedSender bench(1);
    if (cosigned) bench.cosigners = {&bench.home};
    const LookedUp looked = bench.traced();
    EXPECT_TRUE(has_step(looked.steps, "peer one.example: objects, map path", cosigned));
  }
}

TEST(ClientTrace, a_peer_that_has_not_the_key_says_nothing_against_it) {
  TracedSender bench;
  bench.server.know(bench.dave);
  const LookedUp looked = bench.traced(bench.dave.addr);
  EXPECT_TRUE(looked.found.has_value());
  EXPECT_TRUE(has_step(looked.steps, "peer one.example: objects, map path", false));
}

}  // namespace
}  // namespace ams::client::testing
