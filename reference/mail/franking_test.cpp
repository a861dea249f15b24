// Goal: an opening shows its own leaf under the letter's commitment, whatever the tree's size, and
// nothing that was changed or moved; it gives no key of another leaf away. Method: trees of 1 to 40
// leaves and of the largest size, every leaf opened, each fault alone.
#include "mail/franking.h"

#include <gtest/gtest.h>

#include <functional>

#include "mail/objects.h"

namespace ams::mail {
namespace {

const Bytes fk(32, 7);

std::vector<Bytes> leaves_like(std::size_t count) {
  std::vector<Bytes> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(to_bytes("leaf " + std::to_string(i)));
  return out;
}

Code code_of(const Result<>& result) { return result ? Code::bom : result.error().code; }

TEST(Franking, every_leaf_of_every_tree_opens_alone) {
  for (std::size_t count = 1; count <= 40; ++count) {
    const std::vector<Bytes> leaves = leaves_like(count);
    const Hash fc = franking_commitment(fk, leaves);
    for (std::size_t i = 0; i < count; ++i) {
      const LeafOpening opening = open_leaf(fk, leaves, i);
      EXPECT_EQ(opening.leaf, leaves[i]);
      const auto read = parse_leaf_opening(to_value(opening));
      ASSERT_TRUE(read);
      const auto size = static_cast<std::int64_t>(count);
      EXPECT_TRUE(check_leaf(*read, size, fc)) << i << " of " << count;
      if (i + 1 < count) {
        EXPECT_EQ(code_of(check_leaf(*read, static_cast<std::int64_t>(i), fc)), Code::leaf_count);
      }
    }
  }
}

TEST(Franking, the_largest_letter_has_paths_within_the_limit) {
  const auto count = static_cast<std::size_t>(leaves_max);
  const std::vector<Bytes> leaves = leaves_like(count);
  const Hash fc = franking_commitment(fk, leaves);
  for (const std::size_t i : {std::size_t{0}, count / 2, count - 1}) {
    const LeafOpening opening = open_leaf(fk, leaves, i);
    EXPECT_LE(opening.path.size(), leaf_path_max);
    EXPECT_TRUE(check_leaf(opening, leaves_max, fc));
  }
}

TEST(Franking, what_is_changed_or_moved_does_not_open) {
  const std::vector<Bytes> leaves = leaves_like(11);
  const Hash fc = franking_commitment(fk, leaves);
  const auto refused = [&](const std::function<void(LeafOpening&)>& change, Code code) {
    LeafOpening opening = open_leaf(fk, leaves, 5);
    change(opening);
    EXPECT_EQ(code_of(check_leaf(opening, 11, fc)), code);
  };
  refused([](auto& o) { o.leaf.back() ^= 1; }, Code::franking);
  refused([](auto& o) { o.key = open_leaf(fk, leaves_like(11), 6).key.clone(); }, Code::franking);
  refused([](auto& o) { o.key = crypto::Secret::copy_of(fk); }, Code::franking);
  refused([](auto& o) { o.path[0][0] ^= 1; }, Code::franking);
  refused([](auto& o) { o.path.pop_back(); }, Code::franking);
  refused([](auto& o) { o.path.push_back(Hash{}); }, Code::franking);
  refused([](auto& o) { o.index = 4; }, Code::franking);
  refused([](auto& o) { o.index = 11; }, Code::leaf_count);
  EXPECT_EQ(code_of(check_leaf(open_leaf(fk, leaves, 5), 11, Hash{})), Code::franking);
}

/// A report opens one leaf and nothing else.
TEST(Franking, an_opening_holds_no_key_of_another_leaf) {
  const std::vector<Bytes> leaves = leaves_like(3);
  const Bytes opening = wire::encode(to_value(open_leaf(fk, leaves, 1)));
  const std::string shown(as_text(opening));
  for (const std::size_t other : {0u, 2u})
    EXPECT_EQ(shown.find(to_base64url(open_leaf(fk, leaves, other).key.view())), std::string::npos);
  EXPECT_EQ(shown.find(to_base64url(fk)), std::string::npos);
}

}  // namespace
}  // namespace ams::mail
