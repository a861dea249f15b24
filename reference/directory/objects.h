// Objects before anything of them is judged.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "wire/value.h"

namespace ams::directory {

/// Its tag; empty: it has none.
inline std::string_view tag_of(const wire::Value& object) {
  const wire::Value* tag = object.find("ams");
  return tag != nullptr && tag->is_string() ? std::string_view(tag->as_string())
                                            : std::string_view();
}

}  // namespace ams::directory
