// Dns: questions to name servers, with c-ares over the loop's sockets: no thread waits for an
// answer. A truncated answer is asked for again over TCP.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/finder.h"
#include "net/loop.h"

namespace ams::net {

/// An IP address with or without a port: 192.0.2.1, 192.0.2.1:5353, [2001:db8::1]:53.
bool is_name_server(std::string_view text);

class Dns {
 public:
  /// `name_servers` empty: those of the system (/etc/resolv.conf).
  static tl::expected<std::unique_ptr<Dns>, std::string> open(
      Loop& loop, const std::vector<std::string>& name_servers);
  virtual ~Dns() = default;

  // `done` is called once, from the loop, never after this object's end.
  virtual void ask(discovery::Kind kind, const std::string& name,
                   std::function<void(discovery::Answer)> done) = 0;
  /// The host's IP addresses as text, in the order of trial (RFC 6724); at least one, or why not.
  using OnAddresses = std::function<void(tl::expected<std::vector<std::string>, std::string>)>;
  virtual void addresses(const std::string& host, OnAddresses done) = 0;
};

}  // namespace ams::net
