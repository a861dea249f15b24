#include "directory/work.h"

#include <gtest/gtest.h>

#include "crypto/crypto.h"

namespace ams::directory {
namespace {

// Goal: work is worth something to its peer, for its object, on its day, and to nobody else.
TEST(Work, is_bound_to_peer_day_and_object) {
  const Hash object = crypto::sha256(to_bytes(std::string_view("{}")));
  const WorkTarget target{"dir.example", 20'000, object};
  const auto nonce = find_work(target, 12, 1 << 20);
  ASSERT_TRUE(nonce);
  EXPECT_TRUE(has_work(target, *nonce, 12));
  EXPECT_TRUE(has_work(target, *nonce, 1));
  EXPECT_FALSE(has_work({"dir2.example", 20'000, object}, *nonce, 12));
  EXPECT_FALSE(has_work({"dir.example", 20'001, object}, *nonce, 12));
  EXPECT_FALSE(has_work({"dir.example", 20'000, Hash{}}, *nonce, 12));
  EXPECT_FALSE(find_work(target, work_bits_max, 16));
}

// Computed by hand with Python's hashlib from the sentence.
TEST(Work, hash_is_over_what_the_sentence_lists) {
  const Hash object = crypto::sha256(to_bytes(std::string_view("{}")));
  EXPECT_EQ(to_hex(ByteView(work_hash({"dir.example", 20'000, object}, {0, 0, 0, 0, 0, 0, 0, 7}))),
            "84005080a6130fc84b4b3b2726bb6f744ff8c687051c5f793d99f0c7fcbd549b");
}

}  // namespace
}  // namespace ams::directory
