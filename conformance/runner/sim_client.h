// The reference client in this process, over memory storage, in virtual time.
#pragma once

#include "runner/target.h"

namespace ams::conform {

std::unique_ptr<Target> make_simulated_client();

}  // namespace ams::conform
