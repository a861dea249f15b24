// The policy object and the terms in force (spec POL-3 … POL-7).
#include "keys/policy.h"

#include <algorithm>

#include "policy/mutant.h"

namespace ams::keys {
namespace {

constexpr std::size_t group_size_max = 63;

Result<SharedKey> parse_shared_key(const wire::Value& value) {
  wire::ObjectReader in(value, "policy key");
  SharedKey out;
  const auto group = in.optional_string("group");
  if (group) in.require(is_group(*group), Code::schema, "policy.keys.group");
  out.group = group.value_or(std::string());
  out.key.kid = in.uuid("kid");
  out.key.fp = in.bytes<32>("fp");
  AMS_CHECK(in.finish());
  return out;
}

/// POL-4: what each mode has for keys.
bool keys_fit(const PolicyTerms& terms) {
  const std::vector<SharedKey>& keys = terms.keys;
  if (mutant("keys.skip_policy_keys")) return true;
  switch (terms.mode) {
    case Policy::isp:
      return keys.empty();
    case Policy::corporate:
      return keys.size() == 1 && keys.front().group.empty();
    case Policy::groups:
      return !keys.empty() && !keys.front().group.empty() &&
             std::adjacent_find(keys.begin(), keys.end(),
                                [](const SharedKey& a, const SharedKey& b) {
                                  return a.group >= b.group;
                                }) == keys.end();
  }
  return false;
}

/// The members that the policy and its `prior` have in common.
PolicyTerms read_terms(wire::ObjectReader& in) {
  PolicyTerms out;
  const auto mode = find_policy(in.string("mode"));
  in.require(mode.has_value(), Code::schema, "policy.mode");
  out.mode = mode.value_or(Policy::isp);
  out.effective = in.integer("effective");
  bool complete = true;
  for (const wire::Value& value : in.array("keys", shared_keys_max)) {
    auto key = parse_shared_key(value);
    complete = complete && key.has_value();
    if (key) {
      out.keys.push_back(std::move(*key));
    } else {
      in.include(tl::unexpected(key.error()));
    }
  }
  in.require(!complete || keys_fit(out), Code::schema, "policy.keys");
  return out;
}

Result<PolicyTerms> parse_prior(const wire::Value& value) {
  wire::ObjectReader in(value, "policy.prior");
  PolicyTerms out = read_terms(in);
  AMS_CHECK(in.finish());
  return out;
}

/// POL-5. Without notice, a domain could be another for the time of one look-up.
Result<> check_times(const DomainPolicy& policy) {
  const std::int64_t notice = policy.terms.effective - policy.published;
  if (notice < 0) return fail(Code::schema, "policy.effective");
  if (!policy.prior) return {};
  if (notice < policy_notice_ms && !mutant("keys.skip_policy_notice"))
    return fail(Code::schema, "policy.effective: less than a day's notice");
  if (policy.prior->effective > policy.published && !mutant("keys.skip_policy_prior"))
    return fail(Code::schema, "policy.prior.effective");
  return {};
}

wire::Object terms_value(const PolicyTerms& terms) {
  wire::Array keys;
  for (const SharedKey& shared : terms.keys) {
    wire::Object key{{"kid", to_uuid_text(shared.key.kid)}, {"fp", to_base64url(shared.key.fp)}};
    if (!shared.group.empty()) key.emplace("group", shared.group);
    keys.emplace_back(std::move(key));
  }
  return wire::Object{
      {"mode", name(terms.mode)}, {"effective", terms.effective}, {"keys", std::move(keys)}};
}

}  // namespace

bool is_group(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (mutant("keys.skip_group_name")) return true;
  return !text.empty() && text.size() <= group_size_max &&
         std::all_of(text.begin(), text.end(), fits) && text.front() != '-' && text.back() != '-';
}

std::optional<Policy> find_policy(std::string_view text) {
  for (const Policy policy : {Policy::isp, Policy::corporate, Policy::groups})
    if (name(policy) == text) return policy;
  return std::nullopt;
}

std::string_view name(Policy policy) {
  switch (policy) {
    case Policy::isp:
      return "isp";
    case Policy::corporate:
      return "corporate";
    case Policy::groups:
      return "groups";
  }
  return {};
}

bool PolicyTerms::shares(const KeyId& key) const {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const SharedKey& shared) { return shared.key == key; });
}

wire::Value to_value(const DomainPolicy& policy) {
  wire::Object out = terms_value(policy.terms);
  out.emplace("published", policy.published);
  if (policy.prior) out.emplace("prior", terms_value(*policy.prior));
  return out;
}

Result<DomainPolicy> parse_policy(const wire::Value& value, std::int64_t seq) {
  wire::ObjectReader in(value, "policy");
  DomainPolicy out;
  out.terms = read_terms(in);
  out.published = in.integer("published");
  if (const wire::Value* member = in.optional("prior")) {
    auto prior = parse_prior(*member);
    if (prior) {
      out.prior = std::move(*prior);
    } else {
      in.include(tl::unexpected(prior.error()));
    }
  }
  AMS_CHECK(in.finish());
  if (out.prior.has_value() != (seq > 1) && !mutant("keys.skip_policy_prior"))
    return fail(Code::schema, "policy.prior");
  AMS_CHECK(check_times(out));
  return out;
}

const PolicyTerms& policy_at(const DomainPolicy& policy, Instant now) {
  const bool prior = policy.prior && to_unix_ms(now) < policy.terms.effective;
  return prior && !mutant("keys.policy_at_once") ? *policy.prior : policy.terms;
}

DomainPolicy isp_policy(std::int64_t seq) {
  DomainPolicy out;
  if (seq > 1) {
    out.terms.effective = policy_notice_ms;
    out.prior = PolicyTerms{};
  }
  return out;
}

DomainPolicy next_policy(const DomainPolicy& before, Policy mode, std::vector<SharedKey> keys,
                         Instant now) {
  DomainPolicy out;
  out.published = to_unix_ms(now);
  out.prior = policy_at(before, now);
  out.prior->effective = std::min(out.prior->effective, out.published);
  std::sort(keys.begin(), keys.end(),
            [](const SharedKey& a, const SharedKey& b) { return a.group < b.group; });
  if (mode == out.prior->mode) out.prior->keys = keys;
  out.terms = PolicyTerms{mode, out.published + policy_notice_ms, std::move(keys)};
  return out;
}

}  // namespace ams::keys
