// The suite's own AMS-CJ (spec ENC): writing, and judging what a peer wrote. Shares no line with
// the reference's wire room, so that a mistake there is not believed here.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace ams::conform {

using Json = nlohmann::json;

/// The canonical text of a value. Precondition: names and strings are UTF-8.
std::string canonical(const Json& value);
/// Why the bytes are not one canonical AMS-CJ text (ENC-1, ENC-2); empty: they are, and `out` has
/// the value.
std::optional<std::string> judge_canonical(ByteView bytes, Json& out);

std::string b64(ByteView bytes);
/// Precondition: `text` is canonical base64url (the suite's own).
Bytes unb64(const Json& text);
/// SHA-256 of the canonical text.
Hash hash_of(const Json& value);

}  // namespace ams::conform
