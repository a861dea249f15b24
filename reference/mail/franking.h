// The franking commitment of a letter (spec MSG-24, MSG-25): a report can open one leaf alone.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "wire/value.h"

namespace ams::mail {

/// Leaf 0, then the parts', then the attachments'. Precondition: a letter/1 value.
std::vector<Bytes> leaves_of(const wire::Value& letter);
Hash franking_commitment(ByteView fk, std::span<const ByteView> leaves);
Hash franking_commitment(ByteView fk, const std::vector<Bytes>& leaves);

}  // namespace ams::mail
