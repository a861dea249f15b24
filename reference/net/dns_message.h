// What a DNS response says about one name, from bytes that anyone may have sent.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "discovery/finder.h"

namespace ams::net {

inline constexpr std::size_t dns_records_max = 64;  // of one response; the rest is not read

/// The SRV or TXT records of `name` in a response whose question is known to be ours, through
/// CNAMEs; ttl_s is the least on the way. `absent` when the response says that there are none,
/// with the time for which RFC 2308 lets that be kept. Anything unreadable is `failed`.
discovery::Answer read_dns_answer(ByteView message, discovery::Kind kind, std::string_view name);

}  // namespace ams::net
