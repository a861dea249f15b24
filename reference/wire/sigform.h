// The bytes that signatures and commitments cover: an object's canonical form less one member. The
// hash and the context around it are made in crypto's users (spec SIG), not here.
#pragma once

#include <string_view>

#include "wire/value.h"

namespace ams::wire {

/// Canonical bytes of `object` less `member`; of all of it when it has no such member.
/// Precondition: `object` is an object. Does not copy the tree.
Bytes encode_without(const Value& object, std::string_view member);

}  // namespace ams::wire
