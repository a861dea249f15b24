// Goal: a look-up is proven down to two cosignatures at any time, however often there are epochs
// and whoever is away. Method: meshes of peers over std::map stores, asks carried or lost by hand.
#include "directory/cosigners_test.h"

#include <gtest/gtest.h>

namespace ams::directory::testing {
namespace {

TEST(Cosigners, proofs_are_cosigned_however_busy) {
  EXPECT_TRUE(proofs_are_cosigned_however_busy());
}
TEST(Cosigners, others_are_asked_where_one_is_away) {
  EXPECT_TRUE(seeks_others_where_one_is_away());
  EXPECT_TRUE(gives_up_seeking_after_some());
}
TEST(Cosigners, the_epoch_before_is_proven_until_the_new_one_is_cosigned) {
  EXPECT_TRUE(proves_under_the_epoch_that_was_cosigned());
  EXPECT_TRUE(proves_under_no_old_epoch());
}

// Who restarts has forgotten what it showed to whom; its log goes on where others know it.
TEST(Cosigners, a_restart_is_cosigned_at_once) {
  Cosigned w(4);
  w.publish();
  for (int minute = 0; minute < 3; ++minute) {
    w.now += epoch_interval;
    w.tick();
  }
  w.publish();
  w.mesh[0].restart();
  w.now += epoch_interval;
  w.tick();
  EXPECT_TRUE(w.look(1));
}

}  // namespace
}  // namespace ams::directory::testing
