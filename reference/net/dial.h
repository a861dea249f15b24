// Dialling a domain: its servers one after the other until one answers as it must (spec DOM-11).
#pragma once

#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "net/connection.h"
#include "net/dns.h"

namespace ams::net {

/// All trials together; a machine gives a connection up after 30 s.
inline constexpr Duration dial_time_max = std::chrono::seconds(24);

/// Calls `done` once: the first connection that is verified, or why the last server was not to be
/// had. `dns` (may be null: the system's resolver) is borrowed until then and gives the addresses
/// of the hosts. Precondition: `servers` is not empty.
void dial(Loop& loop, const TlsContext& tls, std::vector<Endpoint> servers,
          const ConnectionOptions& options, Dns* dns,
          std::function<void(tl::expected<ConnectionPtr, std::string>)> done);

}  // namespace ams::net
