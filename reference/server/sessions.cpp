// Connections: the table of sessions, admission of servers (SES-8, DOM-5), the ends of requests of
// ours.
#include <algorithm>

#include "base/overload.h"
#include "policy/mutant.h"
#include "server/core.h"

namespace ams::server {
namespace {

session::AcceptorOptions acceptor_options(const Options& options,
                                          const std::vector<std::string>& ops) {
  return {options.domain, options.chain, ops, options.limits};
}

/// The earliest time at which something we asked on this connection counts as unanswered.
std::optional<Instant> answer_due(const Conn& conn) {
  std::optional<Instant> asked;
  for (const auto& [id, ask] : conn.asks) asked = asked ? std::min(*asked, ask.second) : ask.second;
  for (const auto& [id, pull] : conn.pulls)
    asked = asked ? std::min(*asked, pull.second) : pull.second;
  if (!asked) return std::nullopt;
  return std::min(std::max(*asked, conn.last_in) + answer_wait, *asked + answer_wait_max);
}

/// What the hello's own record says its root is: only a broken server believes it.
std::optional<keys::KeyId> claimed_root(const wire::Value& chain) {
  const wire::Value* root = chain.find("root");
  if (!root) return std::nullopt;
  const auto record = keys::KeyRecord::parse(*root);
  if (!record) return std::nullopt;
  return record->id();
}

}  // namespace

Conn* Core::find_conn(ConnId id) {
  const auto at = conns_.find(id);
  return at == conns_.end() ? nullptr : &at->second;
}

void Core::touch(Conn& conn) {
  if (conn.queued) return;
  conn.queued = true;
  dirty_.push_back(conn.id);
}

/// A full peer of the directory is asked again and again: a handshake each time would cost both
/// sides more than the question.
Duration Core::idle_life(const Conn& conn) const {
  return peer_.uses(conn.domain) ? link_idle_peer : link_idle;
}

void Core::rearm(Conn& conn) {
  std::optional<Instant> due = conn.session.timeout();
  if (const auto answer = answer_due(conn)) due = due ? std::min(*due, *answer) : *answer;
  const bool idle = conn.outgoing && conn.session.open() && conn.asks.empty() && conn.working == 0;
  if (!idle) conn.idle_since = now_;
  const Instant end = conn.idle_since + idle_life(conn);
  if (idle) due = due ? std::min(*due, end) : end;
  timers_.arm({TimerKind::conn, conn.id, {}}, due);
}

void Core::accepted(ConnId id, const Hash& exporter) {
  const bool full = static_cast<std::int64_t>(conns_.size()) >= options_.connections_max;
  auto [at, fresh] = conns_.emplace(
      id, Conn{id,
               session::Session(acceptor_options(options_, ops_), op_, exporter, now_),
               false,
               now_,
               now_,
               {},
               {},
               false,
               false,
               0,
               {},
               {},
               {}});
  if (!fresh) return;
  if (full && !mutant("server.skip_connections_max"))
    at->second.session.close(Code::too_many_connections);
  if (shutting_down_) at->second.session.close(Code::shutting_down);
  touch(at->second);
}

void Core::bytes_in(ConnId id, ByteView bytes) {
  Conn* conn = find_conn(id);
  if (!conn) return;
  conn->last_in = now_;
  const bool proven = conn->session.peer_proven();
  conn->session.handle_bytes(bytes, now_);
  touch(*conn);
  if (!proven && conn->session.peer_proven()) note_proven(*conn);
}

void Core::conn_due(ConnId id) {
  Conn* conn = find_conn(id);
  if (!conn) return;
  conn->session.handle_timeout(now_);
  const auto answer = answer_due(*conn);
  const bool idle = conn->outgoing && conn->asks.empty() && conn->working == 0 &&
                    now_ >= conn->idle_since + idle_life(*conn);
  // A peer that does not answer is as good as gone: whoever waits tries again on a new connection.
  if ((answer && now_ >= *answer) || (idle && conn->session.open())) conn->session.close({});
  touch(*conn);
}

void Core::session_effect(ConnId id, session::Effect effect) {
  Conn& conn = conns_.at(id);
  std::visit(Overload{
                 [&](session::SendBytes& e) {
                   effects_.push_back(machine::Send{id, std::move(e.bytes)});
                 },
                 [&](session::Close& e) {
                   if (e.why == Code::auth_signature) ++stats_.auth_failures;
                   effects_.push_back(machine::CloseConn{id});
                   conn_gone(id);
                 },
                 [&](session::Greeted& e) {
                   conn.domain = e.hello.domain;
                   if (e.hello.kind == session::PeerKind::server) {
                     admitting_[conn.domain].insert(id);
                     return resolve(conn.domain);
                   }
                   conn.addr = e.hello.addr;
                   Txn txn(reader_);
                   const Bytes device = key_of({as_bytes(conn.addr), key_zero, e.hello.device});
                   conn.enrolled = txn.get(table_device, device).has_value();
                   conn.session.restrict_to_enrolment(!conn.enrolled);
                 },
                 [&](session::Opened&) {
                   conn.idle_since = now_;
                   if (conn.outgoing) return link_opened(conn);
                   if (conn.enrolled) online_.emplace(conn.addr, id);
                 },
                 [&](session::RequestIn& e) { dispatch(conn, std::move(e)); },
                 [&](session::AnswerIn& e) {
                   const auto at = conn.asks.find(e.id);
                   if (at == conn.asks.end()) return;
                   const OnAnswer then = std::move(at->second.first);
                   conn.asks.erase(at);
                   const std::optional<keys::Chain> chain = conn.session.peer_chain();
                   if (conn.outgoing)
                     if (const auto link = links_.find(conn.domain); link != links_.end())
                       link_send(link->second);
                   then(Outcome{std::move(e.outcome), true, chain ? &*chain : nullptr});
                 },
                 [&](session::EventIn&) {},
                 [&](session::BlobPut& e) { blob_put(conn, std::move(e)); },
                 [&](session::BlobGot& e) {
                   const auto at = conn.pulls.find(e.id);
                   if (at == conn.pulls.end()) return;
                   const OnBlob then = std::move(at->second.first);
                   conn.pulls.erase(at);
                   then(std::move(e.outcome));
                 },
             },
             effect);
}

/// Forgets a connection and tells everyone who waits for something on it.
void Core::conn_gone(ConnId id) {
  const auto at = conns_.find(id);
  if (at == conns_.end()) return;
  Conn conn = std::move(at->second);
  conns_.erase(at);
  timers_.arm({TimerKind::conn, id, {}}, std::nullopt);
  const auto [first, last] = online_.equal_range(conn.addr);
  for (auto session = first; session != last; ++session) {
    if (session->second != id) continue;
    online_.erase(session);
    break;
  }
  if (const auto wait = admitting_.find(conn.domain); wait != admitting_.end()) {
    wait->second.erase(id);
    if (wait->second.empty()) admitting_.erase(wait);
  }
  const std::optional<keys::Chain>& chain = conn.session.peer_chain();
  for (auto& [ask_id, ask] : conn.asks)
    ask.first(Outcome{fail(Code::peer_unreachable, "closed"), true, chain ? &*chain : nullptr});
  for (auto& [pull_id, pull] : conn.pulls) pull.first(fail(Code::peer_unreachable, "closed"));
  for (const auto& job : conn.deliveries) job_end(job, fail(Code::peer_unreachable, "closed"));
  if (!conn.outgoing) return;
  const auto link = links_.find(conn.domain);
  if (link == links_.end() || link->second.conn != id) return;
  if (link->second.state == Link::State::opening) {
    log(machine::Log::Level::warning, "no session could be opened with " + conn.domain);
    doubt(conn.domain);
  }
  link_failed(conn.domain);
}

// --- admission of servers
// ----------------------------------------------------------------------------

void Core::resolve(const std::string& domain) {
  const auto at = resolving_.find(domain);
  if (at != resolving_.end() && at->second + session::auth_timeout > now_) return;
  resolving_.insert_or_assign(domain, now_);
  effects_.push_back(machine::Resolve{domain, doubted_.erase(domain) > 0});
}

void Core::resolved(const std::string& domain, const std::optional<keys::Discovery>& found) {
  resolving_.erase(domain);
  if (const auto wait = admitting_.find(domain); wait != admitting_.end()) {
    const std::set<ConnId> waiting = std::move(wait->second);
    admitting_.erase(wait);
    for (const ConnId id : waiting) {
      Conn* conn = find_conn(id);
      if (!conn) continue;
      if (found && !believed(domain, *found)) {
        prove(*conn, *found);
      } else {
        admit_or_deny(*conn, found);
      }
    }
  }
  link_resolved(domain, found);
}

void Core::admit_or_deny(Conn& conn, const std::optional<keys::Discovery>& found) {
  if (!admit(conn, found)) {
    ++stats_.auth_failures;
    doubt(conn.domain);
    conn.session.deny(Error{Code::domain_record, "hello.chain"});  // SES-8
  }
  touch(conn);
}

bool Core::admit(Conn& conn, const std::optional<keys::Discovery>& found) {
  const std::optional<wire::Value>& value = conn.session.hello().chain;
  if (!value) return false;
  std::optional<keys::KeyId> root;
  if (found) root = found->root;
  if (mutant("server.skip_chain")) root = claimed_root(*value);
  if (!root) return false;
  const keys::Chain* known = verified_before(conn.domain, *value, *root);
  auto chain = known ? Result<keys::Chain>(*known) : keys::verify_chain(*value, conn.domain, *root);
  if (!chain || !keep_chain(*chain)) return false;
  conn.session.admit_server(std::move(*chain));
  return true;
}

// --- proof of what DNS says (DOM-14): a forged answer names a root, but not to our own connection,
// whose other end must have the domain's certificate

bool Core::believed(const std::string& domain, const keys::Discovery& found) const {
  const auto at = proven_.find(domain);
  return !found.unproven || (at != proven_.end() && at->second == found.root) ||
         mutant("server.admit_unproven");
}

void Core::prove(const Conn& conn, const keys::Discovery& found) {
  const std::string& domain = conn.domain;
  const auto [at, fresh] = proving_.try_emplace(domain, Proving{found, {}});
  at->second.found = found;
  at->second.waiting.insert(conn.id);
  if (fresh)
    ask(domain, "ping", wire::Object{}, [this, domain](const Outcome&) { end_proving(domain); });
}

void Core::note_proven(const Conn& conn) {
  const std::optional<keys::Chain>& chain = conn.session.peer_chain();
  if (!chain) return;
  if (proven_.size() >= verified_chains_max) proven_.clear();
  proven_.insert_or_assign(conn.domain, chain->root.id());
  end_proving(conn.domain);  // before it admits us: it may be waiting for the same
}

void Core::end_proving(const std::string& domain) {
  const auto at = proving_.find(domain);
  if (at == proving_.end()) return;
  const Proving proving = std::move(at->second);
  proving_.erase(at);
  const bool good = believed(domain, proving.found);
  for (const ConnId id : proving.waiting) {
    Conn* conn = find_conn(id);
    if (conn) admit_or_deny(*conn, good ? std::optional(proving.found) : std::nullopt);
  }
}

void Core::doubt(const std::string& domain) {
  if (doubted_.size() >= verified_chains_max) doubted_.clear();
  doubted_.insert(domain);
}

// --- requests of ours
// --------------------------------------------------------------------------------

/// Precondition: the session is open.
std::int64_t Core::ask_on(Conn& conn, std::string op, wire::Value args, OnAnswer then) {
  const std::int64_t id = conn.session.request(std::move(op), std::move(args));
  conn.asks.emplace(id, std::pair(std::move(then), now_));
  touch(conn);
  return id;
}

void Core::pull(ConnId id, const Hash& hash, std::uint64_t len_max, OnBlob then) {
  Conn* conn = find_conn(id);
  if (!conn || !conn->session.open()) return then(fail(Code::peer_unreachable, "blob.get"));
  const std::int64_t request = conn->session.get_blob(hash, len_max);
  conn->pulls.emplace(request, std::pair(std::move(then), now_));
  touch(*conn);
}

void Core::shut_down() {
  shutting_down_ = true;
  for (auto& [id, conn] : conns_) {
    if (conn.working > 0) continue;
    conn.session.close(Code::shutting_down);
    touch(conn);
  }
}

}  // namespace ams::server
