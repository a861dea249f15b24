// For tests: one client, its storage, a fake server and the clock; step by step, with crashes at
// will.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "client/client.h"
#include "client/fake_server.h"
#include "client/tables.h"
#include "store/memory.h"

namespace ams::client::testing {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""s;

inline bool holds(const Bytes& haystack, ByteView needle) {
  return std::search(haystack.begin(), haystack.end(), needle.begin(), needle.end()) !=
         haystack.end();
}

class Bench {
 public:
  explicit Bench(std::uint8_t seed = 1, bool stay_connected = true)
      : drbg(Bytes(32, seed)),
        home(Domain::make("home.example", drbg)),
        away(Domain::make("away.example", drbg)),
        bob(Person::make(away, "bob", drbg)),
        carol(Person::make(home, "carol", drbg)),
        device(crypto::SigningKey::ed25519_from_seed(Bytes(32, 77))),
        server(home, alice) {
    options.addr = alice;
    options.stay_connected = stay_connected;
    server.token.fill(9);
    server.chains[away.name] = away.chain;
    server.know(bob);
    server.know(carol);
    discovered[home.name] = home.discovery();
    discovered[away.name] = away.discovery();
    boot();
  }

  void boot() {
    const Bytes seed = drbg.bytes(32);
    client = std::make_unique<Client>(options, device, disk, seed, now);
  }
  /// What a power cut leaves.
  void crash() {
    client.reset();
    disk.crash();
    undurable.clear();
    conn.reset();
    server.forget();
    boot();
  }

  /// Performs one effect, or else makes durable what waits; false when there is nothing to do.
  bool step() {
    if (auto effect = client->poll()) {
      perform(*effect);
      return true;
    }
    if (auto ask = client->poll_key_store()) {
      ++asked_store;
      on_ask(*ask);
      return true;
    }
    if (auto report = client->poll_report()) {
      reports.push_back(std::move(*report));
      return true;
    }
    if (!undurable.empty()) {
      const Result<> outcome = disk.commit();
      const auto batches = std::exchange(undurable, {});
      for (const auto id : batches) client->handle_durable(id, outcome, now);
      return true;
    }
    return talk();
  }
  void settle() {
    for (int i = 0; step(); ++i) ASSERT_LT(i, 100'000) << "it never settles";
  }
  /// Lets time pass, stopping at each deadline the client asks for.
  void run_for(Duration span) {
    const Instant end = now + span;
    settle();
    for (int i = 0; i < 10'000; ++i) {
      const auto due = client->timeout();
      if (!due || *due > end) break;
      now = std::max(now, *due);
      client->handle_timeout(now);
      settle();
    }
    now = end;
    client->handle_timeout(now);
    settle();
  }

  void enrol() {
    client->enrol(server.token, std::nullopt, now);
    settle();
    ASSERT_TRUE(client->ready());
    ASSERT_EQ(count<AccountReady>(), 1);
  }

  template <class T>
  int count() const {
    int n = 0;
    for (const Report& report : reports) n += std::holds_alternative<T>(report) ? 1 : 0;
    return n;
  }
  template <class T>
  const T* last() const {
    for (auto at = reports.rbegin(); at != reports.rend(); ++at)
      if (const T* found = std::get_if<T>(&*at)) return found;
    return nullptr;
  }

  mail::Draft draft(std::vector<std::string> to, std::vector<std::string> bcc = {}) {
    mail::Draft out;
    out.from = alice;
    out.to = to;
    out.deliver_to = std::move(to);
    for (std::string& addr : bcc) out.deliver_to.push_back(std::move(addr));
    out.date = to_unix_ms(now);
    out.subject = "Seeds";
    out.parts.push_back({"text/plain", "Twelve bags, as agreed."});
    return out;
  }
  /// Mail from a person to alice, in her mailbox.
  void deliver(const Person& from, const std::string& text,
               std::vector<mail::Attachment> attachments = {}) {
    server.add_message(server.as_message(sealed_by(from, text, std::move(attachments)), 0, "mail"));
  }
  mail::Sealed sealed_by(const Person& from, const std::string& text,
                         std::vector<mail::Attachment> attachments = {}) {
    mail::Draft letter;
    letter.from = from.addr;
    letter.to = letter.deliver_to = {alice};
    letter.date = to_unix_ms(now);
    letter.subject = "Re: Seeds";
    letter.parts.push_back({"text/plain", text});
    letter.attachments = std::move(attachments);
    const keys::KeyRecord* recipients[] = {&client->account_key()->record};
    mail::SealOptions seal_options;
    seal_options.ts = to_unix_ms(now);
    seal_options.mid = drbg.array<16>();
    seal_options.proof = stapled;
    return mail::seal(letter, from.pair, from.binding, recipients, seal_options, drbg).value();
  }
  void tell_and_settle() {
    server.push_changed();
    settle();
  }
  /// Breaks the connection under the client.
  void cut() {
    server.forget();
    if (auto gone = std::exchange(conn, std::nullopt)) client->handle_closed(*gone, now);
  }

  const std::string alice = "alice@home.example";
  crypto::Drbg drbg;
  Domain home, away;
  Person bob, carol;
  crypto::SigningKey device;
  FakeServer server;
  Options options;
  store::MemoryStorage disk;
  Instant now = from_unix_ms(start_ms);
  std::map<std::string, std::optional<keys::Discovery>> discovered;
  bool reachable = true;
  std::unique_ptr<Client> client;
  std::vector<Report> reports;
  std::vector<machine::BatchId> undurable;
  std::optional<machine::ConnId> conn;
  machine::ConnId next_conn = 1;
  int resolves = 0;
  int asked_store = 0;
  wire::Value stapled = {};  // to the letters that deliver() seals
  std::function<void(const KeyStoreAsk&)> on_ask = [](const KeyStoreAsk&) {};

 private:
  void perform(machine::Effect& effect) {
    std::visit(Overload{[&](machine::Send& e) {
                          if (conn == e.conn) server.receive(e.bytes, now);
                        },
                        [&](machine::CloseConn& e) {
                          if (conn == e.conn) conn.reset();
                        },
                        [&](machine::Connect& e) { connect(e.token); },
                        [&](machine::Resolve& e) {
                          ++resolves;
                          client->handle_resolved(e.domain, discovered[e.domain], now);
                        },
                        [&](machine::Commit& e) {
                          if (auto applied = disk.apply(e.writes); !applied)
                            return client->handle_durable(e.batch, applied, now);
                          undurable.push_back(e.batch);
                        },
                        [](machine::Log&) {}},
               effect);
  }
  void connect(machine::Token token) {
    if (!reachable) return client->handle_connect_failed(token, now);
    conn = next_conn++;
    const auto exporter = drbg.array<32>();
    server.accept(exporter, now);
    client->handle_connected(token, *conn, exporter, now);
  }
  bool talk() {
    if (!conn) return false;
    const Bytes bytes = server.drain();
    const bool broken = std::exchange(server.cut, false);
    if (!bytes.empty()) client->handle_bytes(*conn, bytes, now);
    if (broken) cut();
    return broken || !bytes.empty();
  }
};

}  // namespace ams::client::testing
