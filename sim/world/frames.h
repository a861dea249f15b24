// Frames in the bytes that sessions emit, for who watches or tampers.
#pragma once

#include "wire/frame.h"

namespace ams::sim {

/// The frames of a piece that holds whole ones, as sessions emit them: visit(frame, its bytes).
template <class Visit>
void each_frame(ByteView bytes, Visit visit) {
  while (!bytes.empty()) {
    const auto frame = wire::parse_frame(bytes);
    if (!frame || !*frame) return;
    visit(**frame, bytes.first((*frame)->consumed));
    bytes = bytes.subspan((*frame)->consumed);
  }
}

}  // namespace ams::sim
