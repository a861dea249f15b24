// HttpsServer: gives a key store's answers over HTTPS to those with a certificate of its authority
// (spec KST-37). Who may do what, the store decides; the certificate only keeps strangers out.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "base/bytes.h"
#include "base/instant.h"
#include "net/loop.h"

namespace ams::keystore_net {

struct HttpsServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  std::string ca_file, certificate_file, key_file;
  Duration deadline = std::chrono::seconds{10};  // of a connection, from accept to its end
  std::size_t connections_max = 256;             // more are closed without an answer
};

class HttpsServer {
 public:
  /// `answer` is called on the loop with a body of at most KST-2's size.
  static tl::expected<std::unique_ptr<HttpsServer>, std::string> listen(
      net::Loop& loop, const HttpsServerOptions& options,
      std::function<Bytes(ByteView request)> answer);
  ~HttpsServer();
  std::uint16_t port() const;

 private:
  struct Impl;
  explicit HttpsServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace ams::keystore_net
