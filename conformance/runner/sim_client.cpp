#include "runner/sim_client.h"

#include <deque>
#include <map>
#include <sstream>

#include "base/overload.h"
#include "client_adapter/desk.h"
#include "judge/objects.h"
#include "runner/sim_wire.h"
#include "runner/suite_domain.h"
#include "store/memory.h"

namespace ams::conform {
namespace {

constexpr std::int64_t client_start_ms = 1'790'000'000'000;
using client_adapter::Desk;

/// One device, with a disk for each account folder.
struct ClientWorld final : Target, ClientPort {
  ClientWorld()
      : device(crypto::SigningKey::ed25519_from_seed(crypto::sha256(as_bytes("device")))) {
    domain = suite_name;
    listening = "127.0.0.1 7747 -";
  }

  // --- Target
  std::string name() const override { return "reference client, simulated"; }
  std::unique_ptr<Channel> connect() override { return nullptr; }
  std::unique_ptr<Channel> accept(Millis at_most) override {
    return accept_sim_end(*this, at_most);
  }
  std::int64_t unix_ms() override { return client_start_ms + elapsed.count(); }
  Millis clock() override { return elapsed; }
  bool simulated() const override { return true; }
  void advance(Millis by) override {
    wait_until(by, [] { return false; });
  }
  ClientPort* client() override { return this; }

  // --- ClientPort
  void command(const std::string& line) override {
    const Json request = Json::parse(line);
    const std::string op = request.at("op");
    const Json &id = request.at("id"), &args = request.at("args");
    if (op == "client.open")
      open(id, args);
    else if (!desk || !client_adapter::knows(op))
      ready.push_back(client_adapter::refusal(id, Error{Code::unsupported, "op"}).dump());
    else
      desk->ask(id, op, args, now());
    run();
  }
  std::optional<std::string> answer() override {
    if (ready.empty()) return std::nullopt;
    std::string out = std::move(ready.front());
    ready.pop_front();
    return out;
  }
  void wait(const std::vector<Channel*>&, Millis at_most) override {
    wait_until(at_most, [&] { return heard || !ready.empty() || !incoming.empty(); });
    heard = false;
  }
  std::string fresh_state() override { return std::to_string(disks.size() + 1); }

  // --- the world
  Instant now() const { return from_unix_ms(client_start_ms + elapsed.count()); }

  void open(const Json& id, const Json& args) {
    close();
    hosts.clear();
    for (const std::string line : args.at("hosts")) {
      std::istringstream words(line);
      std::string host, kid, fp;
      keys::Discovery found;
      std::string named;
      words >> named >> found.host >> found.port >> kid >> fp;
      found.root.kid = from_uuid_text(kid).value_or(Id16{});
      found.root.fp = *to_array<32>(ByteView(from_hex(fp).value_or(Bytes(32))));
      hosts[named] = found;
    }
    disk = &disks[args.at("state").get<std::string>()];
    client::Options options;
    options.addr = args.at("addr").get<std::string>();
    Bytes seed = to_bytes(std::string_view("client"));
    append_u64(seed, ++starts);
    machine = std::make_unique<client::Client>(options, device, *disk, crypto::sha256(seed), now());
    desk = std::make_unique<Desk>(*machine, id);
    if (!machine->ready())
      machine->enrol(*to_array<32>(ByteView(unb64(args.at("token")))), std::nullopt, now());
  }
  /// As a power cut would.
  void close() {
    for (auto& [id, end] : ends) end->closed = true;
    ends.clear();
    incoming.clear();
    undurable.clear();
    desk.reset();
    machine.reset();
    if (disk) disk->crash();
  }
  void drop(machine::ConnId id) {
    if (ends.erase(id) == 0 || !machine) return;
    machine->handle_closed(id, now());
    run();
  }

  std::optional<Instant> due() const {
    const auto ours = machine ? machine->timeout() : std::nullopt;
    const auto desks = desk ? desk->due() : std::nullopt;
    return ours && desks ? std::min(*ours, *desks) : ours ? ours : desks;
  }
  template <class Done>
  void wait_until(Millis at_most, Done done) {
    step_until(*this, at_most, done);
  }

  void run() {
    while (machine && step()) {
    }
    if (!desk) return;
    desk->look(now());
    if (auto answer = desk->poll()) ready.push_back(answer->dump());
  }
  bool step() {
    if (auto effect = machine->poll()) {
      perform(*effect);
      return true;
    }
    if (auto report = machine->poll_report()) {
      desk->hear(std::move(*report));
      return true;
    }
    if (undurable.empty()) return false;
    const auto batches = std::exchange(undurable, {});
    const auto outcome = disk->commit();
    for (const machine::BatchId batch : batches) machine->handle_durable(batch, outcome, now());
    return true;
  }

  void perform(machine::Effect& effect) {
    std::visit(Overload{
                   [&](machine::Send& e) {
                     const auto at = ends.find(e.conn);
                     if (at == ends.end()) return;
                     append(at->second->inbox, e.bytes);
                     heard = true;
                   },
                   [&](machine::CloseConn& e) {
                     const auto at = ends.find(e.conn);
                     if (at == ends.end()) return;
                     at->second->closed = heard = true;
                     ends.erase(at);
                   },
                   [&](machine::Connect& e) { connected(e); },
                   [&](machine::Resolve& e) {
                     const auto at = hosts.find(e.domain);
                     const bool known = at != hosts.end();
                     machine->handle_resolved(
                         e.domain, known ? std::optional(at->second) : std::nullopt, now());
                   },
                   [&](machine::Commit& e) {
                     if (const auto applied = disk->apply(e.writes); !applied)
                       return machine->handle_durable(e.batch, applied, now());
                     undurable.push_back(e.batch);
                   },
                   [](machine::Log&) {},
               },
               effect);
  }
  void connected(const machine::Connect& e) {
    if (e.domain != suite_name) return machine->handle_connect_failed(e.token, now());
    auto end = make_sim_end(next_id++);
    ends.emplace(end->id, end);
    incoming.push_back(end);
    machine->handle_connected(e.token, end->id, end->exporter, now());
  }

  crypto::SigningKey device;
  std::map<std::string, keys::Discovery> hosts;
  std::map<std::string, store::MemoryStorage> disks;
  store::MemoryStorage* disk = nullptr;
  std::unique_ptr<client::Client> machine;
  std::unique_ptr<Desk> desk;
  std::map<machine::ConnId, std::shared_ptr<SimEnd>> ends;
  std::deque<std::shared_ptr<SimEnd>> incoming;
  std::vector<machine::BatchId> undurable;
  std::deque<std::string> ready;
  bool heard = false;
  Millis elapsed{0};
  machine::ConnId next_id = 1;
  std::uint64_t starts = 0;
};

}  // namespace

std::unique_ptr<Target> make_simulated_client() { return std::make_unique<ClientWorld>(); }

}  // namespace ams::conform
