#include "runner/sim_target.h"

#include <deque>
#include <map>

#include "base/overload.h"
#include "judge/objects.h"
#include "runner/sim_wire.h"
#include "runner/suite_domain.h"
#include "server/server.h"
#include "store/memory.h"

namespace ams::conform {
namespace {

constexpr std::int64_t start_ms = 1'790'000'000'000;
constexpr int accounts = 8;

keys::KeyPair pair_of(const std::string& name, keys::Custody custody = keys::Custody::client) {
  crypto::Drbg drbg(crypto::sha256(as_bytes("simulated " + name)));
  const Bytes entropy = drbg.bytes(80);
  const std::int64_t nbf = start_ms - 86'400'000;
  return std::move(*keys::make_modern(entropy, {nbf, nbf + keys::key_life_ms_max, custody}));
}

struct World final : Target {
  explicit World(const TargetOptions& wanted)
      : root(pair_of("root")),
        op(pair_of("op")),
        suite(suite_domain(start_ms)),
        second(make_domain(second_suite_name, second_suite_name, start_ms)) {
    domain = "target.test";
    root_kid = to_uuid_text(root.record.id().kid);
    root_fp = to_hex(root.record.id().fp);
    has_peer = true;
    keys::DomainPolicy policy = keys::isp_policy();
    if (wanted.corporate || wanted.groups) {
      const keys::KeyPair common = pair_of("shared", keys::Custody::corporate);
      shared = to_string(wire::encode(common.record.value()));
      policy.terms = {keys::Policy::corporate, 0, {{"", common.record.id()}}};
      if (wanted.groups) policy.terms = {keys::Policy::groups, 0, {{"team", common.record.id()}}};
    }
    const keys::DomainRecord record{domain,
                                    root.record.id(),
                                    op.record.id(),
                                    policy,
                                    1,
                                    server::binding_log_keys(Bytes(32, 1))};
    options.domain = domain;
    options.chain =
        keys::chain_value(*keys::make_domain_record(record, root.signing), root.record, op.record);
    options.index_key = Bytes(32, 1);
    options.row_key = Bytes(32, 2);
    if (wanted.queue_max) options.queue_max = wanted.queue_max;
    if (wanted.mailbox_bytes_max) options.mailbox_bytes_max = wanted.mailbox_bytes_max;
    if (wanted.connections_max) options.connections_max = wanted.connections_max;
    if (wanted.directory_quota) options.directory_quota = wanted.directory_quota;
    if (wanted.directory_work)
      options.directory_work_bits = static_cast<int>(wanted.directory_work);
    if (wanted.directory_rate) options.directory_rate = wanted.directory_rate;
    if (wanted.lookup_burst) options.lookup_burst = options.lookups_per_day = wanted.lookup_burst;
    full = wanted.directory != 0;
    options.mail = !full;
    options.full_directory = full;
    if (full) options.directory_peers = {suite.name};
    for (int i = 1; !full && i <= accounts; ++i)
      add_account("user" + std::to_string(i) + "@" + domain);
    if (wanted.groups)
      for (const int i : {4, 5})  // a case's f1 and f2: the first two that nobody keeps
        add_member("user" + std::to_string(i) + "@" + domain);
    start();
  }

  void add_member(const std::string& addr) {
    const auto rows = server::member_rows(options, storage, {"team", addr});
    AMS_ASSERT(rows && storage.apply(*rows) && storage.commit());
  }

  void add_account(const std::string& addr) {
    server::NewAccount account;
    account.addr = addr;
    const Hash seed = crypto::sha256(as_bytes(addr));
    std::copy_n(seed.begin(), account.acct.size(), account.acct.begin());
    account.token = crypto::sha256(seed);
    account.created = start_ms - 86'400'000;
    if (const auto rows = server::account_rows(options, storage, account))
      if (storage.apply(*rows) && storage.commit()) grants.push_back({addr, account.token});
  }

  void start() {
    Bytes seed = to_bytes(std::string_view("conform"));
    append_u64(seed, ++starts);
    machine =
        std::make_unique<server::Server>(options, op.signing, storage, crypto::sha256(seed), now());
    run();
  }

  // --- Target
  std::string name() const override {
    return full ? "reference directory, simulated" : "reference server, simulated";
  }
  std::unique_ptr<Channel> connect() override {
    auto end = new_end();
    machine->handle_accepted(end->id, end->exporter, now());
    run();
    return std::make_unique<SimChannel<World>>(*this, std::move(end));
  }
  std::unique_ptr<Channel> accept(Millis at_most) override {
    return accept_sim_end(*this, at_most);
  }
  std::int64_t unix_ms() override { return start_ms + elapsed.count(); }
  Millis clock() override { return elapsed; }
  bool simulated() const override { return true; }
  void advance(Millis by) override {
    wait_until(by, [] { return false; });
  }
  void set_faults(const Faults& wanted) override {
    faults = wanted;
    storage.faults().fail_next_commit = wanted.fail_next_commit;
    run();
  }
  void restart() override {
    storage.crash();
    for (auto& [id, end] : ends) end->closed = true;
    ends.clear();
    undurable.clear();
    start();
  }

  // --- the world
  Instant now() const { return from_unix_ms(start_ms + elapsed.count()); }

  std::shared_ptr<SimEnd> new_end() {
    auto end = make_sim_end(next_id++);
    ends.emplace(end->id, end);
    return end;
  }

  void drop(machine::ConnId id) {
    if (ends.erase(id) == 0) return;
    machine->handle_closed(id, now());
    run();
  }

  std::optional<Instant> due() const { return machine->timeout(); }
  template <class Done>
  void wait_until(Millis at_most, Done done) {
    step_until(*this, at_most, done);
  }

  void run() {
    for (;;) {
      while (auto effect = machine->poll()) perform(*effect);
      if (undurable.empty() || faults.hold_commits) return;
      const auto batches = std::exchange(undurable, {});
      const auto outcome = storage.commit();
      for (const machine::BatchId batch : batches) machine->handle_durable(batch, outcome, now());
    }
  }

  void perform(machine::Effect& effect) {
    std::visit(Overload{
                   [&](machine::Send& e) {
                     if (const auto at = ends.find(e.conn); at != ends.end())
                       append(at->second->inbox, e.bytes);
                   },
                   [&](machine::CloseConn& e) {
                     if (const auto at = ends.find(e.conn); at != ends.end()) {
                       at->second->closed = true;
                       ends.erase(at);
                     }
                   },
                   [&](machine::Connect& e) {
                     if (e.domain != suite.name || faults.peer_down)
                       return machine->handle_connect_failed(e.token, now());
                     auto end = new_end();
                     incoming.push_back(end);
                     machine->handle_connected(e.token, end->id, end->exporter, now());
                   },
                   [&](machine::Resolve& e) {
                     std::optional<keys::Discovery> found;
                     for (const Domain* one : {&suite, &second}) {
                       if (e.domain != one->name) continue;
                       found.emplace();
                       found->host = one->name;
                       found->port = 7747;
                       found->root.kid = *from_uuid_text(one->root.kid);
                       found->root.fp = one->root.fp;
                     }
                     machine->handle_resolved(e.domain, found, now());
                   },
                   [&](machine::Commit& e) {
                     if (const auto applied = storage.apply(e.writes); !applied)
                       return machine->handle_durable(e.batch, applied, now());
                     undurable.push_back(e.batch);
                   },
                   [](machine::Log&) {},
               },
               effect);
  }

  keys::KeyPair root, op;
  Domain suite, second;
  server::Options options;
  store::MemoryStorage storage;
  std::unique_ptr<server::Server> machine;
  std::map<machine::ConnId, std::shared_ptr<SimEnd>> ends;
  std::deque<std::shared_ptr<SimEnd>> incoming;
  std::vector<machine::BatchId> undurable;
  Faults faults;
  Millis elapsed{0};
  machine::ConnId next_id = 1;
  std::uint64_t starts = 0;
};

}  // namespace

std::unique_ptr<Target> make_simulated(const TargetOptions& options) {
  return std::make_unique<World>(options);
}

}  // namespace ams::conform
