// Calls: requests and answers between directory peers over simulated connections (sim_net). One
// connection of ours to each other, opened when somebody is asked, closed when it is idle, as the
// server's links are.
//
//   connecting --connected--> greeting --hello--> proving --open--> open --60 s idle--> gone
//   any state --reset, refused, timed out--> gone: whoever waits is told peer_unreachable
//
// Modelled: the session's two round trips are there, its keys and signatures are not; the messages
// are the real ones, in real frames. The scenarios of sim/world carry the real sessions.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "sim_engine/engine.h"
#include "sim_net/stack.h"
#include "wire/frame.h"
#include "wire/message.h"

namespace ams::sim {

inline constexpr std::uint32_t calls_kind_give_up = 0x300;  // a: token
inline constexpr std::uint32_t calls_kind_idle = 0x301;     // a: connection
inline constexpr Duration call_timeout = std::chrono::seconds{30};
inline constexpr Duration call_idle = std::chrono::seconds{60};

class Calls {
 public:
  struct Served {  // a request that arrived: to be given to answer() or reset()
    ConnId conn = 0;
    LpId from = 0;
    wire::Request request;
  };
  struct Outcome {
    std::uint64_t token = 0;
    LpId peer = 0;
    Result<wire::Value> value;
  };

  Calls(std::shared_ptr<const NetModel> model, std::uint64_t seed, LpId self)
      : net_(std::move(model), seed, self) {}

  /// One outcome with this token follows. Tokens are never used twice.
  void ask(LpId dst, std::uint64_t token, const std::string& op, const wire::Value& args,
           Context& context);
  void answer(ConnId conn, std::int64_t id, const Result<wire::Value>& outcome, Context& context);
  /// As a server that fails in the middle of a request: whoever asked on it learns at once.
  void reset(ConnId conn, Context& context);

  static bool owns(const Event& event) {
    return NetStack::owns(event) || event.kind == calls_kind_give_up ||
           event.kind == calls_kind_idle;
  }
  void handle(const Event& event, Context& context);
  std::optional<Served> poll_served();
  std::optional<Outcome> poll_outcome();

  /// Nobody is told anything; timers of before are void.
  void crash(Context& context);
  void restart() { net_.restart(); }
  bool up() const { return net_.up(); }
  const NetStats& stats() const { return net_.stats(); }

 private:
  struct Job {
    std::uint64_t token = 0;
    Bytes frame;
  };
  struct Link {
    ConnId conn = 0;
    bool open = false;
    std::deque<Job> queue;                        // until it is open
    std::map<std::int64_t, std::uint64_t> asked;  // id -> token
    Instant used{};
  };
  struct Conn {
    LpId peer = 0;
    bool ours = false;
    wire::FrameReader reader;
  };

  void connected(ConnId conn, Context& context);
  void gone(ConnId conn);
  void take(ConnId conn, ByteView bytes, Context& context);
  void take_message(ConnId conn, wire::Message message, Context& context);
  void say(ConnId conn, const std::string& event, Context& context);
  void flush(Link& link, Context& context);
  void give_up(std::uint64_t token);
  void idle(ConnId conn, Context& context);
  void fail_asked(LpId peer, std::uint64_t token);

  NetStack net_;
  std::map<LpId, Link> links_;
  std::map<ConnId, Conn> conns_;
  std::map<std::uint64_t, LpId> waiting_;  // token -> whom it was asked
  std::int64_t next_id_ = 1;
  std::deque<Served> served_;
  std::deque<Outcome> outcomes_;
};

}  // namespace ams::sim
