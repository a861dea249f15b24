// The reference server in this process, over memory storage, in virtual time.
#pragma once

#include "runner/target.h"

namespace ams::conform {

/// A fresh world each: a domain with accounts, nothing shared with another instance.
std::unique_ptr<Target> make_simulated(const TargetOptions& options);

}  // namespace ams::conform
