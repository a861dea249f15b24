// Driver: gives a state machine its sockets, its disk and its clock, and decides nothing.
//
// After every input it carries out all effects in order. Writes are applied at once, so the machine
// reads them; they are made durable by one commit for all that came in this turn of the loop, and
// only then the machine hears of it (group commit, spec STO-1, STO-2).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "machine/machine.h"
#include "net/connection.h"
#include "net/log.h"
#include "net/loop.h"
#include "net/site_finder.h"
#include "storage/storage.h"

namespace ams::net {

struct DriverOptions {
  TlsContext client_tls;
  ConnectionOptions connection;
  /// What the operator says of a domain (DOM-2, DOM-15); empty when he says nothing.
  std::function<std::optional<keys::Discovery>(const std::string& domain)> discover;
  /// Asked for domains of which `discover` knows nothing; may be absent.
  std::shared_ptr<SiteFinder> dns = {};
};

struct DriverCounts {  // since the start; for metrics and tests
  std::uint64_t accepted = 0;
  std::uint64_t connected = 0;
  std::uint64_t commits = 0;  // calls of Storage::commit
  std::uint64_t batches = 0;  // write batches in them
};

class Driver {
 public:
  /// Borrows all four; they outlive it.
  Driver(Loop& loop, machine::Machine& machine, storage::Storage& storage, Log& log,
         DriverOptions options);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// Takes over an accepted connection: the Listener's callback.
  void accept(ConnectionPtr connection);
  /// Carries out the machine's effects; call it after the machine was given an input from
  /// elsewhere.
  void drain();
  /// A write that no machine asked for (an operator's): applied at once, durable with the group.
  /// `done` hears the outcome from the loop.
  void write(const storage::WriteBatch& writes, std::function<void(const Result<>&)> done);
  /// Commits what waits and ends all connections after what they have queued.
  void shut_down();

  std::size_t connection_count() const { return connections_.size(); }
  const DriverCounts& counts() const { return counts_; }

 private:
  void perform(machine::Send effect);
  void perform(machine::CloseConn effect);
  void perform(machine::Connect effect);
  void perform(machine::Resolve effect);
  void perform(machine::Commit effect);
  void perform(machine::Log effect);
  machine::ConnId adopt(ConnectionPtr connection);
  void start(machine::ConnId conn, const ConnectionPtr& connection);
  /// `done` comes from the loop, unless the driver is gone by then.
  void find_site(const std::string& domain, SiteFinder::OnSite done);
  void dial(const machine::Connect& effect, const Site& site);
  void fail_connect(const machine::Connect& effect, const std::string& reason);
  void commit_group();
  void arm_timer();
  /// Runs `call` from the loop unless the driver is gone by then.
  void later(std::function<void()> call);

  struct Pending {
    machine::BatchId batch;  // of the machine, unless `done` is set
    Result<> applied;
    std::function<void(const Result<>&)> done;
  };
  void join_group(const storage::WriteBatch& writes, Pending pending);

  Loop& loop_;
  machine::Machine& machine_;
  storage::Storage& storage_;
  Log& log_;
  DriverOptions options_;
  DriverCounts counts_;
  std::map<machine::ConnId, ConnectionPtr> connections_;
  machine::ConnId conn_next_ = 1;
  std::vector<Pending> group_;
  Timer timer_;
  std::optional<Instant> armed_for_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ams::net
