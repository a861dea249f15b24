// A fingerprint as people compare it: read aloud as words, scanned as a QR code, pasted as text
// (spec KEY-12, KEY-13). Whatever form somebody has, reading it gives the fingerprint, or as much
// of it as the form carries.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace ams::keys {

inline constexpr std::size_t words_count = 12;    // eleven of the fingerprint, one that checks them
inline constexpr std::size_t words_covered = 22;  // bytes of the fingerprint in the words

/// Twelve proquints (Wilkerson, arXiv:0901.4016) with a hyphen between them. A proquint can be told
/// apart by ear, needs no list of words in any language, and has no owner.
std::string fingerprint_words(const Hash& fp);
/// What a QR code of the fingerprint says: characters of the code's alphanumeric mode only.
std::string fingerprint_code(const Hash& fp);

/// The first bytes of a fingerprint: 32 of them, or words_covered when it was given in words.
struct PartialFingerprint {
  Bytes bytes;
  bool matches(const Hash& fp) const;
};
/// Reads words (upper or lower case; blanks, hyphens or line ends between them), the text of the QR
/// code, 64 hexadecimal digits (blanks and colons between them are overlooked) or 43 characters of
/// base64url. Fails with schema for what is none of these, and with fp_words when the last word
/// does not follow from the others: then some word was misheard or mistyped.
Result<PartialFingerprint> read_fingerprint(std::string_view text);

}  // namespace ams::keys
