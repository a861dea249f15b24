// Connections inside one domain: a client machine and its own server, or two processes of a host.
// Reliable, in order, fixed latency, which may be zero since nothing leaves the logical process.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/bytes.h"
#include "sim_engine/engine.h"
#include "sim_net/stack.h"

namespace ams::sim {

using PipeId = std::uint64_t;  // per LocalPipes, never used twice

/// Which end: `opener` called open(), `listener` is told by PipeOpened.
enum class PipeEnd : std::uint8_t { opener = 0, listener = 1 };

struct LocalPipeOptions {
  Duration latency = std::chrono::microseconds{200};  // >= 0
  /// Faults: a segment lost this often arrives `retransmit_after` later, and holds up the rest.
  std::uint32_t loss_ppm = 0;
  Duration retransmit_after = std::chrono::milliseconds{200};
};

enum class PipeEventType : std::uint8_t { opened, data, closed, broken };

/// Something one end sees. `opened` comes to both, to the opener one round trip after open().
struct PipeEvent {
  PipeEventType type;
  PipeId pipe;
  PipeEnd at;
  std::uint64_t tag;   // what open() was given, e.g. the number of the client machine
  Payload bytes = {};  // data only
};

/// All pipes of one logical process. One owner; not shared.
class LocalPipes {
 public:
  /// `owner`: the LP that this lives in; with `seed` it keys the draws.
  LocalPipes(LocalPipeOptions options, std::uint64_t seed, LpId owner);

  PipeId open(std::uint64_t tag, Context& context);
  /// False, and nothing sent: unknown, or (opener) not yet opened.
  bool send(PipeId pipe, PipeEnd from, Bytes bytes, Context& context);
  /// The other end sees `closed` after all data; this end sees nothing more.
  void close(PipeId pipe, PipeEnd from, Context& context);
  /// Cuts a pipe, e.g. when one of the machines crashes: what is in flight is lost; both ends that
  /// still live see `broken` one latency later (a listener perhaps for a pipe it never saw opened).
  /// `dead` sees nothing.
  void cut(PipeId pipe, std::optional<PipeEnd> dead, Context& context);
  /// The server or the whole site crashes: every pipe is cut; the listener ends see nothing.
  void crash_listener(Context& context);

  static bool owns(const Event& event) { return event.kind == net_kind_local; }
  std::optional<PipeEvent> handle(const Event& event, Context& context);

  Hash exporter(PipeId pipe) const;
  std::size_t pipe_count() const { return pipes_.size(); }

 private:
  struct Pipe {
    std::uint64_t tag = 0;
    bool opened = false;              // the opener knows
    bool closed[2] = {false, false};  // this end wants and gets nothing more
    Instant last_arrival[2] = {};     // at that end
    std::uint64_t sent[2] = {0, 0};   // segments by that end
  };
  void emit(PipeId id, Pipe& pipe, PipeEnd from, std::uint8_t op, Payload bytes, Context& context);

  LocalPipeOptions options_;
  std::uint64_t seed_;
  LpId owner_;
  PipeId next_ = 1;
  std::map<PipeId, Pipe> pipes_;
};

}  // namespace ams::sim
