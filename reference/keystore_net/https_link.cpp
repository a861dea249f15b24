#include "keystore_net/https_link.h"

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

struct Site {
  std::string host;
  std::string port = "443";
};

tl::expected<Site, std::string> parse_url(const std::string& url) {
  constexpr std::string_view scheme = "https://";
  const auto bad = [&] {
    return tl::unexpected(url + ": expected https://host or https://host:port");
  };
  if (!url.starts_with(scheme)) return bad();
  Site out;
  out.host = url.substr(scheme.size());
  if (out.host.ends_with('/')) out.host.pop_back();
  if (const auto colon = out.host.rfind(':'); colon != std::string::npos) {
    out.port = out.host.substr(colon + 1);
    out.host.resize(colon);
  }
  const bool digits = !out.port.empty() && out.port.size() <= 5 &&
                      out.port.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || out.host.empty() || out.host.find_first_of("/?#@") != std::string::npos)
    return bad();
  return out;
}

/// One question on its way; keeps itself alive until it is answered, one way or another.
class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(asio::io_context& context, asio::ssl::context& tls, const Site& site, Bytes request,
       std::function<void(Result<Bytes>)> done)
      : site_(site),
        resolver_(context),
        stream_(context, tls),
        deadline_(context),
        done_(std::move(done)) {
    request_.method(http::verb::post);
    request_.target(std::string(https_path));
    request_.version(11);
    request_.set(http::field::host, site.host);
    request_.set(http::field::content_type, std::string(https_type));
    request_.set(http::field::connection, "close");
    request_.body() = std::move(request);
    request_.prepare_payload();
    parser_.body_limit(keystore::message_size_max);
  }

  void start(Duration deadline) {
    deadline_.expires_after(deadline);
    deadline_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->finish(fail(Code::keystore_timeout, "key store"));
    });
    const std::string& host = site_.host;
    stream_.set_verify_callback(asio::ssl::host_name_verification(host));
    error_code no_literal;
    asio::ip::make_address(host, no_literal);
    if (no_literal) SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str());
    resolver_.async_resolve(
        host, site_.port, [self = shared_from_this()](error_code error, auto found) {
          if (error) return self->unreachable();
          asio::async_connect(self->stream_.next_layer(), found,
                              [self](error_code failed, const auto&) { self->connected(failed); });
        });
  }

  /// Nobody waits for it any more.
  void drop() {
    done_ = nullptr;
    end();
  }

 private:
  void connected(error_code error) {
    if (error) return unreachable();
    stream_.async_handshake(Stream::client, [self = shared_from_this()](error_code failed) {
      if (failed) return self->unreachable();
      http::async_write(self->stream_, self->request_, [self](error_code unsent, std::size_t) {
        if (unsent) return self->unreachable();
        self->read();
      });
    });
  }
  void read() {
    http::async_read(
        stream_, buffer_, parser_,
        [self = shared_from_this()](error_code error, auto) { self->answered(error); });
  }
  void answered(error_code error) {
    // A peer may end TLS without a farewell; whether the answer is whole, its length says.
    if (error && error.category() == http::make_error_code(http::error::bad_method).category())
      return finish(fail(Code::keystore_answer, "HTTP"));
    if (error) return unreachable();
    const auto status = parser_.get().result_int();
    if (status == 429 || status == 503) return unreachable();
    if (status != 200) return finish(fail(Code::keystore_answer, "HTTP status"));
    finish(std::move(parser_.get().body()));
  }
  void unreachable() { finish(fail(Code::keystore_unreachable, "key store")); }

  void finish(Result<Bytes> outcome) {
    auto done = std::exchange(done_, nullptr);
    end();
    if (done) done(std::move(outcome));
  }
  void end() {
    error_code ignored;
    deadline_.cancel(ignored);
    resolver_.cancel();
    stream_.next_layer().close(ignored);
    crypto::wipe(request_.body().data(), request_.body().size());
  }

  Site site_;
  asio::ip::tcp::resolver resolver_;
  Stream stream_;
  asio::steady_timer deadline_;
  std::function<void(Result<Bytes>)> done_;
  http::request<http::vector_body<std::uint8_t>> request_;
  http::response_parser<http::vector_body<std::uint8_t>> parser_;
  boost::beast::flat_buffer buffer_{keystore::message_size_max};
};

}  // namespace

struct HttpsLink::Impl {
  Impl(net::Loop& l, Site s, Duration d, asio::ssl::context t)
      : loop(l), site(std::move(s)), deadline(d), tls(std::move(t)) {}
  net::Loop& loop;
  Site site;
  Duration deadline;
  asio::ssl::context tls;
  std::vector<std::weak_ptr<Call>> calls;
};

HttpsLink::HttpsLink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpsLink::~HttpsLink() {
  for (const auto& each : impl_->calls)
    if (const auto call = each.lock()) call->drop();
}

tl::expected<std::unique_ptr<HttpsLink>, std::string> HttpsLink::make(net::Loop& loop,
                                                                      HttpsOptions options) {
  const auto site = parse_url(options.url);
  if (!site) return tl::unexpected(site.error());
  auto tls = mutual_tls({false, options.ca_file, options.certificate_file, options.key_file});
  if (!tls) return tl::unexpected(tls.error());
  return std::unique_ptr<HttpsLink>(
      new HttpsLink(std::make_unique<Impl>(loop, *site, options.deadline, std::move(*tls))));
}

void HttpsLink::ask(Bytes request, std::function<void(Result<Bytes>)> done) {
  std::erase_if(impl_->calls, [](const auto& each) { return each.expired(); });
  const auto call = std::make_shared<Call>(impl_->loop.impl().context, impl_->tls, impl_->site,
                                           std::move(request), std::move(done));
  impl_->calls.push_back(call);
  call->start(impl_->deadline);
}

}  // namespace ams::keystore_net
