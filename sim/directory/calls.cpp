#include "sim_directory/calls.h"

#include "base/overload.h"
#include "sim_world/host.h"

namespace ams::sim {

void Calls::ask(LpId dst, std::uint64_t token, const std::string& op, const wire::Value& args,
                Context& context) {
  Job job{token, {}};
  waiting_.emplace(token, dst);
  const std::int64_t id = next_id_++;
  if (!wire::append_message(job.frame, wire::Request{id, op, args}))
    return fail_asked(dst, token);  // larger than a frame: as the server refuses it
  auto [at, fresh] = links_.try_emplace(dst);
  Link& link = at->second;
  link.asked.emplace(id, token);
  link.queue.push_back(std::move(job));
  link.used = context.now();
  context.schedule(call_timeout, message(calls_kind_give_up, token));
  if (fresh) {
    link.conn = net_.connect(dst, 0, context);
    conns_[link.conn].peer = dst;
    conns_[link.conn].ours = true;
  } else if (link.open) {
    flush(link, context);
  }
}

void Calls::answer(ConnId conn, std::int64_t id, const Result<wire::Value>& outcome,
                   Context& context) {
  Bytes frame;
  const auto appended = outcome
                            ? wire::append_message(frame, wire::ok_answer(id, *outcome))
                            : wire::append_message(frame, wire::error_answer(id, outcome.error()));
  if (appended) (void)net_.send(conn, std::move(frame), context);  // gone: the asker gives up
}

void Calls::reset(ConnId conn, Context& context) {
  net_.abort(conn, context);
  conns_.erase(conn);
}

void Calls::handle(const Event& event, Context& context) {
  if (event.kind == calls_kind_give_up) return give_up(event.a);
  if (event.kind == calls_kind_idle) return idle(event.a, context);
  const auto happened = net_.handle(event, context);
  if (!happened) return;
  std::visit(Overload{
                 [&](const NetConnected& e) { connected(e.conn, context); },
                 [&](const NetAccepted& e) { conns_[e.conn].peer = e.peer; },
                 [&](const NetData& e) { take(e.conn, e.bytes.view(), context); },
                 [&](const NetClosed& e) { gone(e.conn); },
             },
             *happened);
}

void Calls::connected(ConnId conn, Context& context) {
  say(conn, "hello", context);
  context.schedule(call_idle, message(calls_kind_idle, conn));
}

void Calls::gone(ConnId conn) {
  const auto at = conns_.find(conn);
  if (at == conns_.end()) return;
  const bool ours = at->second.ours;
  const LpId peer = at->second.peer;
  conns_.erase(at);
  const auto link = links_.find(peer);
  if (!ours || link == links_.end() || link->second.conn != conn) return;
  const Link lost = std::move(link->second);
  links_.erase(link);
  for (const auto& [id, token] : lost.asked) fail_asked(peer, token);
}

void Calls::take(ConnId conn, ByteView bytes, Context& context) {
  const auto at = conns_.find(conn);
  if (at == conns_.end()) return;
  at->second.reader.push(bytes);
  for (;;) {
    const auto known = conns_.find(conn);
    if (known == conns_.end()) return;
    const auto frame = known->second.reader.next();
    if (!frame || !*frame) return;
    if (auto message = wire::decode_message((*frame)->payload))
      take_message(conn, std::move(*message), context);
  }
}

void Calls::take_message(ConnId conn, wire::Message message, Context& context) {
  Conn& known = conns_.at(conn);
  if (auto* request = std::get_if<wire::Request>(&message)) {
    served_.push_back({conn, known.peer, std::move(*request)});
  } else if (const auto* said = std::get_if<wire::Event>(&message)) {
    // The session's round trips: hello, proof of the acceptor; proof of the connector, open.
    if (!known.ours) return say(conn, said->event == "hello" ? "greeting" : "open", context);
    if (said->event == "greeting") return say(conn, "proof", context);
    Link& link = links_.at(known.peer);
    link.open = true;
    flush(link, context);
  } else if (auto* answer = std::get_if<wire::Answer>(&message); answer && known.ours) {
    Link& link = links_.at(known.peer);
    const auto asked = link.asked.find(answer->id);
    if (asked == link.asked.end()) return;  // given up
    link.used = context.now();
    Result<wire::Value> value = fail(Code::peer_unreachable, "calls");
    if (answer->is_ok()) {
      value = std::move(std::get<wire::Value>(answer->outcome));
    } else if (const CodeInfo* info = answer->error().info()) {
      value = fail(info->code, "calls");
    }
    if (waiting_.erase(asked->second) > 0)
      outcomes_.push_back({asked->second, known.peer, std::move(value)});
    link.asked.erase(asked);
  }
}

void Calls::say(ConnId conn, const std::string& event, Context& context) {
  Bytes frame;
  AMS_ASSERT(wire::append_message(frame, wire::Event{event, wire::Object{}}).has_value());
  (void)net_.send(conn, std::move(frame), context);
}

void Calls::flush(Link& link, Context& context) {
  for (Job& job : link.queue) (void)net_.send(link.conn, std::move(job.frame), context);
  link.queue.clear();
}

void Calls::give_up(std::uint64_t token) {
  const auto at = waiting_.find(token);
  if (at == waiting_.end()) return;
  if (const auto link = links_.find(at->second); link != links_.end()) {
    std::erase_if(link->second.queue, [&](const Job& job) { return job.token == token; });
    std::erase_if(link->second.asked, [&](const auto& one) { return one.second == token; });
  }
  fail_asked(at->second, token);
}

void Calls::fail_asked(LpId peer, std::uint64_t token) {
  if (waiting_.erase(token) > 0)
    outcomes_.push_back({token, peer, fail(Code::peer_unreachable, "calls")});
}

void Calls::idle(ConnId conn, Context& context) {
  const auto at = conns_.find(conn);
  if (at == conns_.end() || !at->second.ours) return;
  const auto link = links_.find(at->second.peer);
  if (link == links_.end() || link->second.conn != conn) return;
  const Instant due = link->second.used + call_idle;
  if (!link->second.asked.empty() || due > context.now()) {
    context.schedule(std::max(due - context.now(), Duration{std::chrono::seconds{1}}),
                     message(calls_kind_idle, conn));
    return;
  }
  net_.close(conn, context);
  links_.erase(link);
  conns_.erase(at);
}

std::optional<Calls::Served> Calls::poll_served() {
  if (served_.empty()) return std::nullopt;
  Served next = std::move(served_.front());
  served_.pop_front();
  return next;
}

std::optional<Calls::Outcome> Calls::poll_outcome() {
  if (outcomes_.empty()) return std::nullopt;
  Outcome next = std::move(outcomes_.front());
  outcomes_.pop_front();
  return next;
}

void Calls::crash(Context& context) {
  net_.crash(CrashKind::process, context);
  links_.clear();
  conns_.clear();
  waiting_.clear();
  served_.clear();
  outcomes_.clear();
}

}  // namespace ams::sim
