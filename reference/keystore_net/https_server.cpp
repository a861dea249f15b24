#include "keystore_net/https_server.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "keystore/messages.h"
#include "keystore_net/https.h"
#include "net/asio.h"

namespace ams::keystore_net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Stream = asio::ssl::stream<asio::ip::tcp::socket>;

}  // namespace

struct HttpsServer::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& context, asio::ssl::context t, HttpsServerOptions o,
       std::function<Bytes(ByteView)> a)
      : acceptor(context), tls(std::move(t)), options(std::move(o)), answer(std::move(a)) {}

  class Visit;
  void accept();

  asio::ip::tcp::acceptor acceptor;
  asio::ssl::context tls;
  HttpsServerOptions options;
  std::function<Bytes(ByteView)> answer;
  std::size_t visits = 0;
  bool closed = false;
};

/// One connection: handshake, one request, one response.
class HttpsServer::Impl::Visit : public std::enable_shared_from_this<Visit> {
 public:
  Visit(std::shared_ptr<Impl> house, asio::ip::tcp::socket socket)
      : house_(std::move(house)),
        stream_(std::move(socket), house_->tls),
        deadline_(house_->acceptor.get_executor()) {
    ++house_->visits;
    parser_.body_limit(keystore::message_size_max);
  }
  ~Visit() { --house_->visits; }

  void start() {
    deadline_.expires_after(house_->options.deadline);
    deadline_.async_wait([self = shared_from_this()](error_code error) {
      error_code ignored;
      if (!error) self->stream_.next_layer().close(ignored);
    });
    stream_.async_handshake(Stream::server, [self = shared_from_this()](error_code error) {
      if (error) return self->end();
      http::async_read(self->stream_, self->buffer_, self->parser_,
                       [self](error_code failed, auto) { self->respond(failed); });
    });
  }

 private:
  http::status judge(error_code error) const {
    if (error == http::error::body_limit) return http::status::payload_too_large;
    if (error) return http::status::bad_request;
    const auto& request = parser_.get();
    if (request.target() != boost::beast::string_view(https_path.data(), https_path.size()))
      return http::status::not_found;
    if (request.method() != http::verb::post) return http::status::method_not_allowed;
    return http::status::ok;
  }
  void respond(error_code error) {
    if (house_->closed) return end();
    const http::status status = judge(error);
    response_.result(status);
    response_.version(11);
    response_.set(http::field::connection, "close");
    if (status == http::status::ok) {
      response_.set(http::field::content_type, std::string(https_type));
      response_.body() = house_->answer(parser_.get().body());
    }
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](error_code failed, auto) {
      crypto::wipe(self->response_.body().data(), self->response_.body().size());
      if (failed) return self->end();
      self->stream_.async_shutdown([self](error_code) { self->end(); });
    });
  }
  void end() {
    error_code ignored;
    deadline_.cancel(ignored);
    stream_.next_layer().close(ignored);
  }

  std::shared_ptr<Impl> house_;
  Stream stream_;
  asio::steady_timer deadline_;
  boost::beast::flat_buffer buffer_{keystore::message_size_max + 16'384};
  http::request_parser<http::vector_body<std::uint8_t>> parser_;
  http::response<http::vector_body<std::uint8_t>> response_;
};

void HttpsServer::Impl::accept() {
  acceptor.async_accept(
      [self = shared_from_this()](error_code error, asio::ip::tcp::socket socket) {
        if (self->closed) return;
        if (!error && self->visits < self->options.connections_max)
          std::make_shared<Visit>(self, std::move(socket))->start();
        self->accept();
      });
}

HttpsServer::HttpsServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpsServer::~HttpsServer() {
  impl_->closed = true;
  error_code ignored;
  impl_->acceptor.close(ignored);
}
std::uint16_t HttpsServer::port() const { return impl_->acceptor.local_endpoint().port(); }

tl::expected<std::unique_ptr<HttpsServer>, std::string> HttpsServer::listen(
    net::Loop& loop, const HttpsServerOptions& options, std::function<Bytes(ByteView)> answer) {
  auto tls = mutual_tls({true, options.ca_file, options.certificate_file, options.key_file});
  if (!tls) return tl::unexpected(tls.error());
  const std::string where = options.host + ":" + std::to_string(options.port);
  error_code error;
  const auto address = asio::ip::make_address(options.host, error);
  if (error) return tl::unexpected(where + ": expected an IP address to listen on");
  auto impl =
      std::make_shared<Impl>(loop.impl().context, std::move(*tls), options, std::move(answer));
  const asio::ip::tcp::endpoint endpoint(address, options.port);
  impl->acceptor.open(endpoint.protocol(), error);
  if (!error) impl->acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) impl->acceptor.bind(endpoint, error);
  if (!error) impl->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return tl::unexpected(where + ": " + error.message());
  impl->accept();
  return std::unique_ptr<HttpsServer>(new HttpsServer(std::move(impl)));
}

}  // namespace ams::keystore_net
