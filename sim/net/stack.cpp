#include "sim_net/stack.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sim_engine/random.h"

namespace ams::sim {
namespace {

enum Op : std::uint8_t {
  op_open,    // c: service
  op_accept,  // data, fin and accept carry in c when the attempt that arrives was transmitted
  op_data,
  op_fin,
  op_refuse,
  op_fin_seen,
  op_reset,
  op_gone,  // not a packet: the simulator's knowledge of what keepalive will find out. c: when
  timer_connect,
  timer_give_up,
  timer_vanished,
};
constexpr std::uint64_t duplicate_flag = 0x80;

// Purposes of draws, + direction. Fixed numbers: seeds are recorded.
enum NetPurpose : std::uint32_t {
  draw_loss = 0x100,
  draw_acknowledgement = 0x102,
  draw_jitter = 0x104,
  draw_duplicate = 0x106,
  draw_duplicate_delay = 0x108,
  draw_notice = 0x10a,
  draw_exporter = 0x10c,
};

LpId initiator(ConnId id) { return static_cast<LpId>(id >> 32); }

std::uint64_t pack(Op op, std::uint64_t segment) { return segment << 8 | op; }
Op op_of(const Event& event) { return static_cast<Op>(event.b & 0x7f); }

std::uint64_t to_word(Instant t) {
  return static_cast<std::uint64_t>(t.time_since_epoch().count());
}
Instant from_word(std::uint64_t word) { return Instant{Duration{static_cast<std::int64_t>(word)}}; }

}  // namespace

NetStats& NetStats::operator+=(const NetStats& other) {
  connects += other.connects;
  accepts += other.accepts;
  segments += other.segments;
  bytes += other.bytes;
  payload_bytes += other.payload_bytes;
  lost += other.lost;
  retransmitted += other.retransmitted;
  duplicated += other.duplicated;
  duplicates_dropped += other.duplicates_dropped;
  refused += other.refused;
  resets += other.resets;
  return *this;
}

NetStack::NetStack(std::shared_ptr<const NetModel> model, std::uint64_t seed, LpId self)
    : model_(std::move(model)), seed_(seed), self_(self) {
  AMS_ASSERT(self_ < model_->node_count());
  AMS_ASSERT(model_->options().attempts_max > 0 && model_->options().attempts_max < 256);
}

// ---- sending ------------------------------------------------------------------------------------

// The fate of one segment, worked out when it is sent.
struct NetStack::Flight {
  std::optional<Instant> arrives;   // first copy that gets through
  Instant transmitted{};            // when the attempt left that becomes this copy
  std::optional<Instant> given_up;  // no acknowledgement came back: the sender resets then
  std::vector<Instant> duplicates;  // arrivals of further copies
};

NetStack::Flight NetStack::fly(ConnId id, const Conn& conn, std::uint64_t segment,
                               std::uint64_t wire_bytes, Instant now) {
  const NetOptions& options = model_->options();
  const std::uint32_t side = initiator(id) == self_ ? 0 : 1;
  const auto stream = [&](std::uint32_t purpose) {
    return RandomStream(seed_, id, purpose + side);
  };
  const std::uint64_t uplink = model_->node(self_).uplink_bytes_per_s;
  const Duration serialisation{
      uplink == 0 ? 0 : static_cast<std::int64_t>(wire_bytes * 1'000'000'000 / uplink)};
  const Instant start = std::max(now, uplink_free_);
  uplink_free_ = start + serialisation;

  Flight flight;
  Duration waited{0};
  Duration rto{0};
  for (std::uint64_t attempt = 0;; ++attempt) {
    const std::uint64_t draw = segment << 8 | attempt;
    const Instant at = start + waited;
    const LinkState out = model_->link(self_, conn.peer, at);
    ++stats_.segments;
    stats_.bytes += wire_bytes;
    if (attempt > 0) ++stats_.retransmitted;
    if (attempt == 0) rto = std::max(options.rto_min, 4 * out.latency);
    if (out.blocked || (out.loss_ppm > 0 && stream(draw_loss).bernoulli_ppm(draw, out.loss_ppm))) {
      ++stats_.lost;
    } else {
      Instant arrival = at + serialisation + out.latency;
      if (out.jitter_mean.count() > 0) {
        arrival += stream(draw_jitter).exponential(draw, out.jitter_mean);
      }
      if (flight.arrives) {
        flight.duplicates.push_back(arrival);
      } else {
        flight.arrives = arrival;
        flight.transmitted = at;
      }
      if (out.duplicate_ppm > 0 && stream(draw_duplicate).bernoulli_ppm(draw, out.duplicate_ppm)) {
        ++stats_.duplicated;
        const RandomStream delays = stream(draw_duplicate_delay);
        flight.duplicates.push_back(arrival + delays.uniform(draw, Duration{0}, out.latency));
      }
      const LinkState back = model_->link(conn.peer, self_, arrival);
      const bool unheard =
          back.blocked ||
          (back.loss_ppm > 0 && stream(draw_acknowledgement).bernoulli_ppm(draw, back.loss_ppm));
      if (!unheard) return flight;
    }
    waited += rto;
    rto = std::min(2 * rto, std::max(rto, options.rto_max));
    if (attempt + 1 == options.attempts_max || waited >= options.retransmit_timeout) {
      flight.given_up = start + std::min(waited, options.retransmit_timeout);
      return flight;
    }
  }
}

void NetStack::emit(ConnId id, Conn& conn, std::uint8_t op, Payload bytes, std::uint64_t word,
                    Duration extra, Context& context) {
  if (conn.hole) return;
  const std::uint64_t segment = conn.send_next++;
  const std::uint64_t wire_bytes = bytes.size() + model_->options().segment_overhead;
  const Flight flight = fly(id, conn, segment, wire_bytes, context.now());
  if (flight.given_up && !conn.reset_due) {
    conn.reset_due = true;
    context.schedule(*flight.given_up - context.now(),
                     Message{.kind = net_kind_timer, .a = id, .b = timer_give_up});
  }
  if (!flight.arrives) {
    conn.hole = true;
    return;
  }
  const Instant arrives = std::max(*flight.arrives + extra, conn.last_arrival);
  conn.last_arrival = arrives;
  Message message{.kind = net_kind_arrival,
                  .size = static_cast<std::uint32_t>(wire_bytes),
                  .a = id,
                  .b = pack(static_cast<Op>(op), segment),
                  .c = op == op_open ? word : to_word(flight.transmitted),
                  .payload = std::move(bytes)};
  context.send(conn.peer, arrives - context.now(), message);
  message.b |= duplicate_flag;
  for (Instant copy : flight.duplicates) {
    context.send(conn.peer, std::max(copy + extra, arrives) - context.now(), message);
  }
}

// A notice is one packet that nobody repeats. If it is lost, keepalive finds out.
void NetStack::send_reset(ConnId id, LpId peer, std::uint8_t op, Context& context) {
  const LinkState link = model_->link(self_, peer, context.now());
  const std::uint32_t side = initiator(id) == self_ ? 0 : 1;
  const RandomStream draws(seed_, id, draw_notice + side);
  if (link.blocked || draws.bernoulli_ppm(to_word(context.now()), link.loss_ppm)) {
    if (op != op_refuse) send_gone(id, peer, context);  // a connect has its own timeout
    return;
  }
  context.send(
      peer, link.latency,
      Message{
          .kind = net_kind_arrival, .size = model_->options().segment_overhead, .a = id, .b = op});
}

void NetStack::send_gone(ConnId id, LpId peer, Context& context) {
  // The least latency: it must come before anything transmitted from now on would.
  context.send(
      peer, model_->distance_latency(self_, peer),
      Message{.kind = net_kind_arrival, .a = id, .b = op_gone, .c = to_word(context.now())});
}

// ---- what the application calls -----------------------------------------------------------------

ConnId NetStack::connect(LpId dst, std::uint32_t service, Context& context) {
  AMS_ASSERT(up_);
  AMS_ASSERT(dst != self_ && dst < model_->node_count());
  const ConnId id = static_cast<ConnId>(self_) << 32 | next_conn_++;
  Conn& conn = conns_[id];
  conn.peer = dst;
  ++stats_.connects;
  context.schedule(model_->options().connect_timeout,
                   Message{.kind = net_kind_timer, .a = id, .b = timer_connect});
  emit(id, conn, op_open, {}, service, Duration{0}, context);
  return id;
}

bool NetStack::send(ConnId id, Bytes bytes, Context& context) {
  const auto found = conns_.find(id);
  if (found == conns_.end() || found->second.state != State::established) return false;
  Conn& conn = found->second;
  const std::size_t limit = model_->options().segment_size_max;
  if (bytes.empty()) return true;
  if (bytes.size() <= limit) {
    emit(id, conn, op_data, Payload(std::move(bytes)), 0, Duration{0}, context);
    return true;
  }
  for (ByteView rest = bytes; !rest.empty();) {
    const ByteView part = rest.first(std::min(limit, rest.size()));
    rest = rest.subspan(part.size());
    emit(id, conn, op_data, Payload(to_bytes(part)), 0, Duration{0}, context);
  }
  return true;
}

void NetStack::close(ConnId id, Context& context) {
  const auto found = conns_.find(id);
  if (found == conns_.end() || found->second.state == State::closing) return;
  if (found->second.state == State::connecting || found->second.gone_at) {
    return abort(id, context);
  }
  found->second.state = State::closing;
  emit(id, found->second, op_fin, {}, 0, Duration{0}, context);
}

void NetStack::abort(ConnId id, Context& context) {
  const auto found = conns_.find(id);
  if (found == conns_.end()) return;
  send_reset(id, found->second.peer, op_reset, context);
  conns_.erase(found);
}

void NetStack::crash(CrashKind kind, Context& context) {
  for (const auto& [id, conn] : conns_) send_gone(id, conn.peer, context);
  conns_.clear();
  up_ = false;
  silent_ = kind == CrashKind::machine;
}

void NetStack::restart() {
  up_ = true;
  silent_ = false;
}

bool NetStack::established(ConnId id) const {
  const auto found = conns_.find(id);
  return found != conns_.end() && found->second.state == State::established;
}

Hash NetStack::exporter(ConnId id) const {
  Hash out;
  RandomStream(seed_, id, draw_exporter).fill(0, out);
  return out;
}

// ---- receiving ----------------------------------------------------------------------------------

std::optional<NetEvent> NetStack::handle(const Event& event, Context& context) {
  if (event.kind == net_kind_timer) return handle_timer(event, context);
  if (silent_) return std::nullopt;
  switch (op_of(event)) {
    case op_open:
      return handle_open(event, context);
    case op_accept:
      return handle_accept(event, context);
    case op_data:
    case op_fin:
      return handle_segment(event, context);
    default:
      return handle_notice(event, context);
  }
}

std::optional<NetEvent> NetStack::finish(Conns::iterator found, CloseReason reason) {
  const ConnId id = found->first;
  const bool visible = found->second.state != State::closing;
  conns_.erase(found);
  if (!visible) return std::nullopt;
  if (reason == CloseReason::refused) ++stats_.refused;
  if (reason != CloseReason::refused && reason != CloseReason::by_peer) ++stats_.resets;
  return NetClosed{id, reason};
}

std::optional<NetEvent> NetStack::handle_open(const Event& event, Context& context) {
  if ((event.b & duplicate_flag) != 0) {
    ++stats_.duplicates_dropped;
    return std::nullopt;
  }
  const ConnId id = event.a;
  if (!up_ || !listening_) {
    send_reset(id, event.src, op_refuse, context);
    return std::nullopt;
  }
  Conn& conn = conns_[id];
  conn.peer = event.src;
  conn.state = State::established;
  ++stats_.accepts;
  const Duration round_trip = model_->link(self_, event.src, context.now()).latency +
                              model_->link(event.src, self_, context.now()).latency;
  emit(id, conn, op_accept, {}, 0, (model_->options().handshake_round_trips - 1) * round_trip,
       context);
  return NetAccepted{id, event.src, static_cast<std::uint32_t>(event.c), exporter(id)};
}

std::optional<NetEvent> NetStack::handle_accept(const Event& event, Context& context) {
  const auto found = conns_.find(event.a);
  if ((event.b & duplicate_flag) != 0) {
    ++stats_.duplicates_dropped;
    return std::nullopt;
  }
  if (found == conns_.end()) {  // we gave up or crashed meanwhile
    send_reset(event.a, event.src, op_reset, context);
    return std::nullopt;
  }
  Conn& conn = found->second;
  if (conn.state != State::connecting) return std::nullopt;
  if (conn.gone_at && from_word(event.c) > *conn.gone_at) return std::nullopt;
  conn.state = State::established;
  return NetConnected{event.a, conn.peer, exporter(event.a)};
}

std::optional<NetEvent> NetStack::handle_segment(const Event& event, Context& context) {
  const auto found = conns_.find(event.a);
  if (found == conns_.end()) {
    if ((event.b & duplicate_flag) != 0)
      ++stats_.duplicates_dropped;
    else
      send_reset(event.a, event.src, op_reset, context);
    return std::nullopt;
  }
  Conn& conn = found->second;
  const std::uint64_t segment = event.b >> 8;
  if (segment < conn.receive_next) {
    ++stats_.duplicates_dropped;
    return std::nullopt;
  }
  // Of a peer that vanished: transmitted after its end, or behind something that was.
  if (conn.gone_at && from_word(event.c) > *conn.gone_at) return std::nullopt;
  if (segment > conn.receive_next || conn.state == State::connecting) {
    AMS_ASSERT(conn.gone_at.has_value());
    return std::nullopt;
  }
  ++conn.receive_next;
  if (op_of(event) == op_fin) {
    if (conn.state != State::closing) send_reset(event.a, conn.peer, op_fin_seen, context);
    return finish(found, CloseReason::by_peer);
  }
  if (conn.state == State::closing) return std::nullopt;
  stats_.payload_bytes += event.bytes().size();
  return NetData{event.a, Payload::share(event.payload)};
}

std::optional<NetEvent> NetStack::handle_notice(const Event& event, Context& context) {
  const auto found = conns_.find(event.a);
  if (found == conns_.end()) return std::nullopt;
  Conn& conn = found->second;
  switch (op_of(event)) {
    case op_refuse:
      if (conn.state != State::connecting) return std::nullopt;
      return finish(found, CloseReason::refused);
    case op_fin_seen:
    case op_reset:
      return finish(found, CloseReason::reset);
    default:
      break;
  }
  AMS_ASSERT(op_of(event) == op_gone);
  if (conn.state == State::closing) return finish(found, CloseReason::vanished);
  if (!conn.gone_at) {
    conn.gone_at = from_word(event.c);
    context.schedule(model_->options().keepalive_timeout,
                     Message{.kind = net_kind_timer, .a = event.a, .b = timer_vanished});
  }
  return std::nullopt;
}

std::optional<NetEvent> NetStack::handle_timer(const Event& event, Context& context) {
  const auto found = conns_.find(event.a);
  if (found == conns_.end()) return std::nullopt;
  const LpId peer = found->second.peer;
  switch (op_of(event)) {
    case timer_connect:
      if (found->second.state != State::connecting) return std::nullopt;
      break;
    case timer_vanished:
      return finish(found, CloseReason::vanished);
    default:
      break;
  }
  send_reset(event.a, peer, op_reset, context);
  return finish(found, CloseReason::timed_out);
}

}  // namespace ams::sim
