// TLS 1.3 as AMS wants it (spec WIR-1, WIR-2): ALPN ams/1 on both sides, no tickets, no 0-RTT.
// Functions on an SSL object serve any transport: sockets here, memory elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "base/bytes.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX and SSL
struct ssl_st;

namespace ams::net {

/// Where a server listens and what its certificate must be.
struct Endpoint {
  std::string host;  // a name or an IP literal; the certificate must be valid for it, or be the pin
  std::uint16_t port = 0;
  std::optional<Hash> pin;
};

/// Settings of one side, loaded. Copies share them.
class TlsContext {
 public:
  /// PEM files: the certificate chain, leaf first, and its key. Errors name the file.
  static tl::expected<TlsContext, std::string> server(const std::string& certificate_file,
                                                      const std::string& key_file);
  /// `ca_file` empty: the system's certificate authorities.
  static tl::expected<TlsContext, std::string> client(const std::string& ca_file);

  ssl_ctx_st* get() const { return context_.get(); }

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

/// Says what certificate the client expects: valid for `to.host`, or exactly the pinned one. Call
/// before the handshake.
tl::expected<void, std::string> expect_server(ssl_st* ssl, const Endpoint& to);

/// Call when the handshake is done and before any data: refuses a connection without ams/1 or with
/// another certificate than the pin, else gives the exporter that authentication signs (SES-4).
tl::expected<Hash, std::string> finish_handshake(ssl_st* ssl, const std::optional<Hash>& pin);

/// What went wrong, in OpenSSL's words; clears its error queue. `ssl` may be null.
std::string tls_error(const ssl_st* ssl);

}  // namespace ams::net
