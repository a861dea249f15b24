#include "runner/tls_target.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "crypto/crypto.h"

namespace ams::conform {
namespace {

constexpr Millis io_wait{5'000};
constexpr std::array<unsigned char, 6> alpn{5, 'a', 'm', 's', '/', '1'};

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Tls = std::unique_ptr<SSL, Freer<SSL_free>>;
using PKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Freer<X509_free>>;

class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

Millis steady_ms() {
  return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch());
}

bool poll_for(int fd, short what, Millis at_most) {
  pollfd entry{fd, what, 0};
  return ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(0, at_most.count()))) > 0;
}

void set_up(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

struct Addresses {
  addrinfo* list = nullptr;
  Addresses(const std::string& host, std::uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list) != 0)
      throw std::runtime_error("cannot resolve " + host);
  }
  Addresses(const Addresses&) = delete;
  ~Addresses() { ::freeaddrinfo(list); }
};

// --- the suite's own certificate -----------------------------------------------------------------

PKey suite_key() {
  const Hash seed = crypto::sha256(as_bytes("ams-conform tls certificate"));
  return PKey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
}

/// Everything in it is fixed and Ed25519 signs deterministically, so its pin never changes.
Cert suite_certificate(EVP_PKEY* key) {
  Cert cert(X509_new());
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  ASN1_TIME_set_string(X509_getm_notBefore(cert.get()), "20250101000000Z");
  ASN1_TIME_set_string(X509_getm_notAfter(cert.get()), "20490101000000Z");
  X509_set_pubkey(cert.get(), key);
  X509_NAME* name = X509_get_subject_name(cert.get());
  const auto* text = reinterpret_cast<const unsigned char*>("conform.test");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(cert.get(), name);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                              "DNS:conform.test,DNS:localhost,IP:127.0.0.1");
  X509_add_ext(cert.get(), names, -1);
  X509_EXTENSION_free(names);
  X509_sign(cert.get(), key, nullptr);
  return cert;
}

int choose_alpn(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                unsigned in_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, alpn.data(), alpn.size(), in, in_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// --- one connection ------------------------------------------------------------------------------

class TlsChannel final : public Channel {
 public:
  TlsChannel(Socket socket, Tls tls) : socket_(std::move(socket)), tls_(std::move(tls)) {}
  ~TlsChannel() override {
    if (!closed_) SSL_shutdown(tls_.get());
  }

  /// False: no TLS 1.3 with ams/1 came about.
  bool handshake(bool server) {
    const Millis end = steady_ms() + io_wait;
    for (;;) {
      const int done = server ? SSL_accept(tls_.get()) : SSL_connect(tls_.get());
      if (done == 1) break;
      if (!wait_for(SSL_get_error(tls_.get(), done), end)) return false;
    }
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls_.get(), &chosen, &size);
    if (std::string_view(reinterpret_cast<const char*>(chosen), size) != "ams/1") return false;
    constexpr std::string_view label = "EXPORTER-AMS-auth";
    return SSL_export_keying_material(tls_.get(), exporter_.data(), exporter_.size(), label.data(),
                                      label.size(), nullptr, 0, 0) == 1;
  }

  void send(ByteView bytes) override {
    const Millis end = steady_ms() + io_wait;
    while (!closed_ && !bytes.empty()) {
      std::size_t done = 0;
      ERR_clear_error();
      if (SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &done) == 1) {
        bytes = bytes.subspan(done);
        continue;
      }
      const int why = SSL_get_error(tls_.get(), 0);
      read_some();  // a peer that is busy sending reads nothing until we do
      if (!wait_for(why, end)) closed_ = true;
    }
  }

  bool wait(Millis at_most) override {
    read_some();
    if (inbox_.empty() && !closed_ && poll_for(socket_.fd(), POLLIN, at_most)) read_some();
    return !inbox_.empty() || closed_;
  }

  Bytes take() override { return std::exchange(inbox_, {}); }
  bool closed() const override { return closed_; }
  const Hash& exporter() const override { return exporter_; }
  int fd() const override { return socket_.fd(); }

 private:
  bool wait_for(int why, Millis end) {
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return false;
    const short what = why == SSL_ERROR_WANT_READ ? POLLIN : (POLLIN | POLLOUT);
    return poll_for(socket_.fd(), what, end - steady_ms());
  }

  void read_some() {
    std::array<std::uint8_t, 16'384> piece;
    while (!closed_) {
      std::size_t size = 0;
      ERR_clear_error();
      if (SSL_read_ex(tls_.get(), piece.data(), piece.size(), &size) == 1) {
        append(inbox_, ByteView(piece).first(size));
        continue;
      }
      const int why = SSL_get_error(tls_.get(), 0);
      if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return;
      closed_ = true;
    }
  }

  Socket socket_;
  Tls tls_;
  Hash exporter_{};
  Bytes inbox_;
  bool closed_ = false;
};

// --- the listener --------------------------------------------------------------------------------

class Listener final : public TlsListener {
 public:
  Listener(const std::string& host, std::uint16_t port) {
    const PKey key = suite_key();
    const Cert cert = suite_certificate(key.get());
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
    SSL_CTX_use_certificate(context_.get(), cert.get());
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    SSL_CTX_set_alpn_select_cb(context_.get(), choose_alpn, nullptr);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE);
    const Addresses found(host, port, AI_PASSIVE);
    socket_ = Socket(::socket(found.list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(socket_.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket_.fd(), found.list->ai_addr, found.list->ai_addrlen) != 0 ||
        ::listen(socket_.fd(), 16) != 0)
      throw std::runtime_error("--listen " + host + ":" + std::to_string(port) +
                               ": cannot listen there");
  }
  std::unique_ptr<Channel> accept(Millis at_most) override {
    if (!poll_for(socket_.fd(), POLLIN, at_most)) return nullptr;
    Socket socket(::accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return nullptr;
    set_up(socket.fd());
    Tls tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), socket.fd());
    auto channel = std::make_unique<TlsChannel>(std::move(socket), std::move(tls));
    if (!channel->handshake(true)) return nullptr;
    return channel;
  }
  int fd() const override { return socket_.fd(); }

 private:
  Context context_;
  Socket socket_;
};

// --- the target ----------------------------------------------------------------------------------

class TlsTarget final : public Target {
 public:
  explicit TlsTarget(const TlsOptions& options) : options_(options) {
    client_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(client_.get(), TLS1_3_VERSION);
    SSL_CTX_set_verify(client_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_alpn_protos(client_.get(), alpn.data(), alpn.size());
    SSL_CTX_set_mode(client_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE);
    if (SSL_CTX_load_verify_file(client_.get(), options.ca_file.c_str()) != 1)
      throw std::runtime_error("--ca " + options.ca_file + ": expected PEM certificates");
    if (options.listen_host.empty()) return;
    listener_ = make_listener(options.listen_host, options.listen_port);
    has_peer = true;
  }

  std::string name() const override {
    return options_.host + ":" + std::to_string(options_.port) + " over TLS";
  }

  std::unique_ptr<Channel> connect() override {
    const Addresses found(options_.host, options_.port, 0);
    for (const addrinfo* at = found.list; at; at = at->ai_next) {
      Socket socket(::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0));
      if (!socket) continue;
      set_up(socket.fd());
      ::connect(socket.fd(), at->ai_addr, at->ai_addrlen);
      int error = 0;
      socklen_t size = sizeof error;
      if (!poll_for(socket.fd(), POLLOUT, io_wait)) continue;
      ::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) continue;
      return greet(std::move(socket));
    }
    return nullptr;
  }

  std::unique_ptr<Channel> accept(Millis at_most) override {
    return listener_ ? listener_->accept(at_most) : nullptr;
  }

  std::int64_t unix_ms() override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<Millis>(now).count();
  }
  Millis clock() override { return steady_ms(); }

 private:
  std::unique_ptr<Channel> greet(Socket socket) {
    Tls tls(SSL_new(client_.get()));
    SSL_set_fd(tls.get(), socket.fd());
    const std::string& name = options_.server_name.empty() ? options_.host : options_.server_name;
    in6_addr raw{};
    const bool is_ip = ::inet_pton(AF_INET, name.c_str(), &raw) == 1 ||
                       ::inet_pton(AF_INET6, name.c_str(), &raw) == 1;
    if (is_ip) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls.get()), name.c_str());
    } else {
      SSL_set_tlsext_host_name(tls.get(), name.c_str());
      SSL_set1_host(tls.get(), name.c_str());
    }
    auto channel = std::make_unique<TlsChannel>(std::move(socket), std::move(tls));
    if (!channel->handshake(false)) return nullptr;
    return channel;
  }

  TlsOptions options_;
  Context client_;
  std::unique_ptr<TlsListener> listener_;
};

}  // namespace

std::unique_ptr<Target> make_tls(const TlsOptions& options) {
  return std::make_unique<TlsTarget>(options);
}

std::unique_ptr<TlsListener> make_listener(const std::string& host, std::uint16_t port) {
  return std::make_unique<Listener>(host, port);
}

std::string suite_certificate_pin() {
  const PKey key = suite_key();
  const Cert cert = suite_certificate(key.get());
  unsigned char* der = nullptr;
  const int size = i2d_X509(cert.get(), &der);
  const std::string pin = to_hex(crypto::sha256(ByteView(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  return pin;
}

}  // namespace ams::conform
