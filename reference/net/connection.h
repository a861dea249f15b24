// Connections: TLS over TCP, bytes in and bytes out. They know nothing of frames or operations.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "net/loop.h"
#include "net/tls.h"

namespace ams::net {

struct ConnectionOptions {
  Duration handshake_timeout = std::chrono::seconds(10);  // TCP and TLS together
  Duration write_timeout = std::chrono::seconds(30);      // without a byte of progress
  Duration close_timeout = std::chrono::seconds(3);       // from close() to the socket's end
  std::size_t write_queue_max = std::size_t{8} << 20;     // bytes waiting for a slow reader
};

/// An established connection. Lives on its loop's thread; the loop keeps it while it is busy.
///   open --close()--> flushing --written, peer's close_notify or timeout--> closed
///   open --peer, error, slow reader, abort()--> closed
class Connection {
 public:
  virtual ~Connection() = default;
  /// Starts reading. `on_bytes`'s view is valid during the call only. `on_closed` comes once when
  /// the connection ends by itself, with the reason for the log; never after close() or abort().
  virtual void start(std::function<void(ByteView)> on_bytes,
                     std::function<void(std::string_view reason)> on_closed) = 0;
  /// Queues. A queue above write_queue_max ends the connection: its reader is too slow.
  virtual void send(Bytes bytes) = 0;
  /// Sends what is queued, then ends the connection; nothing is reported any more.
  virtual void close() = 0;
  /// Ends it now; nothing is reported any more.
  virtual void abort() = 0;
  /// The TLS exporter that authentication signs (spec SES-4).
  virtual const Hash& exporter() const = 0;
  virtual std::size_t queued_bytes() const = 0;
  virtual std::string peer() const = 0;           // address:port, for the log
  virtual const Bytes& peer_address() const = 0;  // 4 bytes of IPv4 or 16 of IPv6; empty: unknown
};
using ConnectionPtr = std::shared_ptr<Connection>;

struct ListenerOptions {
  ConnectionOptions connection;
  std::size_t connections_max =
      4096;  // a hard stop for strangers; more are closed without an answer
};

/// Accepts until destroyed; connections that it accepted live on.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual std::uint16_t port() const = 0;
};

/// `port` 0: any free one. `on_refused` hears of handshakes that failed. The error names host and
/// port.
tl::expected<std::unique_ptr<Listener>, std::string> listen(
    Loop& loop, const TlsContext& tls, const std::string& host, std::uint16_t port,
    ListenerOptions options, std::function<void(ConnectionPtr)> on_accepted,
    std::function<void(std::string_view reason)> on_refused);

/// Calls `done` once, with a connection that is verified but not yet started, or the reason.
void connect(Loop& loop, const TlsContext& tls, const Endpoint& to,
             const ConnectionOptions& options,
             std::function<void(tl::expected<ConnectionPtr, std::string>)> done);

}  // namespace ams::net
