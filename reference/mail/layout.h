// Length, content, zeros up to Padmé's size: what is sealed shows its size class only (MSG-21 …
// 23).
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/crypto.h"

namespace ams::mail {

enum class LengthField : std::uint8_t { u32 = 4, u64 = 8 };  // bytes

/// Precondition: the content's size fits the field.
Bytes lay_out(ByteView content, LengthField field);

/// The same for content that is still to be written: begin_layout leaves room for its length and
/// reserves memory for `content_size` bytes of it; finish_layout, after the content was appended,
/// writes the length and the padding. Memory given back on the way is wiped.
Bytes begin_layout(LengthField field, std::size_t content_size);
void finish_layout(Bytes& out, LengthField field);

/// Seals the layout of `content` without building it.
Bytes seal_layout(crypto::StreamSealer sealer, ByteView content, LengthField field);

/// The content, borrowed from `plain`. Fails with body_layout.
Result<ByteView> take_out(ByteView plain, LengthField field);

}  // namespace ams::mail
