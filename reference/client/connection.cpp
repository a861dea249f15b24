#include "client/connection.h"

#include "base/overload.h"
#include "wire/address.h"

namespace ams::client {
namespace {

constexpr Error connection_lost{Code::peer_unreachable, "connection"};

/// What a server may send us unasked: nothing. Its blob.put reaches us as a request and is refused.
session::Limits client_limits() {
  session::Limits limits;
  limits.blob = 0;
  limits.transfers = 0;
  limits.in_flight = 16;
  return limits;
}

std::string domain_of(const std::string& addr) {
  const auto address = wire::parse_address(addr);
  return address ? address->domain : std::string();
}

}  // namespace

Link::Link(Core& core, const crypto::SigningKey& device)
    : core_(core), device_(device), domain_(domain_of(core.options.addr)) {}

// --- connecting
// --------------------------------------------------------------------------------------

void Link::start() {
  stage_ = Stage::resolving;
  deadline_ = core_.now + connect_timeout;
  core_.emit(machine::Resolve{domain_});
}

void Link::handle_resolved(const std::string& domain, const std::optional<keys::Discovery>& found) {
  if (stage_ != Stage::resolving || domain != domain_) return;
  if (!found) return drop(Error{Code::peer_unreachable, "resolve"});
  found_ = found;
  stage_ = Stage::connecting;
  deadline_ = core_.now + connect_timeout;
  core_.emit(machine::Connect{++token_, domain_});
}

void Link::handle_connected(machine::Token token, machine::ConnId conn, const Hash& exporter) {
  if (stage_ != Stage::connecting || token != token_)  // we had given it up
    return core_.emit(machine::CloseConn{conn});
  session::ConnectorOptions options;
  options.hello.kind = session::PeerKind::client;
  options.hello.domain = domain_;
  options.hello.addr = core_.options.addr;
  options.hello.device = device_.public_raw();
  options.peer_domain = domain_;
  options.peer_root = found_->root;
  options.limits = client_limits();
  options.known_chain = chain_;
  conn_ = conn;
  stage_ = Stage::greeting;
  heard_ = core_.now;
  session_.emplace(std::move(options), device_, exporter, core_.now);
  drain();
}

void Link::handle_connect_failed(machine::Token token) {
  if (stage_ == Stage::connecting && token == token_)
    drop(Error{Code::peer_unreachable, "connect"});
}

void Link::opened() {
  stage_ = Stage::up;
  chain_ = session_->peer_chain();
  ++epoch_;
  failures_ = 0;
  told_ = false;
  core_.again = true;
}

/// Everything asked is answered with connection_lost, later; the next attempt waits.
void Link::drop(const Error& why) {
  const bool was_up = stage_ == Stage::up;
  if (conn_) core_.emit(machine::CloseConn{*conn_});
  session_.reset();
  conn_.reset();
  closing_.reset();
  for (auto& [id, then] : answers_)
    lost_.push_back([f = std::move(then)] { f(tl::unexpected(connection_lost)); });
  for (auto& [id, then] : gets_)
    lost_.push_back([f = std::move(then)] { f(tl::unexpected(connection_lost)); });
  for (Queued& queued : queue_)
    lost_.push_back([f = std::move(queued.then)] { f(tl::unexpected(connection_lost)); });
  answers_.clear();
  gets_.clear();
  queue_.clear();
  stage_ = Stage::waiting;
  deadline_ = core_.now + core_.backoff(failures_++);
  core_.again = true;
  if (was_up || told_) return;
  told_ = true;
  core_.tell(CommandFailed{"connect", why});
}

// --- the session
// ---------------------------------------------------------------------------------------

void Link::handle_bytes(machine::ConnId conn, ByteView bytes) {
  if (conn_ != conn) return;
  heard_ = core_.now;
  session_->handle_bytes(bytes, core_.now);
  drain();
}

void Link::handle_closed(machine::ConnId conn) {
  if (conn_ != conn) return;
  conn_.reset();  // nothing to close
  drop(connection_lost);
}

void Link::drain() {
  while (session_) {
    auto effect = session_->poll();
    if (!effect) break;
    handle(std::move(*effect));
  }
  if (closing_) drop(*closing_);
}

void Link::handle(session::Effect effect) {
  std::visit(Overload{
                 [&](session::SendBytes& e) {
                   core_.emit(machine::Send{*conn_, std::move(e.bytes)});
                 },
                 [&](session::Close& e) {
                   closing_ = Error{e.why.value_or(Code::peer_unreachable), "session"};
                 },
                 [&](session::Opened&) { opened(); },
                 // We take no requests: nothing here is for a server to ask.
                 [&](session::RequestIn& e) {
                   session_->fail(e.id, Error{Code::unsupported, "client"});
                 },
                 [&](session::AnswerIn& e) {
                   const auto at = answers_.find(e.id);
                   if (at == answers_.end()) return;
                   const Answered then = std::move(at->second);
                   answers_.erase(at);
                   core_.again = true;
                   then(e.outcome);
                 },
                 [&](session::BlobGot& e) {
                   const auto at = gets_.find(e.id);
                   if (at == gets_.end()) return;
                   const Got then = std::move(at->second);
                   gets_.erase(at);
                   core_.again = true;
                   then(e.outcome);
                 },
                 [&](session::EventIn& e) {
                   if (up() && on_event) on_event(e.event, e.data);
                 },
                 [](session::Greeted&) {},  // acceptors only
                 [](session::BlobPut&) {},  // never: transfers is 0
             },
             effect);
}

std::size_t Link::in_flight_max() const {
  const wire::Value* announced = session_->peer_limits().find("in_flight");
  const std::int64_t limit = announced && announced->is_integer() ? announced->as_integer() : 1;
  // A few are left for blobs, which do not queue here.
  return static_cast<std::size_t>(std::clamp<std::int64_t>(limit - 8, 1, 56));
}

void Link::flush() {
  while (up() && !queue_.empty() && answers_.size() < in_flight_max()) {
    Queued next = std::move(queue_.front());
    queue_.pop_front();
    asked_ = core_.now;
    const std::int64_t id = session_->request(std::move(next.op), std::move(next.args));
    answers_.emplace(id, std::move(next.then));
  }
}

void Link::request(std::string op, wire::Value args, Answered then) {
  core_.again = true;
  if (!up()) return lost_.push_back([f = std::move(then)] { f(tl::unexpected(connection_lost)); });
  queue_.push_back(Queued{std::move(op), std::move(args), std::move(then)});
}

void Link::put_blob(const Hash& hash, ByteView bytes, Answered then) {
  core_.again = true;
  if (!up()) return lost_.push_back([f = std::move(then)] { f(tl::unexpected(connection_lost)); });
  asked_ = core_.now;
  answers_.emplace(session_->put_blob(hash, bytes), std::move(then));
}

void Link::get_blob(const Hash& hash, std::uint64_t len_max, Got then) {
  core_.again = true;
  if (!up()) return lost_.push_back([f = std::move(then)] { f(tl::unexpected(connection_lost)); });
  asked_ = core_.now;
  gets_.emplace(session_->get_blob(hash, len_max), std::move(then));
}

void Link::call_lost() {
  while (!lost_.empty()) {
    const std::function<void()> call = std::move(lost_.front());
    lost_.pop_front();
    core_.again = true;
    call();
  }
}

// --- time
// ------------------------------------------------------------------------------------------------

void Link::check_clock() {
  const Instant now = core_.now;
  if (session_) session_->handle_timeout(now);
  const auto at = due();
  if (!at || now < *at) return;
  if (stage_ == Stage::resolving || stage_ == Stage::connecting) {
    drop(Error{Code::peer_unreachable, "connect"});
  } else if (stage_ == Stage::waiting) {
    stage_ = Stage::idle;
  } else if (up() && (!answers_.empty() || !gets_.empty())) {
    drop(Error{Code::peer_unreachable, "silence"});
  } else if (up() && queue_.empty()) {
    request("ping", wire::Object{}, [](const Result<wire::Value>&) {});
  }
}

void Link::run() {
  call_lost();
  drain();
  check_clock();
  drain();
  if (stage_ == Stage::idle && wanted_) start();
  if (stage_ == Stage::waiting && !wanted_) stage_ = Stage::idle;
  flush();
  drain();
  if (up() && !wanted_ && answers_.empty() && gets_.empty() && queue_.empty()) {
    core_.emit(machine::CloseConn{*conn_});
    session_.reset();
    conn_.reset();
    stage_ = Stage::idle;
  }
}

std::optional<Instant> Link::due() const {
  switch (stage_) {
    case Stage::idle:
      return std::nullopt;
    case Stage::waiting:
    case Stage::resolving:
    case Stage::connecting:
      return deadline_;
    case Stage::greeting:
      return session_->timeout();
    case Stage::up:
      break;
  }
  if (!answers_.empty() || !gets_.empty()) return std::max(heard_, asked_) + stall_timeout;
  if (!core_.options.stay_connected) return std::nullopt;
  return std::max(heard_, asked_) + core_.options.ping_interval;
}

}  // namespace ams::client
