// A client under test over TLS: its adapter is a process of its own (adapter/client.schema.json),
// its connections come to the suite's listener.
#pragma once

#include <cstdint>

#include "runner/target.h"

namespace ams::conform {

/// Starts `command`. Fails with std::runtime_error when it is no client's adapter, or nobody can
/// listen there.
std::unique_ptr<Target> make_client_target(const std::string& command, const std::string& host,
                                           std::uint16_t port);

}  // namespace ams::conform
