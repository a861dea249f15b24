// LabeledExtract and LabeledExpand of RFC 9180 section 4, for KDF HKDF-SHA256.
#pragma once

#include "crypto/hash.h"

namespace ams::crypto {

Secret labeled_extract(ByteView suite_id, ByteView salt, std::string_view label, ByteView ikm);
/// `info` is the concatenation of two pieces.
Secret labeled_expand(ByteView suite_id, ByteView prk, std::string_view label,
                      std::array<ByteView, 2> info, std::size_t size);

}  // namespace ams::crypto
