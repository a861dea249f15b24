// World: server machines and raw client sessions in one thread, joined by queues of bytes, over
// memory storages; time moves only when a test says so. A server can be cut off at any effect and
// started again.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/overload.h"
#include "mail/letter.h"
#include "server/server.h"
#include "store/memory.h"

namespace ams::server::testing {

inline constexpr std::int64_t start_ms = 1'790'000'000'000;

inline keys::KeyPair make_key(std::string_view name,
                              keys::Custody custody = keys::Custody::client) {
  crypto::Drbg drbg(crypto::sha256(as_bytes(name)));
  const Bytes entropy = drbg.bytes(80);
  const std::int64_t nbf = start_ms - 86'400'000;
  return std::move(*keys::make_modern(entropy, {nbf, nbf + keys::key_life_ms_max, custody}));
}

class World;

/// A domain's server, its storage, and what a restart needs.
struct Node {
  Node(World& world, std::string domain);
  void start();
  void crash();  // power cut: what is not durable is gone, connections break
  void perform(machine::Effect effect);
  void drain();
  void settle_commits();

  World& world;
  std::string domain;
  keys::KeyPair root, op;
  Options options;
  store::MemoryStorage storage;
  std::unique_ptr<Server> server;
  std::vector<machine::BatchId> undurable;
  bool reachable = true;  // for connections of others
  bool discoverable = true;
  bool by_dns = false;                  // discovery of it proves nothing (DOM-14)
  std::optional<keys::KeyId> dns_root;  // what DNS says its root is, when that is not true
  std::vector<std::pair<std::string, bool>> resolves = {};  // what it asked, and whether in doubt
  bool hold_commits =
      false;  // commits do not become durable until this is off and settle_commits() ran
  std::uint64_t effects = 0;
  std::uint64_t crash_at = 0;  // effect number before which power fails; 0: never
  std::uint64_t starts = 0;
  std::set<machine::ConnId> conns;
};

/// One device's session with its server.
class Device {
 public:
  Device(World& world, std::string addr, std::string_view device);
  ~Device();
  void connect(const std::string& domain);
  /// The same as another domain's server would: with its chain, its op key and the blobs in
  /// `serving`.
  void connect_as(const Node& server, const std::string& domain);
  bool open() const { return session && session->open(); }
  std::int64_t send(std::string op, wire::Value args);
  /// The answer, once the world has come to rest; peer_unreachable when none came.
  Result<wire::Value> call(std::string op, wire::Value args);
  Result<wire::Value> put(ByteView bytes);
  Result<Bytes> get(const Hash& hash);
  void pump();

  void dial(const std::string& domain, session::HelloInfo hello, const crypto::SigningKey& proof);

  World& world;
  std::string addr;
  crypto::SigningKey key;
  std::unique_ptr<session::Session> session;
  machine::ConnId conn = 0;
  std::map<Hash, Bytes> serving;
  std::uint64_t served = 0;
  std::map<std::int64_t, Result<wire::Value>> answers;
  std::map<std::int64_t, Result<Bytes>> blobs;
  std::vector<session::EventIn> events;
  std::optional<session::Close> closed;
};

class World {
 public:
  Node& add(const std::string& domain);
  Node& node(const std::string& domain) { return *nodes.at(domain); }
  /// Moves bytes until nothing moves; time stands still.
  void run();
  /// Lets time pass, waking each server when it asks.
  void advance(Duration by);
  void post(std::function<void()> piece) { queue.push_back(std::move(piece)); }
  void close_conn(machine::ConnId mine);
  void deliver(machine::ConnId from, Bytes bytes);

  struct End {
    Node* node = nullptr;  // either of the two
    Device* device = nullptr;
    machine::ConnId peer = 0;
  };
  Instant now = from_unix_ms(start_ms);
  std::map<std::string, std::unique_ptr<Node>> nodes;
  std::map<machine::ConnId, End> ends;
  std::deque<std::function<void()>> queue;
  machine::ConnId next_conn = 1;
  std::uint64_t bytes_moved = 0;
};

// --- accounts and mail
// -------------------------------------------------------------------------------

struct Account {
  Account(World& world, const std::string& address, std::string_view device_name = "laptop");
  /// Creates the account's rows, enrols, associates. Expects success.
  void create();
  Result<wire::Value> enrol();
  Result<wire::Value> associate(std::int64_t version = 1);
  void connect() { device.connect(domain); }

  World& world;
  std::string addr, domain;
  keys::KeyPair pair;
  Hash token;
  Device device;
  wire::Value binding;
};

/// A sealed mail and the args of its submission.
struct Letter {
  mail::Sealed sealed;
  wire::Object args;
  Hash ehash{};
};
struct LetterOptions {
  std::int64_t life_ms = 5LL * 86'400'000;
  std::int64_t ts_offset_ms = 0;
  bool sent_copy = false;
  std::vector<Bytes> attachments = {};
  wire::Value proof = {};  // of the sender's binding (MSG-37)
};
Letter write_letter(Account& from, const std::vector<const Account*>& to, std::string_view subject,
                    const LetterOptions& options = {});
/// Puts all blobs; the last answer.
Result<wire::Value> put_blobs(Account& from, const Letter& letter);
Result<wire::Value> submit(Account& from, const Letter& letter);
/// All changes of a mailbox from `since`.
std::vector<wire::Value> sync_all(Account& account, std::int64_t since = 0);
/// Messages in a folder, not counting those deleted.
std::vector<wire::Value> folder(Account& account, std::string_view name);
Code code_of(const Result<wire::Value>& outcome);

}  // namespace ams::server::testing
