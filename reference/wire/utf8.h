// Validity of UTF-8, for bytes from peers and for text from people before it enters a Value.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace ams::wire {

/// True when the bytes are UTF-8 of RFC 3629: no overlong form, no surrogate, nothing above
/// U+10FFFF. O(n), no memory.
bool is_utf8(ByteView bytes);
inline bool is_utf8(std::string_view text) { return is_utf8(as_bytes(text)); }

/// Appends a code point. Precondition: a Unicode scalar value.
void append_utf8(std::string& out, char32_t point);

}  // namespace ams::wire
