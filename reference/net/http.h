// A very small HTTP/1.1 server for pages that an operator looks at on the machine itself: GET and
// HEAD, one answer a connection. It is for loopback: anyone who reaches the port may read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "net/loop.h"

namespace ams::net {

inline constexpr std::size_t http_request_size_max = 8'192;  // bytes of line and headers
inline constexpr std::size_t http_connections_max = 32;      // more are closed without an answer

struct Page {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

/// Serves until destroyed.
class HttpServer {
 public:
  virtual ~HttpServer() = default;
  virtual std::uint16_t port() const = 0;
};

/// 127.0.0.0/8 or ::1, as text.
bool is_loopback(std::string_view address);

/// `port` 0: any free one. `page` is given the path without its query and called from the loop's
/// thread. Requests whose Host is no address and not "localhost" are refused with 421: a foreign
/// web page must not read this one through a name of its own. The error names host and port.
tl::expected<std::unique_ptr<HttpServer>, std::string> listen_http(
    Loop& loop, const std::string& host, std::uint16_t port,
    std::function<Page(std::string_view path)> page);

}  // namespace ams::net
