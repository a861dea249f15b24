// The directory peer inside: its ops for others, its asks to others, its writes (DIR).
#include "server/core.h"

namespace ams::server {

void Core::pump_peer() {
  while (auto writes = peer_.poll_writes())
    commit(std::move(*writes), [this](const Result<>& outcome) {
      if (!outcome) peer_.handle_write_failure();
    });
  while (auto fetched = peer_.poll_fetched()) {
    const auto at = fetches_.find(fetched->ticket);
    if (at == fetches_.end()) continue;
    const OnAnswer then = std::move(at->second);
    fetches_.erase(at);
    then(Outcome{std::move(fetched->outcome), true, nullptr});
  }
  while (auto asked = peer_.poll_ask()) {
    ask(asked->domain, asked->op, std::move(asked->args),
        [this, cookie = asked->cookie](const Outcome& outcome) {
          peer_.handle_reply(cookie, outcome.value, now_);
          later([this] { pump_peer(); });
        });
  }
  auto due = peer_.timeout();
  if (due && *due <= now_)
    due = now_ + std::chrono::milliseconds{10};  // never twice in one instant
  timers_.arm({TimerKind::directory, 0, {}}, due);
}

void Core::fetch_record(const Id16& kid, OnAnswer then) {
  const std::uint64_t ticket = next_fetch_++;
  fetches_.emplace(ticket, std::move(then));
  peer_.fetch(ticket, kid, now_);
  later([this] { pump_peer(); });
}

Result<> Core::op_publish(const Asked& to, Conn& conn, const wire::Value& args) {
  const std::string from = conn.addr.empty() ? conn.domain : options_.domain;
  AMS_TRY(directory::Peer::Published published, peer_.publish(args, from, now_));
  commit(std::move(published.writes),
         [this, to, answer = published.answer](const Result<>& outcome) {
           if (!outcome) {
             peer_.handle_write_failure();
             return refuse(to, outcome.error(), 60);  // STO-2
           }
           ok(to, answer);
         });
  later([this] { pump_peer(); });
  return {};
}

Result<> Core::op_directory_get(const Asked& to, Conn& conn, const wire::Value& args) {
  auto found = peer_.get(args);
  if (found) {
    answer_stable(to, std::move(*found));
    return {};
  }
  // A light peer asks full ones for its own users; other servers ask a full peer themselves.
  if (found.error().code != Code::not_found || conn.addr.empty() || options_.full_directory)
    return tl::unexpected<Error>(found.error());
  const auto kid = from_uuid_text(args.find("kid")->as_string());  // get() has judged the args
  fetch_record(*kid, [this, to](const Outcome& outcome) {
    if (!outcome.value) return refuse(to, outcome.value.error());
    ok(to, wire::Object{{"record", *outcome.value}});
  });
  return {};
}

Result<> Core::op_head(const Asked& to, Conn&, const wire::Value& args) {
  wire::ObjectReader in(args, "directory.head", wire::ObjectReader::Unknown::ignore_x);
  AMS_CHECK(in.finish());
  AMS_TRY(wire::Value head, peer_.head());
  ok(to, std::move(head));
  return {};
}

Result<> Core::op_range(const Asked& to, Conn&, const wire::Value& args) {
  AMS_TRY(wire::Value range, peer_.range(args));
  ok(to, std::move(range));
  return {};
}

}  // namespace ams::server
