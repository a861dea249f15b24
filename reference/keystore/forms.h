// What the files of this room share in reading and writing messages. Not for other rooms.
#pragma once

#include "keystore/messages.h"

namespace ams::keystore {

std::string read_address(wire::ObjectReader& in, std::string_view name);
std::optional<std::string> read_group(wire::ObjectReader& in);
/// addr and group, not both (KST-9).
Scope read_scope(wire::ObjectReader& in);
void write_scope(wire::Object& out, const Scope& scope);
/// Members only (KST-12).
Result<Member> parse_member(const wire::Value& value);
inline constexpr std::string_view request_tag = "ks-req/1";
inline constexpr std::string_view answer_tag = "ks-ans/1";

}  // namespace ams::keystore
