// Does an adapter speak the protocol (adapter/adapter.schema.json), and does it judge at all?
#pragma once

#include <string>
#include <vector>

#include "vectors_run/sut.h"
#include "vectors_run/vectors.h"

namespace ams::conform {

struct AdapterCheck {
  std::string name;
  std::string complaint;  // empty: passed
};

struct AdapterChecks {
  std::vector<AdapterCheck> checks;  // in the order made
  bool broken = false;  // the last one ended the session: mute, dead, or no answers at all
};

/// Makes the checks, of which an op's own (an unusable request, a valid and an invalid vector) only
/// for declared ops. Throws nothing that the adapter can cause.
AdapterChecks check_adapter(const std::string& command, std::chrono::seconds silence_max,
                            const std::vector<Vector>& vectors);

/// 0 clean, 1 a check failed, 4 the adapter died, fell silent or wrote what is no answer.
int adapter_exit_code(const AdapterChecks& checks);

std::string adapter_console(const AdapterChecks& checks);

}  // namespace ams::conform
