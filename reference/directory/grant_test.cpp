// Goal: a grant holds for exactly the keys that were granted, whoever answers for a new key is the
// one who pays for it, and nobody's grant makes a peer grow without bounds. Method: batches and
// changes to them drawn by rapidcheck; grants_test.h over peers whose asks are carried by hand.
#include "directory/grant.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "directory/grants_test.h"

namespace ams::directory {
namespace {

std::vector<Hash> fps_of(std::size_t count, std::uint64_t salt) {
  std::vector<Hash> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(crypto::sha256(to_bytes(std::to_string(salt) + " " + std::to_string(i))));
  return out;
}

const keys::KeyPair& op() {
  static const keys::KeyPair pair = testing::make_key(3);
  return pair;
}

RC_GTEST_PROP(Grant, holds_for_each_key_of_its_batch_and_no_other, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(1, grant_keys_max + 1);
  const std::vector<Hash> fps = fps_of(count, *rc::gen::arbitrary<std::uint64_t>());
  const auto granted = make_grant("d.example", fps, op().signing);
  RC_ASSERT(granted.has_value());
  const auto grant = parse_grant(granted->grant);
  RC_ASSERT(grant.has_value());
  RC_ASSERT(grant->count == count);
  RC_ASSERT(verify_grant(*grant, op().record.signing()).has_value());
  for (std::size_t i = 0; i < count; ++i) {
    RC_ASSERT(granted->places[i].path.size() <= 32 * path_hashes_max);
    RC_ASSERT(verify_place(*grant, fps[i], granted->places[i]).has_value());
    const std::size_t other = (i + 1) % count;
    if (other != i) RC_ASSERT(!verify_place(*grant, fps[other], granted->places[i]));
    RC_ASSERT(!verify_place(*grant, crypto::sha256(fps[i]), granted->places[i]));
  }
  RC_ASSERT(wire::encode(granted->grant).size() <= grant_size_max);
}

RC_GTEST_PROP(Grant, refuses_whatever_was_changed, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(1, 9);
  const std::vector<Hash> fps = fps_of(count, 5);
  const Granted granted = *make_grant("d.example", fps, op().signing);
  const Bytes text = wire::encode(granted.grant);
  Bytes changed = text;
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  changed[at] = static_cast<std::uint8_t>(changed[at] ^ *rc::gen::inRange(1, 128));
  const auto value = wire::decode(changed);
  if (!value) return;
  const auto grant = parse_grant(*value);
  RC_ASSERT(!grant || !verify_grant(*grant, op().record.signing()));
}

TEST(Grant, voucher_forms) {
  const Voucher voucher{3, {7, Bytes(64, std::uint8_t{9})}};
  const auto read = read_voucher(voucher_text(voucher));
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->grant, 3);
  EXPECT_EQ((*read)->place.index, 7);
  EXPECT_EQ((*read)->place.path, voucher.place.path);
  EXPECT_FALSE(read_voucher("")->has_value());
  for (const std::size_t size : {1u, 3u, 33u, 35u, 2u + 32u * 7u})
    EXPECT_EQ(read_voucher(to_base64url(Bytes(size))).error().code, Code::proof_form) << size;
  EXPECT_EQ(read_voucher("A").error().code, Code::base64url);
}

TEST(Grant, of_a_message) {
  const std::vector<Hash> fps = fps_of(2, 6);
  const Granted granted = *make_grant("d.example", fps, op().signing);
  const wire::Value grants = wire::Array{granted.grant};
  const wire::Value two = wire::Array{voucher_text({0, granted.places[0]}), wire::Value("")};
  const auto code = [](const Result<Vouchers>& read) {
    return read ? Code::bom : read.error().code;
  };
  EXPECT_EQ(code(Vouchers::read(nullptr, nullptr, 2)), Code::bom);
  EXPECT_EQ(code(Vouchers::read(&grants, &two, 2)), Code::bom);
  EXPECT_EQ(code(Vouchers::read(&grants, nullptr, 2)), Code::schema);
  EXPECT_EQ(code(Vouchers::read(nullptr, &two, 2)), Code::schema);
  EXPECT_EQ(code(Vouchers::read(&grants, &two, 3)), Code::schema);
  const wire::Value beyond = wire::Array{voucher_text({1, granted.places[0]})};
  EXPECT_EQ(code(Vouchers::read(&grants, &beyond, 1)), Code::schema);
  const wire::Value one = wire::Array{wire::Value("")};
  const wire::Value many = wire::Array{granted.grant, granted.grant};
  EXPECT_EQ(code(Vouchers::read(&many, &one, 1)), Code::batch_too_large);
}

TEST(Vouching, a_grant_goes_with_its_key) { EXPECT_TRUE(testing::a_grant_goes_with_its_key()); }
TEST(Vouching, a_domain_grants_its_users_keys) {
  EXPECT_TRUE(testing::a_domain_grants_its_users_keys());
}
TEST(Vouching, a_light_peer_grants_nothing_else) {
  EXPECT_TRUE(testing::a_light_peer_grants_nothing_else());
}
TEST(Vouching, a_grant_counts_against_who_granted) {
  EXPECT_TRUE(testing::a_grant_counts_against_who_granted());
}
TEST(Vouching, grants_and_publications_share_a_quota) {
  EXPECT_TRUE(testing::grants_and_publications_share_a_quota());
}
TEST(Vouching, a_forged_grant_is_refused) { EXPECT_TRUE(testing::a_forged_grant_is_refused()); }
TEST(Vouching, a_key_that_was_not_granted_is_refused) {
  EXPECT_TRUE(testing::a_key_that_was_not_granted_is_refused());
}
TEST(Vouching, a_grant_by_another_key_counts_for_nothing) {
  EXPECT_TRUE(testing::a_grant_by_another_key_counts_for_nothing());
}
TEST(Vouching, an_unknown_domain_is_asked_who_it_is) {
  EXPECT_TRUE(testing::an_unknown_domain_is_asked_who_it_is());
}
TEST(Vouching, made_up_domains_are_asked_within_a_budget) {
  EXPECT_TRUE(testing::made_up_domains_are_asked_within_a_budget());
}
TEST(Vouching, keys_of_a_lost_domain_count_as_ungranted) {
  EXPECT_TRUE(testing::keys_of_a_lost_domain_count_as_ungranted());
}
TEST(Vouching, what_waits_is_bounded) { EXPECT_TRUE(testing::what_waits_is_bounded()); }
TEST(Vouching, a_domains_key_is_believed_for_a_day) {
  EXPECT_TRUE(testing::a_domains_key_is_believed_for_a_day());
}
TEST(Vouching, entries_come_with_grants) { EXPECT_TRUE(testing::entries_come_with_grants()); }
TEST(Vouching, grants_have_one_form) { EXPECT_TRUE(testing::grants_have_one_form()); }
TEST(Vouching, grants_and_vouchers_belong_together) {
  EXPECT_TRUE(testing::grants_and_vouchers_belong_together());
}
TEST(Vouching, half_of_the_quota_is_lent) { EXPECT_TRUE(testing::half_of_the_quota_is_lent()); }
TEST(Vouching, who_pays_with_work_is_granted_here) {
  EXPECT_TRUE(testing::who_pays_with_work_is_granted_here());
}
TEST(Vouching, a_comparison_takes_what_is_granted) {
  EXPECT_TRUE(testing::a_comparison_takes_what_is_granted());
}
TEST(Vouching, rounds_share_what_is_granted) {
  EXPECT_TRUE(testing::rounds_share_what_is_granted());
}

}  // namespace
}  // namespace ams::directory
