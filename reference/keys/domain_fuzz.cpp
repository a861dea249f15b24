// Property: a policy that we accept we can write back, byte for byte; what is in force under it is
// one of its two terms at any time, and what follows it is accepted too.
#include <cstdlib>

#include "keys/records.h"
#include "wire/value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ams;
  const auto value = wire::decode({data, size});
  if (!value) return 0;
  const wire::Value* record = value->find("record");
  const wire::Value* policy = (record ? *record : *value).find("policy");
  (void)keys::verify_chain(*value, "home.example", keys::KeyId{});
  for (const std::int64_t seq : {1, 2}) {
    const auto parsed = keys::parse_policy(policy ? *policy : *value, seq);
    if (!parsed) continue;
    if (keys::to_value(*parsed) != (policy ? *policy : *value)) std::abort();
    if (parsed->prior.has_value() != (seq > 1)) std::abort();
    for (const std::int64_t at : {std::int64_t{0}, parsed->published, parsed->terms.effective}) {
      const Instant now = from_unix_ms(at);
      const keys::PolicyTerms& terms = keys::policy_at(*parsed, now);
      if (terms.keys.empty() != (terms.mode == keys::Policy::isp)) std::abort();
      if (at > wire::integer_max - keys::policy_notice_ms) continue;
      const auto next = keys::next_policy(*parsed, keys::Policy::isp, {}, now);
      if (!keys::parse_policy(keys::to_value(next), 2)) std::abort();
      if (keys::policy_at(next, now).mode != terms.mode) std::abort();
    }
  }
  return 0;
}
