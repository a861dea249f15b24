// One domain's end of the simulated internet: connections that behave as TLS 1.3 over TCP does to
// the application: reliable, in order, authenticated bytes, until a reset.
//
// The sender of a segment works out at once when each attempt leaves, which are lost, and when the
// first survivor arrives: faults are data known in advance (model.h), so the whole life of a
// segment is one event, and every draw is keyed by (seed, connection, direction, segment, attempt).
//
//   connect -> connecting --accept--> established --close--> closing --peer saw it--> gone
//                  | refused, timeout      | reset, timeout, peer vanished, close by peer
//                  +-------------------> gone (NetClosed; the id is never used again)
//
// What happens when a machine fails: its connections are gone at once. A peer that sends learns by
// a reset one round trip later; one that is silent, after keepalive_timeout. Bytes that a sender
// had accepted may or may not have arrived: as with TCP, only an answer from the application tells.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "sim_engine/engine.h"
#include "sim_net/model.h"

namespace ams::sim {

/// Initiator in the high half, its own count in the low: the same number at both ends.
using ConnId = std::uint64_t;

/// Event kinds of this room. Give faults lower numbers and application timers higher ones.
inline constexpr std::uint32_t net_kind_arrival = 0x100;
inline constexpr std::uint32_t net_kind_timer = 0x101;
inline constexpr std::uint32_t net_kind_local = 0x102;  // local_pipe.h

enum class CloseReason : std::uint8_t {
  by_peer,    // orderly: everything the peer sent before has been delivered
  refused,    // connect: no process there
  timed_out,  // connect without an answer, or retransmissions given up
  reset,      // the peer lost or aborted the connection
  vanished,   // keepalive unanswered
};

struct NetConnected {
  ConnId conn;
  LpId peer;
  Hash exporter;  // the same 32 bytes at both ends, as a TLS exporter gives
};
struct NetAccepted {
  ConnId conn;
  LpId peer;
  std::uint32_t service;  // what connect() asked for
  Hash exporter;
};
struct NetData {
  ConnId conn;
  Payload bytes;  // never empty; boundaries mean nothing
};
struct NetClosed {
  ConnId conn;
  CloseReason reason;
};
using NetEvent = std::variant<NetConnected, NetAccepted, NetData, NetClosed>;

/// Totals of one stack since the start. Segments count at their sender, drops at the receiver.
struct NetStats {
  std::uint64_t connects = 0;
  std::uint64_t accepts = 0;
  std::uint64_t segments = 0;       // attempts, retransmissions included
  std::uint64_t bytes = 0;          // on the wire: attempts with overhead
  std::uint64_t payload_bytes = 0;  // delivered to the application here
  std::uint64_t lost = 0;           // attempts that never arrive, by loss or partition
  std::uint64_t retransmitted = 0;
  std::uint64_t duplicated = 0;          // by the network
  std::uint64_t duplicates_dropped = 0;  // recognised here by their number
  std::uint64_t refused = 0;             // own connects
  std::uint64_t resets = 0;              // connections that ended other than by close
  NetStats& operator+=(const NetStats& other);
  friend bool operator==(const NetStats&, const NetStats&) = default;
};

enum class CrashKind : std::uint8_t {
  process,  // the host still answers: refusals and resets
  machine,  // silence: timeouts
};

/// Lives inside one Process; one owner, not shared. While its node is down, keep passing events to
/// handle(): the host's kernel still answers for the dead process.
class NetStack {
 public:
  /// `self` must be the id of both the engine's process and the model's node.
  NetStack(std::shared_ptr<const NetModel> model, std::uint64_t seed, LpId self);

  /// The outcome arrives later as NetConnected or NetClosed. Asserts dst != self (local_pipe.h is
  /// for that) and that the node is up.
  ConnId connect(LpId dst, std::uint32_t service, Context& context);
  /// Queues bytes behind those already sent. False, and nothing sent: not (or no longer)
  /// established. O(size / segment_size_max); bytes of at most one segment are not copied.
  bool send(ConnId conn, Bytes bytes, Context& context);
  /// Orderly end after what was sent; nothing more is reported. Unknown ids are ignored.
  void close(ConnId conn, Context& context);
  /// Reset: what is in flight may be lost; nothing more is reported. Unknown ids are ignored.
  void abort(ConnId conn, Context& context);

  /// Precondition: owns(event). At most one thing becomes visible per event.
  std::optional<NetEvent> handle(const Event& event, Context& context);
  static bool owns(const Event& event) {
    return event.kind == net_kind_arrival || event.kind == net_kind_timer;
  }

  /// All connections are gone without any NetClosed. restart() makes the node reachable again.
  void crash(CrashKind kind, Context& context);
  void restart();
  bool up() const { return up_; }
  /// Whether new connections are accepted (default) or refused.
  void set_listening(bool listening) { listening_ = listening; }

  bool established(ConnId conn) const;
  std::size_t connection_count() const { return conns_.size(); }
  const NetStats& stats() const { return stats_; }
  Hash exporter(ConnId conn) const;

 private:
  enum class State : std::uint8_t { connecting, established, closing };
  struct Conn {
    LpId peer = 0;
    State state = State::connecting;
    bool hole = false;  // a segment was given up: nothing after it can be delivered
    bool reset_due = false;
    std::uint64_t send_next = 0;     // number of the next segment out
    std::uint64_t receive_next = 1;  // number of the next segment in; 0 is the handshake
    Instant last_arrival{};          // at the peer, of what was sent so far
    std::optional<Instant> gone_at;  // the peer vanished then; later transmissions never happened
  };
  using Conns = std::map<ConnId, Conn>;
  struct Flight;

  Flight fly(ConnId id, const Conn& conn, std::uint64_t segment, std::uint64_t wire_bytes,
             Instant now);
  void emit(ConnId id, Conn& conn, std::uint8_t op, Payload bytes, std::uint64_t word,
            Duration extra, Context& context);
  void send_reset(ConnId id, LpId peer, std::uint8_t op, Context& context);
  void send_gone(ConnId id, LpId peer, Context& context);
  std::optional<NetEvent> finish(Conns::iterator conn, CloseReason reason);

  std::optional<NetEvent> handle_open(const Event& event, Context& context);
  std::optional<NetEvent> handle_accept(const Event& event, Context& context);
  std::optional<NetEvent> handle_segment(const Event& event, Context& context);
  std::optional<NetEvent> handle_notice(const Event& event, Context& context);
  std::optional<NetEvent> handle_timer(const Event& event, Context& context);

  std::shared_ptr<const NetModel> model_;
  std::uint64_t seed_;
  LpId self_;
  bool up_ = true;
  bool silent_ = false;
  bool listening_ = true;
  std::uint32_t next_conn_ = 1;  // survives crashes: ids are never used twice
  Instant uplink_free_{};
  Conns conns_;  // ordered: a crash visits them in order of id
  NetStats stats_;
};

}  // namespace ams::sim
