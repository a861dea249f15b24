// How every object names a key.
#pragma once

#include <compare>

#include "base/bytes.h"

namespace ams::keys {

struct KeyId {
  Id16 kid{};
  Hash fp{};
  friend auto operator<=>(const KeyId&, const KeyId&) = default;
};

}  // namespace ams::keys
