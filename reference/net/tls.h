// TLS 1.3 as AMS wants it (spec WIR-1, WIR-2): ALPN ams/1 on both sides, no tickets, no 0-RTT.
// Functions on an SSL object serve any transport: sockets here, memory elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/bytes.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX and SSL
struct ssl_st;

namespace ams::net {

/// Where a server listens and what its certificate must be: valid for certificate_name, or the pin.
struct Endpoint {
  std::string host;  // a name or an IP literal
  std::uint16_t port = 0;
  std::optional<Hash> pin;
  std::string certificate_name = {};        // empty: the host (WIR-2); else DOM-13
  std::vector<std::string> addresses = {};  // IP literals; empty: the system resolves the host
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

/// Says what certificate the client expects: valid for the name, or exactly the pinned one. Call
/// before the handshake.
tl::expected<void, std::string> expect_server(ssl_st* ssl, const Endpoint& to);

/// Call when the handshake is done and before any data: refuses a connection without ams/1 or with
/// another certificate than the pin, else gives the exporter that authentication signs (SES-4).
tl::expected<Hash, std::string> finish_handshake(ssl_st* ssl, const std::optional<Hash>& pin);

/// What went wrong, in OpenSSL's words; clears its error queue. `ssl` may be null.
std::string tls_error(const ssl_st* ssl);

}  // namespace ams::net
