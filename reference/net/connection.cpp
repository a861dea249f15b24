#include "net/connection.h"

#include <openssl/ssl.h>

#include <algorithm>

#include "net/asio.h"

namespace ams::net {
namespace {

using asio::ip::tcp;
using Handshake = asio::ssl::stream_base::handshake_type;
using Done = std::function<void(tl::expected<ConnectionPtr, std::string>)>;

constexpr std::size_t read_size_max = 16 * 1024;   // one TLS record
constexpr std::size_t write_size_max = 64 * 1024;  // between two looks at the write timeout

/// Asio's context frees what it is given, so it gets a reference of its own.
asio::ssl::context borrow(const TlsContext& tls) {
  SSL_CTX_up_ref(tls.get());
  return asio::ssl::context(tls.get());
}

Bytes bytes_of(const asio::ip::address& address) {
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = address.to_v6().to_bytes();
  return {bytes.begin(), bytes.end()};
}

std::string text_of(const tcp::endpoint& endpoint) {
  error_code ignored;
  return endpoint.address().to_string(ignored) + ':' + std::to_string(endpoint.port());
}

class TlsConnection final : public Connection, public std::enable_shared_from_this<TlsConnection> {
 public:
  TlsConnection(Loop& loop, const TlsContext& tls, const ConnectionOptions& options,
                std::shared_ptr<void> ticket)
      : loop_(loop),
        options_(options),
        context_(borrow(tls)),
        stream_(loop.impl().context, context_),
        timer_(loop.impl().context),
        ticket_(std::move(ticket)) {}

  tcp::socket& socket() { return stream_.next_layer(); }
  SSL* ssl() { return stream_.native_handle(); }
  void set_deadline(Duration after, std::string_view reason);
  void handshake(Handshake side, std::optional<Hash> pin, Done done);
  std::string failure(const error_code& error, bool pinned);

  void start(std::function<void(ByteView)> on_bytes,
             std::function<void(std::string_view)> on_closed) override;
  void send(Bytes bytes) override;
  void close() override;
  void abort() override { finish(); }
  const Hash& exporter() const override { return exporter_; }
  std::size_t queued_bytes() const override { return out_.size() - written_ + pending_.size(); }
  std::string peer() const override { return peer_; }
  const Bytes& peer_address() const override { return peer_address_; }

 private:
  enum class State : std::uint8_t { handshake, open, flushing, closed };

  void read_next();
  void write_next();
  void shut_down();
  void end(std::string reason);
  void report(std::string reason);
  void finish();

  Loop& loop_;
  ConnectionOptions options_;
  asio::ssl::context context_;
  asio::ssl::stream<tcp::socket> stream_;
  asio::steady_timer timer_;
  std::shared_ptr<void> ticket_;  // the listener's count of us
  State state_ = State::handshake;
  bool reading_ = false;
  bool writing_ = false;
  std::string_view timeout_reason_;
  std::string peer_;
  Bytes peer_address_;
  std::string early_end_;  // why it ended before start()
  Hash exporter_{};
  Bytes in_;
  Bytes out_, pending_;  // being written from written_ on; waiting behind it
  std::size_t written_ = 0;
  std::function<void(ByteView)> on_bytes_;
  std::function<void(std::string_view)> on_closed_;
};

void TlsConnection::set_deadline(Duration after, std::string_view reason) {
  timeout_reason_ = {};
  timer_.expires_after(after);
  timer_.async_wait([weak = weak_from_this(), reason](error_code error) {
    const auto self = weak.lock();
    if (error || !self) return;
    self->timeout_reason_ = reason;
    if (self->state_ != State::handshake) return self->end(std::string(reason));
    error_code ignored;
    self->socket().close(ignored);  // the handshake's own handler reports
  });
}

std::string TlsConnection::failure(const error_code& error, bool pinned) {
  if (!timeout_reason_.empty()) return std::string(timeout_reason_);
  const long verified = SSL_get_verify_result(ssl());
  if (!pinned && verified != X509_V_OK) {
    return std::string("certificate refused: ") + X509_verify_cert_error_string(verified);
  }
  return error.message();
}

void TlsConnection::handshake(Handshake side, std::optional<Hash> pin, Done done) {
  error_code ignored;
  socket().set_option(tcp::no_delay(true), ignored);
  const tcp::endpoint remote = socket().remote_endpoint(ignored);
  peer_ = text_of(remote);
  if (!ignored) peer_address_ = bytes_of(remote.address());
  stream_.async_handshake(
      side, [self = shared_from_this(), pin, done = std::move(done)](error_code error) {
        if (error) {
          std::string reason = self->failure(error, pin.has_value());
          self->finish();
          return done(tl::unexpected(std::move(reason)));
        }
        auto exporter = finish_handshake(self->ssl(), pin);
        if (!exporter) {
          self->finish();
          return done(tl::unexpected(std::move(exporter.error())));
        }
        self->timer_.cancel();
        self->exporter_ = *exporter;
        self->state_ = State::open;
        done(ConnectionPtr(self));
      });
}

void TlsConnection::start(std::function<void(ByteView)> on_bytes,
                          std::function<void(std::string_view)> on_closed) {
  AMS_ASSERT(!on_bytes_);
  on_bytes_ = std::move(on_bytes);
  on_closed_ = std::move(on_closed);
  if (state_ == State::closed) {
    if (!early_end_.empty()) report(std::move(early_end_));
    return;
  }
  in_.resize(read_size_max);
  reading_ = true;
  read_next();
}

void TlsConnection::read_next() {
  stream_.async_read_some(
      asio::buffer(in_), [self = shared_from_this()](error_code error, std::size_t size) {
        if (self->state_ == State::closed) return;
        if (error) {
          self->reading_ = false;
          return self->end(error == asio::error::eof ? "closed by the peer" : error.message());
        }
        // While flushing, bytes are read and dropped: unread ones would make the kernel reset the
        // connection and our last words with it.
        if (self->state_ == State::open) self->on_bytes_(ByteView(self->in_).first(size));
        if (self->state_ != State::closed) self->read_next();
      });
}

void TlsConnection::send(Bytes bytes) {
  if (state_ != State::open || bytes.empty()) return;
  if (pending_.empty()) {
    pending_ = std::move(bytes);
  } else {
    append(pending_, bytes);
  }
  if (queued_bytes() > options_.write_queue_max) return end("reads too slowly");
  if (writing_) return;
  // Behind what the loop does now: what is sent meanwhile goes in the same TLS records. Answers to
  // requests that came together would otherwise part, and their askers' next ones with them.
  writing_ = true;
  loop_.post([self = shared_from_this()] {
    if (self->state_ != State::closed) self->write_next();
  });
}

void TlsConnection::write_next() {
  if (written_ == out_.size()) {
    out_ = std::exchange(pending_, {});
    written_ = 0;
  }
  writing_ = !out_.empty();
  if (!writing_) {
    if (state_ == State::flushing) return shut_down();
    timer_.cancel();
    return;
  }
  // The deadline of close() holds for the whole flush; an open connection gets a new one a step.
  if (state_ == State::open) set_deadline(options_.write_timeout, "takes no bytes");
  const std::size_t size = std::min(out_.size() - written_, write_size_max);
  stream_.async_write_some(asio::buffer(out_.data() + written_, size),
                           [self = shared_from_this()](error_code error, std::size_t wrote) {
                             if (self->state_ == State::closed) return;
                             if (error) return self->end(error.message());
                             self->written_ += wrote;
                             self->write_next();
                           });
}

void TlsConnection::close() {
  if (state_ != State::open) return;
  state_ = State::flushing;
  set_deadline(options_.close_timeout, "did not close in time");
  if (!writing_) shut_down();
}

void TlsConnection::shut_down() {
  stream_.async_shutdown([self = shared_from_this()](error_code error) {
    if (self->state_ == State::closed) return;
    // Without an error the peer has answered. Else wait for it or for the deadline, reading.
    if (!error || !self->reading_) return self->finish();
    error_code ignored;
    self->socket().shutdown(tcp::socket::shutdown_send, ignored);
  });
}

void TlsConnection::end(std::string reason) {
  const bool unexpected = state_ == State::open;
  finish();
  if (!unexpected) return;
  if (on_closed_) return report(std::move(reason));
  early_end_ = std::move(reason);  // start() reports it
}

void TlsConnection::report(std::string reason) {
  loop_.post([self = shared_from_this(), reason = std::move(reason)] {
    if (const auto call = std::exchange(self->on_closed_, nullptr)) call(reason);
  });
}

void TlsConnection::finish() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  error_code ignored;
  socket().close(ignored);
  timer_.cancel();
  ticket_.reset();
  // Callbacks may hold us, and may be running: they are dropped from the loop, after end()'s
  // report.
  loop_.post([self = shared_from_this()] {
    self->loop_.post([self] {
      self->on_bytes_ = nullptr;
      self->on_closed_ = nullptr;
    });
  });
}

class TcpListener final : public Listener {
 public:
  struct Shared : std::enable_shared_from_this<Shared> {
    Shared(Loop& l, TlsContext t, ListenerOptions o)
        : loop(l),
          tls(std::move(t)),
          options(o),
          acceptor(l.impl().context),
          pause(l.impl().context) {}
    void accept_next();
    void greet(tcp::socket socket);

    Loop& loop;
    TlsContext tls;
    ListenerOptions options;
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    std::function<void(ConnectionPtr)> on_accepted;
    std::function<void(std::string_view)> on_refused;
    std::shared_ptr<std::size_t> live = std::make_shared<std::size_t>(0);
    bool stopped = false;
  };

  explicit TcpListener(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  ~TcpListener() override {
    error_code ignored;
    shared_->stopped = true;
    shared_->acceptor.close(ignored);
    shared_->pause.cancel();
  }
  std::uint16_t port() const override {
    error_code ignored;
    return shared_->acceptor.local_endpoint(ignored).port();
  }

 private:
  std::shared_ptr<Shared> shared_;
};

void TcpListener::Shared::accept_next() {
  acceptor.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
    if (self->stopped) return;
    if (error) {  // out of file descriptors, most likely: busy retries would not bring any back
      self->on_refused("accept: " + error.message());
      self->pause.expires_after(std::chrono::milliseconds(200));
      return self->pause.async_wait([self](error_code) {
        if (!self->stopped) self->accept_next();
      });
    }
    self->greet(std::move(socket));
    self->accept_next();
  });
}

void TcpListener::Shared::greet(tcp::socket socket) {
  if (*live >= options.connections_max) return on_refused("too many connections");
  ++*live;
  std::shared_ptr<void> ticket(nullptr, [count = live](void*) { --*count; });
  auto connection =
      std::make_shared<TlsConnection>(loop, tls, options.connection, std::move(ticket));
  connection->socket() = std::move(socket);
  connection->set_deadline(options.connection.handshake_timeout, "handshake timed out");
  connection->handshake(Handshake::server, std::nullopt, [self = shared_from_this()](auto result) {
    if (self->stopped) return;
    if (!result) return self->on_refused(result.error());
    self->on_accepted(std::move(*result));
  });
}

struct Connector : std::enable_shared_from_this<Connector> {
  Connector(Loop& loop, const TlsContext& tls, Endpoint endpoint, const ConnectionOptions& options,
            Done d)
      : to(std::move(endpoint)),
        resolver(loop.impl().context),
        connection(std::make_shared<TlsConnection>(loop, tls, options, nullptr)),
        done(std::move(d)) {}

  void refuse(const error_code& error) {
    std::string reason = connection->failure(error, true);
    connection->abort();
    done(tl::unexpected(std::move(reason)));
  }
  void resolve() {
    std::vector<tcp::endpoint> known;
    for (const std::string& text : to.addresses) {
      error_code error;
      const auto address = asio::ip::make_address(text, error);
      if (!error) known.emplace_back(address, to.port);
    }
    if (!known.empty()) return connect(std::move(known));
    resolver.async_resolve(
        to.host, std::to_string(to.port), tcp::resolver::numeric_service,
        [self = shared_from_this()](error_code error, tcp::resolver::results_type found) {
          if (error) return self->refuse(error);
          self->connect({found.begin(), found.end()});
        });
  }
  void connect(std::vector<tcp::endpoint> found) {
    addresses = std::move(found);  // the operation borrows them
    asio::async_connect(connection->socket(), addresses,
                        [self = shared_from_this()](error_code error, const tcp::endpoint&) {
                          if (error) return self->refuse(error);
                          self->connection->handshake(Handshake::client, self->to.pin,
                                                      std::move(self->done));
                        });
  }

  Endpoint to;
  std::vector<tcp::endpoint> addresses;
  tcp::resolver resolver;
  std::shared_ptr<TlsConnection> connection;
  Done done;
};

}  // namespace

tl::expected<std::unique_ptr<Listener>, std::string> listen(
    Loop& loop, const TlsContext& tls, const std::string& host, std::uint16_t port,
    ListenerOptions options, std::function<void(ConnectionPtr)> on_accepted,
    std::function<void(std::string_view)> on_refused) {
  const auto refuse = [&](const error_code& error) {
    return tl::unexpected("listen on " + host + " port " + std::to_string(port) + ": " +
                          error.message());
  };
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return refuse(error);
  auto shared = std::make_shared<TcpListener::Shared>(loop, tls, options);
  const tcp::endpoint at(address, port);
  shared->acceptor.open(at.protocol(), error);
  if (!error) shared->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) shared->acceptor.bind(at, error);
  if (!error) shared->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return refuse(error);
  shared->on_accepted = std::move(on_accepted);
  shared->on_refused = std::move(on_refused);
  shared->accept_next();
  return std::make_unique<TcpListener>(std::move(shared));
}

void connect(Loop& loop, const TlsContext& tls, const Endpoint& to,
             const ConnectionOptions& options,
             std::function<void(tl::expected<ConnectionPtr, std::string>)> done) {
  auto connector = std::make_shared<Connector>(loop, tls, to, options, std::move(done));
  if (auto expected = expect_server(connector->connection->ssl(), to); !expected) {
    return loop.post(
        [connector, reason = expected.error()] { connector->done(tl::unexpected(reason)); });
  }
  connector->connection->set_deadline(options.handshake_timeout, "connecting timed out");
  connector->resolve();
}

}  // namespace ams::net
