// OpenSSL's RSA-PSS and RSASVE draw from RAND. While a RandScope lives, what this thread draws
// comes from the given stream, so that a simulated node's RSA is as repeatable as the rest of it.
//
// install_rand_hook() replaces the RAND method of the process: simulator programs alone link this.
// Outside any scope the hook refuses, so that nothing unrepeatable slips in unseen.
#pragma once

#include "sim_engine/random.h"

namespace ams::sim {

/// Before any thread starts; every call but the first does nothing.
void install_rand_hook();

class RandScope {
 public:
  /// `sequence` is borrowed.
  explicit RandScope(RandomSequence& sequence);
  ~RandScope();
  RandScope(const RandScope&) = delete;
  RandScope& operator=(const RandScope&) = delete;

 private:
  RandomSequence* outer_;
};

}  // namespace ams::sim
