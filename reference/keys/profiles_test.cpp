// Goal: which profile is chosen follows from what the library has and from nothing else, and no
// content key is wrapped for both kinds of reader. Method: all combinations; the hybrids need no
// library here.
#include "keys/profiles.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "crypto/crypto.h"

namespace ams::keys {
namespace {

constexpr Offered nothing{}, both{true, true};

TEST(Profiles, the_hybrid_is_preferred_where_both_its_halves_are) {
  EXPECT_EQ(choose_profile("auto", nothing)->name, "modern");
  EXPECT_EQ(choose_profile("auto", Offered{true, false})->name, "modern");
  EXPECT_EQ(choose_profile("auto", Offered{false, true})->name, "modern");
  EXPECT_EQ(choose_profile("auto", both)->name, "hybrid");
  EXPECT_EQ(choose_profile("hybrid", both)->kem, "mlkem768+x25519");
  EXPECT_EQ(choose_profile("hybrid", both)->sig_alg, "mldsa65+ed25519");
}

TEST(Profiles, what_is_not_offered_is_no_profile) {
  for (const Offered& offered : {nothing, Offered{true, false}, Offered{false, true}})
    EXPECT_EQ(choose_profile("hybrid", offered).error().code, Code::unknown_algorithm);
  for (const char* name : {"", "Modern", "rsa1024", "ed25519", "mlkem768+x25519"})
    EXPECT_EQ(choose_profile(name, both).error().code, Code::unknown_algorithm) << name;
}

TEST(Profiles, all_but_the_hybrid_are_of_the_registry) {
  ASSERT_EQ(profiles(nothing).size(), 4u);
  ASSERT_EQ(profiles(both).size(), 5u);
  for (const Profile& profile : profiles(nothing)) {
    const auto sig_alg = crypto::find_sig_alg(profile.sig_alg);
    const auto kem = crypto::find_kem(profile.kem);
    ASSERT_TRUE(sig_alg && kem) << profile.name;
    EXPECT_FALSE(post_quantum(profile.kem));
    EXPECT_EQ(choose_profile(profile.name, nothing)->kem, profile.kem);
  }
}

RC_GTEST_PROP(Profiles, one_content_key_is_wrapped_post_quantum_for_all_or_for_none,
              (const std::vector<bool>& hybrid)) {
  std::vector<std::string_view> kems;
  for (const bool each : hybrid) kems.push_back(each ? "mlkem768+x25519" : "x25519");
  const auto count = std::count(hybrid.begin(), hybrid.end(), true);
  const bool pure = count == 0 || static_cast<std::size_t>(count) == hybrid.size();
  const auto checked = check_kems(kems);
  RC_ASSERT(checked.has_value() == pure);
  if (!checked) RC_ASSERT(checked.error().code == Code::pq_mix);
}

TEST(Profiles, one_reader_of_the_other_kind_is_enough_to_refuse) {
  std::vector<std::string_view> kems(99, "mlkem768+x25519");
  EXPECT_TRUE(check_kems(kems));
  kems.push_back("rsa4096kem");
  EXPECT_EQ(check_kems(kems).error().code, Code::pq_mix);
  EXPECT_TRUE(check_kems({}));
}

}  // namespace
}  // namespace ams::keys
