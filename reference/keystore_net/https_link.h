// HttpsLink: a key store elsewhere, over HTTPS with certificates on both sides (spec KST-37). One
// connection a question; silence ends at the deadline.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "keystore_net/link.h"
#include "net/loop.h"

namespace ams::keystore_net {

struct HttpsOptions {
  std::string url;               // https://host[:port]; the path is KST-37's
  std::string ca_file;           // PEM, authorities of the store's certificate; empty: the system's
  std::string certificate_file;  // PEM, ours and its chain
  std::string key_file;          // PEM
  Duration deadline = std::chrono::seconds{10};
};

class HttpsLink final : public Link {
 public:
  /// Reads the files. Errors are one line for the user.
  static tl::expected<std::unique_ptr<HttpsLink>, std::string> make(net::Loop& loop,
                                                                    HttpsOptions options);
  ~HttpsLink() override;
  void ask(Bytes request, std::function<void(Result<Bytes>)> done) override;

 private:
  struct Impl;
  explicit HttpsLink(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ams::keystore_net
