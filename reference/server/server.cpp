#include "server/server.h"

#include <algorithm>
#include <array>

#include "policy/mutant.h"
#include "server/core.h"

namespace ams::server {
namespace {

enum Who : unsigned { clients = 1, servers = 2, everyone = 3 };

using Handler = Result<> (Core::*)(const Asked&, Conn&, const wire::Value&);
struct Op {
  std::string_view name;
  unsigned who;
  bool mail;  // part of the mail server; false: every host of a directory peer has it
  Handler handler;
};
/// What this machine answers beside the session's own ops, sorted.
constexpr std::array<Op, 30> all_ops{{
    {"account.enrol", clients, true, &Core::op_enrol},
    {"blob.get", everyone, true, &Core::op_blob_get},
    {"directory.bindlog", servers, false, &Core::op_bindlog},
    {"directory.card", everyone, false, &Core::op_read<&directory::Peer::card>},
    {"directory.compare", servers, false, &Core::op_compare},
    {"directory.consistency", everyone, false, &Core::op_read<&directory::Peer::consistency>},
    {"directory.domain", everyone, false, &Core::op_directory_domain},
    {"directory.entries", everyone, false, &Core::op_read<&directory::Peer::entries>},
    {"directory.get", everyone, false, &Core::op_directory_get},
    {"directory.gossip", servers, false, &Core::op_gossip},
    {"directory.head", everyone, false, &Core::op_head},
    {"directory.history", everyone, false, &Core::op_read<&directory::Peer::history>},
    {"directory.peers", servers, false, &Core::op_peers},
    {"directory.proof", everyone, false, &Core::op_read<&directory::Peer::proof>},
    {"directory.publish", everyone, false, &Core::op_publish},
    {"directory.range", everyone, false, &Core::op_read<&directory::Peer::range>},
    {"directory.reconcile", servers, false, &Core::op_read<&directory::Peer::reconcile>},
    {"directory.relay", clients, true, &Core::op_directory_relay},
    {"domain.get", clients, true, &Core::op_domain_get},
    {"keys.associate", clients, true, &Core::op_associate},
    {"keys.history", clients, true, &Core::op_history},
    {"keys.lookup", everyone, true, &Core::op_lookup},
    {"keys.redirect", clients, true, &Core::op_redirect},
    {"mail.delete", clients, true, &Core::op_delete},
    {"mail.flag", clients, true, &Core::op_flag},
    {"mail.rewrap", clients, true, &Core::op_rewrap},
    {"mail.submit", clients, true, &Core::op_submit},
    {"mail.sync", clients, true, &Core::op_sync},
    {"relay.deliver", servers, true, &Core::op_deliver},
    {"relay.status", servers, true, &Core::op_status},
}};

std::optional<keys::Chain> own_chain(const Options& options) {
  const wire::Value* root = options.chain.find("root");
  if (!root) return std::nullopt;
  const auto record = keys::KeyRecord::parse(*root);
  if (!record) return std::nullopt;
  auto chain = keys::verify_chain(options.chain, options.domain, record->id());
  if (!chain) return std::nullopt;
  return std::move(*chain);
}

directory::PeerOptions peer_options(const Options& options) {
  directory::PeerOptions out;
  out.domain = options.domain;
  out.full = options.full_directory;
  out.peers = options.directory_peers;
  out.exchange = options.directory_exchange;
  out.exchange_secret = crypto::hmac_sha256(options.index_key, as_bytes("AMS-EXCHANGE/1"));
  out.interval = options.directory_interval;
  out.quota = options.directory_quota;
  out.work_bits = options.directory_work_bits;
  out.requests_per_s = options.directory_rate;
  return out;
}

}  // namespace

std::vector<std::string> Core::op_names(bool mail) {
  std::vector<std::string> names{"authenticate", "bye", "hello", "ping"};
  if (mail) names.emplace_back("blob.put");
  for (const Op& op : all_ops)
    if (mail || !op.mail) names.emplace_back(op.name);
  std::sort(names.begin(), names.end());
  return names;
}

Core::Core(Options options, const crypto::SigningKey& op, const storage::Reader& reader,
           ByteView seed32, Instant now)
    : options_(std::move(options)),
      op_(op),
      reader_(reader),
      drbg_(seed32),
      now_(now),
      chain_(own_chain(options_)),
      peer_(peer_options(options_), &op, reader, now),
      lookups_(std::max<std::int64_t>(options_.lookup_burst, 1),
               std::max<std::int64_t>(options_.lookups_per_day, 1)),
      ops_(op_names(options_.mail)) {
  AMS_ASSERT(chain_.has_value());  // the operator's own configuration
  AMS_ASSERT(options_.index_key.size() == 32 && options_.row_key.size() == 32);
  if (options_.mail) binding_log_ = BindingLog::open(options_, chain_->record, reader_);
  if (options_.mail && !mutant("server.lose_queue_on_restart")) load_queue();
  timers_.arm({TimerKind::sweep, 0, {}}, now_ + sweep_interval);
  later([this] { pump_peer(); });
  start_showing();
}

// --- work and effects
// --------------------------------------------------------------------------------

std::optional<machine::Effect> Core::poll() {
  while (effects_.empty()) {
    if (!work_.empty()) {
      const auto piece = std::move(work_.front());
      work_.pop_front();
      piece();
      continue;
    }
    if (!dirty_.empty()) {
      const ConnId id = dirty_.front();
      dirty_.pop_front();
      Conn* conn = find_conn(id);
      if (!conn) continue;
      auto effect = conn->session.poll();
      if (!effect) {
        conn->queued = false;
        rearm(*conn);
        continue;
      }
      dirty_.push_back(id);
      session_effect(id, std::move(*effect));
      continue;
    }
    const auto due = timers_.pop_due(now_);
    if (!due) return std::nullopt;
    switch (due->kind) {
      case TimerKind::conn:
        conn_due(due->id);
        break;
      case TimerKind::link:
        link_failed(due->domain);
        break;
      case TimerKind::lane:
        pump(due->domain);
        break;
      case TimerKind::directory:
        peer_.handle_timeout(now_);
        pump_peer();
        break;
      case TimerKind::sweep:
        sweep();
        break;
      case TimerKind::showing:
        want_showing();
        break;
    }
  }
  machine::Effect effect = std::move(effects_.front());
  effects_.pop_front();
  return effect;
}

void Core::commit(storage::WriteBatch batch, OnDurable then) {
  const machine::BatchId id = next_batch_++;
  commits_.emplace(id, std::move(then));
  effects_.push_back(machine::Commit{id, std::move(batch)});
}

void Core::commit(Txn& txn, OnDurable then) {
  if (!txn.status()) {
    later([then = std::move(then), why = txn.status()] { then(why); });
    return;
  }
  commit(txn.take(), std::move(then));
}

void Core::handle_durable(machine::BatchId batch, const Result<>& outcome) {
  const auto at = commits_.find(batch);
  if (at == commits_.end()) return;
  if (!outcome) log(machine::Log::Level::error, "storage refused a commit");
  if (!outcome && binding_log_) binding_log_->forget();
  if (outcome) log_committed();
  later([then = std::move(at->second), outcome] { then(outcome); });
  commits_.erase(at);
}

void Core::when_stable(OnDurable then) {
  if (commits_.empty()) return then({});
  commit(storage::WriteBatch{}, std::move(then));
}

// --- answers
// -----------------------------------------------------------------------------------------

void Core::ok(const Asked& to, wire::Value value) {
  Conn* conn = find_conn(to.conn);
  if (!conn) return;
  conn->working -= conn->working > 0 ? 1 : 0;
  conn->session.answer(to.id, std::move(value));
  if (shutting_down_ && conn->working == 0) conn->session.close(Code::shutting_down);
  touch(*conn);
}

void Core::refuse(const Asked& to, const Error& why, std::optional<std::int64_t> retry_after_s) {
  Conn* conn = find_conn(to.conn);
  if (!conn) return;
  conn->working -= conn->working > 0 ? 1 : 0;
  conn->session.fail(to.id, why, retry_after_s);
  if (shutting_down_ && conn->working == 0) conn->session.close(Code::shutting_down);
  touch(*conn);
}

void Core::answer_stable(const Asked& to, wire::Value value) {
  if (commits_.empty()) return ok(to, std::move(value));
  when_stable([this, to, value = std::move(value)](const Result<>& outcome) {
    if (!outcome) return refuse(to, outcome.error());
    ok(to, value);
  });
}

void Core::dispatch(Conn& conn, session::RequestIn request) {
  const Asked to{conn.id, request.id};
  ++conn.working;
  if (shutting_down_) return refuse(to, Error{Code::shutting_down, "op"});
  const auto op = std::find_if(all_ops.begin(), all_ops.end(), [&](const Op& o) {
    return o.name == request.op && (options_.mail || !o.mail);
  });
  if (op == all_ops.end())
    return refuse(
        to, Error{mutant("server.wrong_code_unsupported") ? Code::request_shape : Code::unsupported,
                  "op"});  // OPS-4
  const bool client = !conn.addr.empty();
  if ((op->who & (client ? clients : servers)) == 0 && !mutant("server.skip_role"))
    return refuse(to, Error{Code::wrong_role, "op"});  // OPS-5
  if (client && !conn.enrolled && op->name != "account.enrol" &&
      !mutant("session.accept_unenrolled"))
    return refuse(to,
                  Error{Code::auth_key, "op"});  // SES-8, also for ops sent before Greeted was seen
  if (auto done = (this->*op->handler)(to, conn, request.args); !done) refuse(to, done.error());
}

// --- the public face
// ---------------------------------------------------------------------------------

struct Server::Impl : Core {
  using Core::Core;
};

Server::Server(Options options, const crypto::SigningKey& op, const storage::Reader& reader,
               ByteView seed32, Instant now)
    : impl_(std::make_unique<Impl>(std::move(options), op, reader, seed32, now)) {}
Server::~Server() = default;

void Server::handle_accepted(machine::ConnId conn, const Hash& exporter, Instant now) {
  impl_->now_ = now;
  impl_->accepted(conn, exporter);
}
void Server::handle_connected(machine::Token token, machine::ConnId conn, const Hash& exporter,
                              Instant now) {
  impl_->now_ = now;
  impl_->connected(token, conn, exporter);
}
void Server::handle_address(machine::Token token, ByteView address) {
  impl_->reached(token, address);
}
void Server::handle_connect_failed(machine::Token token, Instant now) {
  impl_->now_ = now;
  impl_->later([impl = impl_.get(), token] { impl->connect_failed(token); });
}
void Server::handle_resolved(const std::string& domain, const std::optional<keys::Discovery>& found,
                             Instant now) {
  impl_->now_ = now;
  impl_->later([impl = impl_.get(), domain, found] { impl->resolved(domain, found); });
}
void Server::handle_bytes(machine::ConnId conn, ByteView bytes, Instant now) {
  impl_->now_ = now;
  impl_->bytes_in(conn, bytes);
}
void Server::handle_closed(machine::ConnId conn, Instant now) {
  impl_->now_ = now;
  impl_->later([impl = impl_.get(), conn] { impl->conn_gone(conn); });
}
void Server::handle_durable(machine::BatchId batch, const Result<>& outcome, Instant now) {
  impl_->now_ = now;
  impl_->handle_durable(batch, outcome);
}
void Server::handle_timeout(Instant now) { impl_->now_ = now; }

std::optional<machine::Effect> Server::poll() { return impl_->poll(); }

std::optional<Instant> Server::timeout() const { return impl_->timers_.next(); }

Result<storage::WriteBatch> Server::drop_card(const Id16& kid) {
  return impl_->peer_.drop_card(kid);
}

Stats Server::stats() const {
  Stats stats = impl_->stats_;
  stats.connections = impl_->conns_.size();
  for (const auto& [domain, lane] : impl_->lanes_) stats.queue_depth += lane.entries.size();
  stats.directory = impl_->peer_.stats();
  return stats;
}

void Server::shut_down(Instant now) {
  impl_->now_ = now;
  impl_->later([impl = impl_.get()] { impl->shut_down(); });
}

}  // namespace ams::server
