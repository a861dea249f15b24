// What is secret does not stay behind in the text of a value that it was read from or written as.
#pragma once

#include <string_view>

#include "wire/value.h"

namespace ams::wire {

/// Wipes the text of a member; nothing when `object` is none, or has no such string.
void wipe_member(Value& object, std::string_view name);

}  // namespace ams::wire
