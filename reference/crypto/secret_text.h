// Keys as base64url text, without a table and without a branch on what they hold: a table look-up
// by a secret shows in the cache which line it touched. For keys alone; bytes.h is three times as
// fast for what is public.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "crypto/secret.h"

namespace ams::crypto {

/// Writes base64url_size(secret.size()) characters.
void write_secret_text(ByteView secret, char* out);

/// Reads `text` into `out`, whose size says how many bytes are expected. False: the text has
/// another length, a foreign character, or bits set that carry nothing; `out` is then of no use.
/// Neither time nor addresses depend on anything but the lengths.
bool read_secret_text(std::string_view text, Secret& out);

}  // namespace ams::crypto
