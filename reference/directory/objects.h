// Objects before anything of them is judged.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "wire/sigform.h"
#include "wire/value.h"

namespace ams::directory {

/// Its tag; empty: it has none.
inline std::string_view tag_of(const wire::Value& object) {
  const wire::Value* tag = object.find("ams");
  return tag != nullptr && tag->is_string() ? std::string_view(tag->as_string())
                                            : std::string_view();
}

/// The fingerprint of a key record (KEY-2), or of what calls itself one. Precondition: an object.
inline Hash fp_of_record(const wire::Value& record) {
  Bytes input = to_bytes(std::string_view("AMS-KEY/1\0", 10));
  append(input, wire::encode_without(record, "sig"));
  return crypto::sha256(input);
}

}  // namespace ams::directory
