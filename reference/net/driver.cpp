#include "net/driver.h"

#include <utility>

#include "net/dial.h"

namespace ams::net {

Driver::Driver(Loop& loop, machine::Machine& machine, storage::Storage& storage, Log& log,
               DriverOptions options)
    : loop_(loop), machine_(machine), storage_(storage), log_(log), options_(std::move(options)) {}

Driver::~Driver() {
  for (auto& [conn, connection] : connections_) connection->abort();
}

void Driver::later(std::function<void()> call) {
  loop_.post([alive = std::weak_ptr(alive_), call = std::move(call)] {
    if (!alive.expired()) call();
  });
}

machine::ConnId Driver::adopt(ConnectionPtr connection) {
  const machine::ConnId conn = conn_next_++;
  connections_.emplace(conn, std::move(connection));
  return conn;
}

void Driver::accept(ConnectionPtr connection) {
  ++counts_.accepted;
  const machine::ConnId conn = adopt(connection);
  log_.debug("accepted", {{"conn", conn}, {"peer", connection->peer()}});
  machine_.handle_accepted(conn, connection->exporter(), loop_.now());
  drain();
  start(conn, connection);
}

void Driver::start(machine::ConnId conn, const ConnectionPtr& connection) {
  const std::weak_ptr<bool> alive = alive_;
  connection->start(
      [this, alive, conn](ByteView bytes) {
        if (alive.expired()) return;
        machine_.handle_bytes(conn, bytes, loop_.now());
        drain();
      },
      [this, alive, conn](std::string_view reason) {
        if (alive.expired() || connections_.erase(conn) == 0) return;
        log_.debug("closed", {{"conn", conn}, {"reason", reason}});
        machine_.handle_closed(conn, loop_.now());
        drain();
      });
}

void Driver::drain() {
  while (auto effect = machine_.poll()) {
    std::visit([this](auto& e) { perform(std::move(e)); }, *effect);
  }
  arm_timer();
}

void Driver::perform(machine::Send effect) {
  const auto found = connections_.find(effect.conn);
  // The connection may have ended while the machine's words were on their way.
  if (found != connections_.end()) found->second->send(std::move(effect.bytes));
}

void Driver::perform(machine::CloseConn effect) {
  const auto found = connections_.find(effect.conn);
  if (found == connections_.end()) return;
  found->second->close();
  connections_.erase(found);
}

void Driver::find_site(const std::string& domain, SiteFinder::OnSite done) {
  if (const auto found = options_.discover(domain)) {
    const Site site{*found, {{found->host, found->port, found->certificate_pin}}};
    return later([done = std::move(done), site] { done(site); });
  }
  if (!options_.dns) {
    return later([done = std::move(done)] { done(tl::unexpected<std::string>("not discovered")); });
  }
  options_.dns->find(domain, [alive = std::weak_ptr(alive_), done = std::move(done)](auto& found) {
    if (!alive.expired()) done(found);
  });
}

void Driver::perform(machine::Connect effect) {
  const std::string domain = effect.domain;
  find_site(domain, [this, effect = std::move(effect)](const auto& site) {
    if (!site) return fail_connect(effect, site.error());
    dial(effect, *site);
  });
}

void Driver::dial(const machine::Connect& effect, const Site& site) {
  Dns* resolver = site.discovery.unproven ? &options_.dns->dns() : nullptr;
  net::dial(loop_, options_.client_tls, site.servers, options_.connection, resolver,
            [this, alive = std::weak_ptr(alive_), effect](auto result) {
              if (alive.expired()) return;
              if (!result) {
                if (options_.dns) options_.dns->doubt(effect.domain);
                return fail_connect(effect, result.error());
              }
              ++counts_.connected;
              const machine::ConnId conn = adopt(*result);
              log_.debug("connected", {{"conn", conn}, {"domain", effect.domain}});
              machine_.handle_address(effect.token, (*result)->peer_address());
              machine_.handle_connected(effect.token, conn, (*result)->exporter(), loop_.now());
              drain();
              start(conn, *result);
            });
}

void Driver::fail_connect(const machine::Connect& effect, const std::string& reason) {
  log_.warn("connect_failed", {{"domain", effect.domain}, {"reason", reason}});
  machine_.handle_connect_failed(effect.token, loop_.now());
  drain();
}

void Driver::perform(machine::Resolve effect) {
  if (effect.doubted && options_.dns) options_.dns->doubt(effect.domain);
  find_site(effect.domain, [this, domain = effect.domain](const auto& site) {
    if (!site) log_.info("not_discovered", {{"domain", domain}, {"reason", site.error()}});
    std::optional<keys::Discovery> found;
    if (site) found = site->discovery;
    machine_.handle_resolved(domain, found, loop_.now());
    drain();
  });
}

void Driver::perform(machine::Log effect) {
  switch (effect.level) {
    case machine::Log::Level::debug:
      return log_.debug("machine", {{"what", effect.what}});
    case machine::Log::Level::info:
      return log_.info("machine", {{"what", effect.what}});
    case machine::Log::Level::warning:
      return log_.warn("machine", {{"what", effect.what}});
    case machine::Log::Level::error:
      return log_.error("machine", {{"what", effect.what}});
  }
}

void Driver::perform(machine::Commit effect) { join_group(effect.writes, {effect.batch, {}, {}}); }

void Driver::write(const storage::WriteBatch& writes, std::function<void(const Result<>&)> done) {
  join_group(writes, {0, {}, std::move(done)});
}

void Driver::join_group(const storage::WriteBatch& writes, Pending pending) {
  // The first of a group asks for the commit; posted behind what the loop has ready, so that inputs
  // which already arrived share its fsync.
  if (group_.empty()) later([this] { commit_group(); });
  pending.applied = storage_.apply(writes);
  group_.push_back(std::move(pending));
}

void Driver::commit_group() {
  if (group_.empty()) return;
  const auto group = std::exchange(group_, {});
  const Result<> committed = storage_.commit();
  ++counts_.commits;
  counts_.batches += group.size();
  if (!committed)
    log_.error("commit_failed", {{"step", committed.error().where}, {"batches", group.size()}});
  for (const Pending& pending : group) {
    const Result<>& outcome = pending.applied ? committed : pending.applied;
    if (pending.done) {
      pending.done(outcome);
    } else {
      machine_.handle_durable(pending.batch, outcome, loop_.now());
    }
  }
  drain();
}

void Driver::arm_timer() {
  const auto due = machine_.timeout();
  if (due == armed_for_) return;
  armed_for_ = due;
  timer_ = {};
  if (!due) return;
  timer_ = loop_.call_at(*due, [this] {
    armed_for_.reset();
    machine_.handle_timeout(loop_.now());
    drain();
  });
}

void Driver::shut_down() {
  // What becomes durable may ask for more writes, but not for ever.
  for (int round = 0; round < 16 && !group_.empty(); ++round) commit_group();
  for (auto& [conn, connection] : connections_) connection->close();
  connections_.clear();
}

}  // namespace ams::net
