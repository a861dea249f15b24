// Length, content, zeros up to Padmé's size: what is sealed shows its size class only (MSG-21 …
// 23).
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace ams::mail {

enum class LengthField : std::uint8_t { u32 = 4, u64 = 8 };  // bytes

/// Precondition: the content's size fits the field.
Bytes lay_out(ByteView content, LengthField field);
/// The content, borrowed from `plain`. Fails with body_layout.
Result<ByteView> take_out(ByteView plain, LengthField field);

}  // namespace ams::mail
