// HKDF over inputs in pieces, for this room's own labelled derivations.
#pragma once

#include "crypto/crypto.h"

namespace ams::crypto {

using Pieces = std::initializer_list<ByteView>;

/// HKDF-Expand with `info` in pieces. `size` <= 255 * 32.
Secret expand_pieces(ByteView prk, Pieces info, std::size_t size);

}  // namespace ams::crypto
