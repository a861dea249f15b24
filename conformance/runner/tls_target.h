// A server reached over TLS 1.3 (spec WIR-1): a small blocking client of the suite's own, and a
// listener that plays the other domain's server.
#pragma once

#include <cstdint>

#include "runner/target.h"

namespace ams::conform {

struct TlsOptions {
  std::string host;
  std::uint16_t port = 0;
  std::string ca_file;
  std::string server_name;  // name on the certificate; empty: host
  std::string listen_host;  // empty: the target's own connections cannot be judged
  std::uint16_t listen_port = 0;
};

/// Fails with std::runtime_error when the CA file or the listening address cannot be used.
std::unique_ptr<Target> make_tls(const TlsOptions& options);

/// Takes connections as the suite's domains, with its certificate. Fails as make_tls.
class TlsListener {
 public:
  virtual ~TlsListener() = default;
  /// Null: none within `at_most`, or no TLS 1.3 with ams/1 came about.
  virtual std::unique_ptr<Channel> accept(Millis at_most) = 0;
  virtual int fd() const = 0;
};
std::unique_ptr<TlsListener> make_listener(const std::string& host, std::uint16_t port);

/// SHA-256 of the suite's own certificate, hexadecimal: the same in every run.
std::string suite_certificate_pin();

}  // namespace ams::conform
