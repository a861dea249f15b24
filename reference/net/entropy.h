// The kernel's randomness: how entropy enters the machines, as a 32-byte seed.
#pragma once

#include "crypto/secret.h"

namespace ams::net {

/// 32 bytes of getrandom(2). Blocks only before the kernel's pool is first filled, at boot.
crypto::Secret entropy_seed();

}  // namespace ams::net
