// Links: one connection of ours to each other domain, opened when someone asks, closed when idle.
//   resolving --found--> connecting --connected--> opening --Opened--> open
//   any state --not found, failed, closed, 30 s without progress--> gone: everyone who waits is
//   told
#include <algorithm>

#include "server/core.h"

namespace ams::server {
namespace {

std::size_t in_flight_max(const session::Session& session) {
  const wire::Value* announced = session.peer_limits().find("in_flight");
  if (!announced || !announced->is_integer()) return 1;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(announced->as_integer(), 1, 64));
}

}  // namespace

void Core::ask(const std::string& domain, std::string op, wire::Value args, OnAnswer then) {
  const auto refuse_now = [&](Code code) {
    later([then = std::move(then), code] { then(Outcome{fail(code, "link"), false, nullptr}); });
  };
  if (local(domain) || shutting_down_) return refuse_now(Code::peer_unreachable);
  if (wire::encode(args).size() + 1'024 > wire::json_payload_size_max)
    return refuse_now(Code::object_too_large);
  auto [at, fresh] = links_.try_emplace(domain);
  Link& link = at->second;
  if (link.jobs.size() >= link_jobs_max) return refuse_now(Code::too_many_requests);
  link.jobs.push_back({std::move(op), std::move(args), std::move(then)});
  if (fresh) {
    timers_.arm({TimerKind::link, 0, domain}, now_ + answer_wait);
    resolve(domain);
  } else if (link.state == Link::State::open) {
    link_send(link);
  }
}

void Core::link_resolved(const std::string& domain, const std::optional<keys::Discovery>& found) {
  const auto at = links_.find(domain);
  if (at == links_.end() || at->second.state != Link::State::resolving) return;
  if (!found) return link_failed(domain);
  Link& link = at->second;
  link.root = found->root;
  link.state = Link::State::connecting;
  link.token = next_token_++;
  tokens_.emplace(link.token, domain);
  timers_.arm({TimerKind::link, 0, domain}, now_ + answer_wait);
  effects_.push_back(machine::Connect{link.token, domain});
}

/// Where a directory peer stands counts (DIR-66); of other domains nobody asks.
void Core::reached(machine::Token token, ByteView address) {
  const auto known = tokens_.find(token);
  if (known == tokens_.end()) return;
  links_.at(known->second).address = to_bytes(address);
}

void Core::connected(machine::Token token, ConnId id, const Hash& exporter) {
  const auto known = tokens_.find(token);
  if (known == tokens_.end()) {  // given up in the meantime
    effects_.push_back(machine::CloseConn{id});
    return;
  }
  const std::string domain = known->second;
  tokens_.erase(known);
  Link& link = links_.at(domain);
  link.state = Link::State::opening;
  link.conn = id;
  timers_.arm({TimerKind::link, 0, domain}, std::nullopt);  // from here the session has its own
  session::ConnectorOptions connector;
  connector.hello.kind = session::PeerKind::server;
  connector.hello.domain = options_.domain;
  connector.hello.chain = options_.chain;
  connector.peer_domain = domain;
  connector.peer_root = link.root;
  connector.limits = options_.limits;
  if (const auto chain = verified_.find(domain); chain != verified_.end())
    connector.known_chain = chain->second;
  auto [at, fresh] =
      conns_.emplace(id, Conn{id,
                              session::Session(std::move(connector), op_, exporter, now_),
                              true,
                              now_,
                              now_,
                              domain,
                              {},
                              false,
                              false,
                              0,
                              {},
                              {},
                              {}});
  AMS_ASSERT(fresh);  // a driver never gives an id twice
  touch(at->second);
}

void Core::connect_failed(machine::Token token) {
  const auto known = tokens_.find(token);
  if (known == tokens_.end()) return;
  link_failed(std::string(known->second));
}

void Core::link_opened(Conn& conn) {
  const auto at = links_.find(conn.domain);
  const std::optional<keys::Chain>& chain = conn.session.peer_chain();
  const bool ours = at != links_.end() && at->second.conn == conn.id;
  if (!ours || !chain || !keep_chain(*chain)) {
    conn.session.close(Code::domain_record);
    return touch(conn);
  }
  at->second.state = Link::State::open;
  link_send(at->second);
}

/// Sends what waits, as far as the peer takes requests at once (OPS-7).
void Core::link_send(Link& link) {
  Conn* conn = find_conn(link.conn);
  if (!conn || !conn->session.open()) return;
  const std::size_t most = in_flight_max(conn->session);
  while (!link.jobs.empty() && conn->asks.size() < most) {
    LinkJob job = std::move(link.jobs.front());
    link.jobs.pop_front();
    ask_on(*conn, std::move(job.op), std::move(job.args), std::move(job.then));
  }
}

void Core::link_failed(const std::string& domain) {
  const auto at = links_.find(domain);
  if (at == links_.end()) return;
  Link link = std::move(at->second);
  links_.erase(at);
  tokens_.erase(link.token);
  timers_.arm({TimerKind::link, 0, domain}, std::nullopt);
  for (auto& job : link.jobs)
    later([then = std::move(job.then)] {
      then(Outcome{fail(Code::peer_unreachable, "link"), false, nullptr});
    });
}

const keys::Chain* Core::chain_of(const std::string& domain) {
  if (local(domain)) return &*chain_;
  const auto link = links_.find(domain);
  if (link == links_.end() || link->second.state != Link::State::open) return nullptr;
  const Conn* conn = find_conn(link->second.conn);
  return conn && conn->session.peer_chain() ? &*conn->session.peer_chain() : nullptr;
}

}  // namespace ams::server
