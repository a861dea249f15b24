// Machine: what server, client and directory peer have in common towards whoever drives them
// (net/ over sockets, sim/ in virtual time).
//
// Inputs are handle_*; outputs are poll(), oldest first: perform them in order, drop none. Not
// thread-safe: one owner. No call blocks, reads a clock, draws entropy or touches a file; reads of
// storage go through the port given at construction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "keys/records.h"
#include "storage/storage.h"

namespace ams::machine {

using ConnId = std::uint64_t;   // a connection; chosen by the driver, never reused
using Token = std::uint64_t;    // an attempt to connect; chosen by the machine, never reused
using BatchId = std::uint64_t;  // a write batch; chosen by the machine, ascending

// --- effects ----------------------------------------------------------------------------
/// Queue these bytes on the connection, in order. Ignore when it is gone.
struct Send {
  ConnId conn;
  Bytes bytes;
};
/// Close after what was queued has gone out. No handle_closed follows.
struct CloseConn {
  ConnId conn;
};
/// Connect to the server of `domain`, TLS verified; answer with handle_connected or
/// handle_connect_failed for this token.
struct Connect {
  Token token;
  std::string domain;
};
/// Discover a domain (DOM-2); answer with handle_resolved.
struct Resolve {
  std::string domain;
  bool doubted = false;  // what was known of it led to nobody: ask anew (DOM-12)
};
/// Apply at once, in order with other effects (reads see it); make it durable soon, with others;
/// answer with handle_durable. Nothing is acknowledged to anyone before.
struct Commit {
  BatchId batch;
  storage::WriteBatch writes;
};
/// For the operator. Addresses are hashed and contents never appear; `what` names the event.
struct Log {
  enum class Level : std::uint8_t { debug, info, warning, error } level;
  std::string what;
};
using Effect = std::variant<Send, CloseConn, Connect, Resolve, Commit, Log>;

// --- inputs -----------------------------------------------------------------------------
class Machine {
 public:
  virtual ~Machine() = default;
  /// A peer connected to us. `exporter`: 32 bytes of the TLS exporter, equal on both ends.
  virtual void handle_accepted(ConnId conn, const Hash& exporter, Instant now) = 0;
  virtual void handle_connected(Token token, ConnId conn, const Hash& exporter, Instant now) = 0;
  virtual void handle_connect_failed(Token token, Instant now) = 0;
  /// Where the next handle_connected's connection leads: 4 bytes of IPv4 or 16 of IPv6. A driver
  /// that knows says so before it; who looks at no addresses ignores it.
  virtual void handle_address(Token, ByteView) {}
  /// Empty: the domain cannot be discovered now.
  virtual void handle_resolved(const std::string& domain,
                               const std::optional<keys::Discovery>& found, Instant now) = 0;
  virtual void handle_bytes(ConnId conn, ByteView bytes, Instant now) = 0;
  /// The connection is gone; nothing else comes from it.
  virtual void handle_closed(ConnId conn, Instant now) = 0;
  /// Every Commit gets exactly one. On failure nothing of the batch remains (STO-2).
  virtual void handle_durable(BatchId batch, const Result<>& outcome, Instant now) = 0;
  /// Early or repeated calls are harmless.
  virtual void handle_timeout(Instant now) = 0;

  virtual std::optional<Effect> poll() = 0;
  /// When it wants handle_timeout at the latest.
  virtual std::optional<Instant> timeout() const = 0;
};

}  // namespace ams::machine
