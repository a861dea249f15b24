// Link: a way to a key store. One request out, one answer back, whatever is in between.
#pragma once

#include <functional>

#include "base/bytes.h"
#include "base/result.h"

namespace ams::keystore_net {

class Link {
 public:
  virtual ~Link() = default;
  /// Calls `done` once, from the loop, with the answer's bytes, unjudged (keystore/asker.h); or
  /// with keystore_unreachable, keystore_timeout or keystore_answer. Dropping the link drops the
  /// call.
  virtual void ask(Bytes request, std::function<void(Result<Bytes>)> done) = 0;
};

}  // namespace ams::keystore_net
