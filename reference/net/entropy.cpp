#include "net/entropy.h"

#include <sys/random.h>

#include <cerrno>

#include "base/result.h"

namespace ams::net {

crypto::Secret entropy_seed() {
  crypto::Secret seed(32);
  for (std::size_t have = 0; have < seed.size();) {
    const ssize_t got = getrandom(seed.data() + have, seed.size() - have, 0);
    AMS_ASSERT(got > 0 || errno == EINTR);
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  return seed;
}

}  // namespace ams::net
