#include "net/http.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "net/asio.h"

namespace ams::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr auto time_max = std::chrono::seconds(10);  // for the request, and for its answer

/// The host of a Host header: without the port and the brackets of IPv6.
std::string_view host_of(std::string_view field) {
  if (field.starts_with('[')) return field.substr(1, field.find(']') - 1);
  return field.substr(0, field.find(':'));
}

bool is_address_or_localhost(std::string_view host) {
  error_code error;
  asio::ip::make_address(std::string(host), error);
  return !error || host == "localhost";
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

class Exchanged : public std::enable_shared_from_this<Exchanged> {
 public:
  using Handler = std::function<Page(std::string_view)>;
  Exchanged(tcp::socket socket, std::shared_ptr<Handler> handler, std::shared_ptr<void> ticket)
      : stream_(std::move(socket)), handler_(std::move(handler)), ticket_(std::move(ticket)) {
    parser_.header_limit(http_request_size_max);
    parser_.body_limit(std::uint64_t{http_request_size_max});  // it is not read, and drained
  }
  void start() {
    stream_.expires_after(time_max);
    http::async_read_header(stream_, buffer_, parser_,
                            [self = shared_from_this()](error_code error, std::size_t) {
                              if (error) return self->refuse(error);
                              self->answer();
                            });
  }

 private:
  void refuse(const error_code& error) {
    if (error == http::error::end_of_stream || error == beast::error::timeout) return;
    write({400, "text/plain; charset=utf-8", "not a request that is understood here\n"}, false);
  }
  void answer() {
    const auto& request = parser_.get();
    const bool head = request.method() == http::verb::head;
    if (!head && request.method() != http::verb::get)
      return write({405, "text/plain; charset=utf-8", "GET and HEAD only\n"}, false);
    if (!is_address_or_localhost(host_of(view(request[http::field::host]))))
      return write({421, "text/plain; charset=utf-8", "ask by address or as localhost\n"}, head);
    const std::string_view target = view(request.target());
    write((*handler_)(target.substr(0, target.find('?'))), head);
  }
  void write(Page page, bool head) {
    response_.version(11);
    response_.result(static_cast<unsigned>(page.status));
    response_.keep_alive(false);
    response_.set(http::field::content_type, page.type);
    response_.set(http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    // The page has styles of its own and nothing else: no script, no frame, no other address.
    response_.set("Content-Security-Policy",
                  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    if (page.status == 405) response_.set(http::field::allow, "GET, HEAD");
    response_.body() = std::move(page.body);
    response_.prepare_payload();
    if (head) response_.body().clear();  // its length stays in the header
    stream_.expires_after(time_max);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code, std::size_t) {
      error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
      self->drain();
    });
  }
  /// What is unread when a socket closes would make the kernel reset the connection, and the answer
  /// with it.
  void drain() {
    rest_.resize(1024);
    stream_.async_read_some(asio::buffer(rest_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              self->drained_ += size;
                              if (!error && self->drained_ < 64 * 1024) self->drain();
                            });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{http_request_size_max};
  http::request_parser<http::empty_body> parser_;
  http::response<http::string_body> response_;
  std::shared_ptr<Handler> handler_;
  std::shared_ptr<void> ticket_;
  std::string rest_;
  std::size_t drained_ = 0;
};

class Server final : public HttpServer {
 public:
  struct Shared : std::enable_shared_from_this<Shared> {
    explicit Shared(Loop& loop) : acceptor(loop.impl().context), pause(loop.impl().context) {}
    void accept() {
      acceptor.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
        if (self->stopped) return;
        if (error) {
          self->pause.expires_after(std::chrono::milliseconds(200));
          return self->pause.async_wait([self](error_code) {
            if (!self->stopped) self->accept();
          });
        }
        if (*self->live < http_connections_max) {
          ++*self->live;
          std::shared_ptr<void> ticket(nullptr, [count = self->live](void*) { --*count; });
          std::make_shared<Exchanged>(std::move(socket), self->handler, std::move(ticket))->start();
        }
        self->accept();
      });
    }
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    std::shared_ptr<Exchanged::Handler> handler;
    std::shared_ptr<std::size_t> live = std::make_shared<std::size_t>(0);
    bool stopped = false;
  };
  explicit Server(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  ~Server() override {
    error_code ignored;
    shared_->stopped = true;
    shared_->acceptor.close(ignored);
    shared_->pause.cancel();
    // Answers under way must not ask for pages of an owner that goes.
    *shared_->handler = [](std::string_view) { return Page{503, "text/plain", "going down\n"}; };
  }
  std::uint16_t port() const override {
    error_code ignored;
    return shared_->acceptor.local_endpoint(ignored).port();
  }

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace

bool is_loopback(std::string_view address) {
  error_code error;
  const auto parsed = asio::ip::make_address(std::string(address), error);
  return !error && parsed.is_loopback();
}

tl::expected<std::unique_ptr<HttpServer>, std::string> listen_http(
    Loop& loop, const std::string& host, std::uint16_t port,
    std::function<Page(std::string_view path)> page) {
  auto shared = std::make_shared<Server::Shared>(loop);
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  const tcp::endpoint at(address, port);
  if (!error) shared->acceptor.open(at.protocol(), error);
  if (!error) shared->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) shared->acceptor.bind(at, error);
  if (!error) shared->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return tl::unexpected("listen on " + host + " port " + std::to_string(port) + ": " +
                          error.message());
  }
  shared->handler = std::make_shared<Exchanged::Handler>(std::move(page));
  shared->accept();
  return std::make_unique<Server>(std::move(shared));
}

}  // namespace ams::net
