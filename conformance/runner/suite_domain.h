// The suite's own domain, conform.test. Its keys come from public seeds: for tests only.
#pragma once

#include "judge/objects.h"

namespace ams::conform {

inline constexpr const char* suite_name = "conform.test";
/// Another one, which is no peer of a directory peer under test.
inline constexpr const char* second_suite_name = "second.conform.test";
/// With the keys of a binding log (values_bindlog.cpp).
Domain second_suite_domain(std::int64_t now);
inline Domain suite_domain(std::int64_t now) { return make_domain(suite_name, suite_name, now); }

}  // namespace ams::conform
