#include "mail/layout.h"

#include <algorithm>

#include "crypto/crypto.h"
#include "policy/mutant.h"

namespace ams::mail {

Bytes lay_out(ByteView content, LengthField field) {
  const std::size_t prefix = static_cast<std::size_t>(field);
  AMS_ASSERT(field == LengthField::u64 || content.size() <= 0xffffffffu);
  const std::uint64_t size = crypto::padme(prefix + content.size());
  Bytes out;
  out.reserve(size);
  if (field == LengthField::u32) {
    append_u32(out, static_cast<std::uint32_t>(content.size()));
  } else {
    append_u64(out, content.size());
  }
  append(out, content);
  out.resize(size);
  return out;
}

Result<ByteView> take_out(ByteView plain, LengthField field) {
  const std::size_t prefix = static_cast<std::size_t>(field);
  if (plain.size() < prefix) return fail(Code::body_layout, "length");
  const std::uint64_t size = field == LengthField::u32 ? read_u32(plain) : read_u64(plain);
  // Compared without a sum: a hostile length must not wrap.
  if (size > plain.size() - prefix) return fail(Code::body_layout, "length");
  const ByteView content = plain.subspan(prefix, size);
  if (mutant("mail.skip_layout")) return content;
  if (plain.size() != crypto::padme(prefix + size)) return fail(Code::body_layout, "padded size");
  const ByteView padding = plain.subspan(prefix + size);
  const bool zero =
      std::all_of(padding.begin(), padding.end(), [](auto byte) { return byte == 0; });
  if (!zero) return fail(Code::body_layout, "padding");
  return content;
}

}  // namespace ams::mail
