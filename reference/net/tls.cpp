#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

namespace ams::net {
namespace {

constexpr std::array<unsigned char, 6> alpn_wire{5, 'a', 'm', 's', '/', '1'};
constexpr std::string_view alpn_name = "ams/1";
constexpr std::string_view exporter_label = "EXPORTER-AMS-auth";

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int in_size, void*) {
  for (unsigned int at = 0; at < in_size && in[at] < in_size - at; at += 1u + in[at]) {
    const ByteView name(in + at + 1, in[at]);
    if (as_text(name) == alpn_name) {
      *out = name.data();
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::shared_ptr<SSL_CTX> make_context(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1) return nullptr;
  // No tickets: authentication is per connection, so resumption would save little and 0-RTT is out.
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

bool is_ip_literal(const std::string& host) {
  std::array<unsigned char, 16> address;
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

}  // namespace

std::string tls_error(const ssl_st* ssl) {
  std::string text;
  if (ssl != nullptr) {
    const long verified = SSL_get_verify_result(ssl);
    if (verified != X509_V_OK) {
      text = std::string("certificate refused: ") + X509_verify_cert_error_string(verified);
    }
  }
  while (const unsigned long code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    if (text.empty() && reason != nullptr) text = reason;
  }
  return text.empty() ? "unknown TLS error" : text;
}

tl::expected<TlsContext, std::string> TlsContext::server(const std::string& certificate_file,
                                                         const std::string& key_file) {
  auto context = make_context(TLS_server_method());
  if (!context) return tl::unexpected("TLS: " + tls_error(nullptr));
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return tl::unexpected(certificate_file +
                          ": not a PEM certificate chain: " + tls_error(nullptr));
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return tl::unexpected(key_file + ": not the PEM key of " + certificate_file + ": " +
                          tls_error(nullptr));
  }
  SSL_CTX_set_alpn_select_cb(context.get(), select_alpn, nullptr);
  return TlsContext(std::move(context));
}

tl::expected<TlsContext, std::string> TlsContext::client(const std::string& ca_file) {
  auto context = make_context(TLS_client_method());
  if (!context) return tl::unexpected("TLS: " + tls_error(nullptr));
  const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                     : SSL_CTX_load_verify_file(context.get(), ca_file.c_str());
  if (loaded != 1) {
    return tl::unexpected(ca_file +
                          ": not a PEM file of certificate authorities: " + tls_error(nullptr));
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // Returns 0 on success, unlike its neighbours.
  if (SSL_CTX_set_alpn_protos(context.get(), alpn_wire.data(), alpn_wire.size()) != 0) {
    return tl::unexpected("TLS: " + tls_error(nullptr));
  }
  return TlsContext(std::move(context));
}

tl::expected<void, std::string> expect_server(ssl_st* ssl, const Endpoint& to) {
  const std::string& name = to.certificate_name.empty() ? to.host : to.certificate_name;
  const bool is_ip = is_ip_literal(name);
  // The pin replaces the chain (a self-signed certificate has none); finish_handshake compares it.
  if (to.pin) SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int named = is_ip ? X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str())
                          : X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), name.size());
  if (named != 1) return tl::unexpected(name + ": not a host name");
  if (!is_ip && SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) {
    return tl::unexpected(name + ": too long for a host name");
  }
  return {};
}

tl::expected<Hash, std::string> finish_handshake(ssl_st* ssl, const std::optional<Hash>& pin) {
  if (SSL_version(ssl) != TLS1_3_VERSION)
    return tl::unexpected<std::string>("peer does not speak TLS 1.3");
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &size);
  if (as_text({protocol, size}) != alpn_name)
    return tl::unexpected<std::string>("peer does not speak ams/1 (ALPN)");
  if (pin) {
    const X509* certificate = SSL_get0_peer_certificate(ssl);
    Hash digest{};
    if (certificate == nullptr ||
        X509_digest(certificate, EVP_sha256(), digest.data(), nullptr) != 1 || digest != *pin) {
      return tl::unexpected<std::string>("certificate refused: not the pinned one");
    }
  }
  Hash exporter{};
  if (SSL_export_keying_material(ssl, exporter.data(), exporter.size(), exporter_label.data(),
                                 exporter_label.size(), nullptr, 0, 0) != 1) {
    return tl::unexpected(tls_error(ssl));
  }
  return exporter;
}

}  // namespace ams::net
