// Goal: a policy that flips without notice, or shares keys that its mode does not have, never gets
// into a record; what is in force changes at `effective`, to the millisecond; and nothing is sealed
// to a binding that goes against it. Method: values on both sides of each bound, and for the
// followers of a policy all pairs of modes.
#include "keys/policy.h"

#include <gtest/gtest.h>

#include "keys/records.h"

namespace ams::keys {
namespace {

constexpr std::int64_t announced_ms = 1'900'000'000'000;
constexpr std::int64_t hour_ms = 3'600'000;

KeyId id_of(std::uint8_t n) {
  KeyId out;
  out.fp.fill(n);
  out.kid = kid_of(out.fp);
  return out;
}
const SharedKey shared{"", id_of(1)};
const SharedKey sales{"sales", id_of(2)}, staff{"staff", id_of(3)};

std::vector<SharedKey> keys_of(Policy mode) {
  if (mode == Policy::isp) return {};
  if (mode == Policy::corporate) return {shared};
  return {sales, staff};
}

DomainPolicy first(Policy mode) {
  return {announced_ms, {mode, announced_ms, keys_of(mode)}, std::nullopt};
}

Code refusal_of(const DomainPolicy& policy, std::int64_t seq = 1) {
  const auto parsed = parse_policy(to_value(policy), seq);
  return parsed ? Code::bom : parsed.error().code;  // bom: it is accepted
}

constexpr Policy modes[] = {Policy::isp, Policy::corporate, Policy::groups};

TEST(DomainPolicy, reads_back_what_was_made) {
  for (const Policy mode : modes) {
    const DomainPolicy policy = first(mode);
    EXPECT_EQ(parse_policy(to_value(policy), 1).value(), policy);
    for (const Policy next : modes) {
      const DomainPolicy after =
          next_policy(policy, next, keys_of(next), from_unix_ms(announced_ms + hour_ms));
      EXPECT_EQ(parse_policy(to_value(after), 2).value(), after);
    }
  }
  EXPECT_EQ(parse_policy(to_value(isp_policy()), 1).value(), isp_policy());
  EXPECT_EQ(parse_policy(to_value(isp_policy(7)), 7).value(), isp_policy(7));
}

TEST(DomainPolicy, each_mode_has_its_keys) {
  for (const Policy mode : modes) EXPECT_EQ(refusal_of(first(mode)), Code::bom);
  const auto with = [](Policy mode, std::vector<SharedKey> keys) {
    return refusal_of({announced_ms, {mode, announced_ms, std::move(keys)}, std::nullopt});
  };
  EXPECT_EQ(with(Policy::isp, {shared}), Code::schema);
  EXPECT_EQ(with(Policy::corporate, {}), Code::schema);
  EXPECT_EQ(with(Policy::corporate, {sales}), Code::schema);
  EXPECT_EQ(with(Policy::corporate, {shared, shared}), Code::schema);
  EXPECT_EQ(with(Policy::groups, {}), Code::schema);
  EXPECT_EQ(with(Policy::groups, {shared}), Code::schema);
  EXPECT_EQ(with(Policy::groups, {staff, sales}), Code::schema);
  EXPECT_EQ(with(Policy::groups, {sales, sales}), Code::schema);
  EXPECT_EQ(with(Policy::groups, {{"Sales", id_of(2)}}), Code::schema);
  EXPECT_EQ(with(Policy::groups, std::vector<SharedKey>(65, sales)), Code::object_too_large);
}

TEST(DomainPolicy, a_change_is_announced_a_day_before) {
  DomainPolicy policy{announced_ms,
                      {Policy::corporate, announced_ms + policy_notice_ms, {shared}},
                      PolicyTerms{Policy::isp, announced_ms, {}}};
  EXPECT_EQ(refusal_of(policy, 2), Code::bom);
  EXPECT_EQ(refusal_of(policy, 1), Code::schema);  // at seq 1 there was nothing before
  --policy.terms.effective;
  EXPECT_EQ(refusal_of(policy, 2), Code::schema);
  ++policy.terms.effective;
  ++policy.prior->effective;
  EXPECT_EQ(refusal_of(policy, 2), Code::schema);
  policy.prior.reset();
  EXPECT_EQ(refusal_of(policy, 2), Code::schema);
  EXPECT_EQ(refusal_of(policy, 1), Code::bom);
  policy.terms.effective = announced_ms - 1;
  EXPECT_EQ(refusal_of(policy, 1), Code::schema);
}

TEST(DomainPolicy, in_force_changes_at_effective) {
  const DomainPolicy policy =
      next_policy(first(Policy::isp), Policy::corporate, {shared}, from_unix_ms(announced_ms));
  const std::int64_t effective = announced_ms + policy_notice_ms;
  EXPECT_EQ(policy.terms.effective, effective);
  EXPECT_EQ(policy_at(policy, from_unix_ms(effective - 1)).mode, Policy::isp);
  EXPECT_EQ(policy_at(policy, from_unix_ms(effective)).mode, Policy::corporate);
  EXPECT_EQ(policy_at(first(Policy::groups), from_unix_ms(0)).mode, Policy::groups);
}

TEST(DomainPolicy, a_flip_back_in_time_never_comes_into_force) {
  const DomainPolicy flip =
      next_policy(first(Policy::isp), Policy::corporate, {shared}, from_unix_ms(announced_ms));
  const DomainPolicy back =
      next_policy(flip, Policy::isp, {}, from_unix_ms(announced_ms + 23 * hour_ms));
  for (std::int64_t at = announced_ms; at < announced_ms + 72 * hour_ms; at += hour_ms)
    EXPECT_EQ(policy_at(back, from_unix_ms(at)).mode, Policy::isp);
}

TEST(DomainPolicy, a_rotated_key_counts_at_once) {
  const SharedKey fresh{"", id_of(9)};
  const DomainPolicy next = next_policy(first(Policy::corporate), Policy::corporate, {fresh},
                                        from_unix_ms(announced_ms + hour_ms));
  EXPECT_EQ(refusal_of(next, 2), Code::bom);
  for (const std::int64_t hours : {1, 24, 25, 99}) {
    const PolicyTerms& terms = policy_at(next, from_unix_ms(announced_ms + hours * hour_ms));
    EXPECT_TRUE(terms.shares(fresh.key));
    EXPECT_FALSE(terms.shares(shared.key));
  }
}

struct Bound {
  KeyPair pair;
  Binding binding;
};
Bound bound(Custody custody, std::optional<KeyId> enc, std::int64_t nbf = announced_ms) {
  KeyPair pair =
      make_modern(Bytes(80, 7), {.nbf = nbf, .exp = nbf + 9 * 86'400'000LL, .custody = custody})
          .value();
  const KeyId id = pair.record.id();
  return {std::move(pair), {"u@a.example", id, 1, Id16{}, custody, enc}};
}

TEST(Recipient, is_judged_by_what_is_in_force) {
  const auto code = [](const Bound& to, const PolicyTerms& in_force) {
    const auto checked = check_custody(to.binding, to.pair.record, in_force);
    return checked ? Code::bom : checked.error().code;
  };
  const PolicyTerms isp{Policy::isp, 0, {}};
  const PolicyTerms corporate{Policy::corporate, announced_ms, {shared}};
  const PolicyTerms groups{Policy::groups, announced_ms, {sales, staff}};
  const Bound client = bound(Custody::client, std::nullopt);
  const Bound old = bound(Custody::client, std::nullopt, announced_ms - 1);
  const Bound member = bound(Custody::corporate, shared.key);
  EXPECT_EQ(code(client, isp), Code::bom);
  EXPECT_EQ(code(old, corporate), Code::bom);
  EXPECT_EQ(code(old, groups), Code::bom);
  EXPECT_EQ(code(client, corporate), Code::binding_policy);
  EXPECT_EQ(code(client, groups), Code::binding_policy);
  EXPECT_EQ(code(member, corporate), Code::bom);
  EXPECT_EQ(code(member, isp), Code::binding_policy);
  EXPECT_EQ(code(member, groups), Code::enc_unlisted);
  EXPECT_EQ(code(bound(Custody::corporate, staff.key), groups), Code::bom);
  EXPECT_EQ(code(bound(Custody::corporate, KeyId{shared.key.kid, staff.key.fp}), corporate),
            Code::enc_unlisted);
  Bound lie = bound(Custody::corporate, shared.key);
  lie.binding.custody = Custody::client;
  EXPECT_EQ(code(lie, corporate), Code::binding_custody);
  EXPECT_EQ(member.binding.sealed_to(), shared.key);
  EXPECT_EQ(client.binding.sealed_to(), client.binding.key);
}

}  // namespace
}  // namespace ams::keys
