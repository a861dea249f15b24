#include "net/dial.h"

#include <algorithm>
#include <utility>

namespace ams::net {
namespace {

struct Dialling : std::enable_shared_from_this<Dialling> {
  Dialling(Loop& l, TlsContext t, std::vector<Endpoint> s, const ConnectionOptions& o, Dns* d)
      : loop(l), tls(std::move(t)), servers(std::move(s)), options(o), dns(d) {
    const Duration share = dial_time_max / static_cast<std::int64_t>(servers.size());
    options.handshake_timeout = std::min(options.handshake_timeout, share);
  }

  void next() {
    const Endpoint& server = servers[at];
    if (dns == nullptr || !server.addresses.empty()) return connect();
    // Weak: only the question keeps us, and it ends with `dns`.
    timer = loop.call_after(options.handshake_timeout, [weak = weak_from_this(), now = at] {
      const auto self = weak.lock();
      if (self && self->at == now) self->fail("its address did not come in time");
    });
    dns->addresses(server.host, [self = shared_from_this(), now = at](auto found) {
      if (self->at != now) return;  // given up by the timer
      self->timer = {};
      if (!found) return self->fail(found.error());
      self->servers[now].addresses = std::move(*found);
      self->connect();
    });
  }
  void connect() {
    net::connect(loop, tls, servers[at], options, [self = shared_from_this()](auto result) {
      if (!result) return self->fail(result.error());
      self->done(std::move(result));
    });
  }
  void fail(const std::string& why) {
    reason = servers[at].host + " port " + std::to_string(servers[at].port) + ": " + why;
    timer = {};
    if (++at < servers.size()) return next();
    done(tl::unexpected(std::move(reason)));
  }

  Loop& loop;
  TlsContext tls;
  std::vector<Endpoint> servers;
  ConnectionOptions options;
  Dns* dns;
  std::size_t at = 0;
  Timer timer;
  std::string reason;
  std::function<void(tl::expected<ConnectionPtr, std::string>)> done;
};

}  // namespace

void dial(Loop& loop, const TlsContext& tls, std::vector<Endpoint> servers,
          const ConnectionOptions& options, Dns* dns,
          std::function<void(tl::expected<ConnectionPtr, std::string>)> done) {
  auto dialling = std::make_shared<Dialling>(loop, tls, std::move(servers), options, dns);
  dialling->done = std::move(done);
  dialling->next();
}

}  // namespace ams::net
