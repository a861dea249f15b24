// Goal: the driver carries effects out in order, acknowledges nothing before it is durable, and one
// commit serves all that came in one turn.
// Method: a toy machine that answers each byte once its write is durable; two of them talk over
// loopback TLS. Loop, timers and signals are tested on the way.
#include "net/driver.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <deque>

#include "net/entropy.h"
#include "net/test_net.h"
#include "store/memory.h"

namespace ams::net {
namespace {

using test::must;
using test::Pki;
using namespace std::chrono_literals;

constexpr storage::Table table{1};

/// Writes each byte that comes in, answers it in upper case when durable, with '!' when that
/// failed, and closes after '.'. What it asked for itself is in `got`.
class Toy final : public machine::Machine {
 public:
  explicit Toy(const storage::Reader& reader, bool serves) : reader_(reader), serves_(serves) {}

  void handle_accepted(machine::ConnId, const Hash& exporter, Instant) override {
    exporters.push_back(exporter);
  }
  void handle_connected(machine::Token token, machine::ConnId conn, const Hash& exporter,
                        Instant) override {
    tokens.push_back(token);
    exporters.push_back(exporter);
    effects.push_back(machine::Send{conn, to_bytes(to_send)});
  }
  void handle_connect_failed(machine::Token token, Instant) override { failed.push_back(token); }
  void handle_resolved(const std::string& domain, const std::optional<keys::Discovery>& found,
                       Instant) override {
    resolved.emplace_back(domain, found.has_value());
  }
  void handle_bytes(machine::ConnId conn, ByteView bytes, Instant) override {
    append(got, bytes);
    if (!serves_) return;
    for (const std::uint8_t byte : bytes) {
      const machine::BatchId batch = ++batches;
      effects.push_back(machine::Commit{batch, {{{table, {byte}, {byte}}}, {}}});
      waiting[batch] = {conn, byte};
    }
  }
  void handle_closed(machine::ConnId, Instant) override { ++closed; }
  void handle_durable(machine::BatchId batch, const Result<>& outcome, Instant) override {
    const auto [conn, byte] = waiting.at(batch);
    waiting.erase(batch);
    const bool held = reader_.get(table, Bytes{byte})->has_value();
    EXPECT_EQ(held, outcome.has_value());
    const std::uint8_t answer = outcome ? static_cast<std::uint8_t>(std::toupper(byte)) : '!';
    effects.push_back(machine::Send{conn, {answer}});
    if (byte == '.') effects.push_back(machine::CloseConn{conn});
  }
  void handle_timeout(Instant now) override {
    if (due && now >= *due) {
      due.reset();
      ++timeouts;
    }
  }
  std::optional<machine::Effect> poll() override {
    if (effects.empty()) return std::nullopt;
    auto first = std::move(effects.front());
    effects.pop_front();
    return first;
  }
  std::optional<Instant> timeout() const override { return due; }

  std::string to_send;
  std::deque<machine::Effect> effects;
  std::map<machine::BatchId, std::pair<machine::ConnId, std::uint8_t>> waiting;
  machine::BatchId batches = 0;
  Bytes got;
  std::vector<Hash> exporters;
  std::vector<machine::Token> tokens, failed;
  std::vector<std::pair<std::string, bool>> resolved;
  int closed = 0;
  int timeouts = 0;
  std::optional<Instant> due;

 private:
  const storage::Reader& reader_;
  bool serves_;
};

struct Side {
  Side(Loop& loop, const Pki& pki, bool serves,
       std::function<std::optional<keys::Discovery>(const std::string&)> discover)
      : toy(memory, serves),
        log(must(Log::open(LogLevel::off))),
        driver(loop, toy, memory, log, {pki.client(), {}, std::move(discover)}) {}
  store::MemoryStorage memory;
  Toy toy;
  Log log;
  Driver driver;
};

/// A server and a client that knows it as "a.example".
struct Pair {
  Pair()
      : pki(loop, {"127.0.0.1"}),
        server(loop, pki, true, [](const std::string&) { return std::nullopt; }),
        client(loop, pki, false,
               [this](const std::string& domain) -> std::optional<keys::Discovery> {
                 if (domain != "a.example") return std::nullopt;
                 return keys::Discovery{"127.0.0.1", listener->port(), {}, {}};
               }) {
    listener = must(listen(
        loop, pki.server(), "127.0.0.1", 0, {},
        [this](ConnectionPtr c) { server.driver.accept(std::move(c)); },
        [](std::string_view reason) { ADD_FAILURE() << reason; }));
  }
  /// Connects, sends `text` and runs until both have closed.
  std::string ask(const std::string& text) {
    client.toy.to_send = text;
    client.toy.effects.push_back(machine::Connect{5, "a.example"});
    run_until([this] { return client.toy.closed > 0; });
    return to_string(client.toy.got);
  }
  void run_until(std::function<bool()> done) {
    std::function<void()> look = [&] {
      if (done()) return loop.stop();
      again = loop.call_after(1ms, look);
    };
    client.driver.drain();
    look();
    test::run(loop);
  }
  Loop loop;
  Pki pki;
  std::unique_ptr<Listener> listener;
  Side server, client;
  Timer again;
};

TEST(Driver, answers_after_one_commit_for_all_that_came_together) {
  Pair pair;
  EXPECT_EQ(pair.ask("hello."), "HELLO.");
  EXPECT_EQ(pair.server.driver.counts().batches, 6u);
  EXPECT_EQ(pair.server.driver.counts().commits, 1u);
  pair.server.memory.crash();
  EXPECT_TRUE(pair.server.memory.get(table, as_bytes("h"))->has_value());
  EXPECT_EQ(pair.client.toy.tokens, std::vector<machine::Token>{5});
  EXPECT_EQ(pair.client.toy.exporters, pair.server.toy.exporters);
  EXPECT_EQ(pair.client.toy.closed, 1);
  EXPECT_EQ(pair.server.toy.closed, 0);  // it closed by itself
  EXPECT_EQ(pair.server.driver.connection_count(), 0u);
  EXPECT_EQ(pair.client.driver.connection_count(), 0u);
}

TEST(Driver, a_failed_commit_is_told_to_every_batch_of_the_group) {
  Pair pair;
  pair.server.memory.faults().fail_next_commit = true;
  EXPECT_EQ(pair.ask("abc."), "!!!!");
}

TEST(Driver, a_batch_that_does_not_fit_fails_alone) {
  Pair pair;
  pair.server.memory.faults().bytes_max = 4;  // two entries
  EXPECT_EQ(pair.ask("abab."), "ABAB!");
}

TEST(Driver, an_operators_write_shares_the_groups_fate) {
  Pair pair;
  const auto commit_both = [&](std::uint8_t key, std::uint8_t beside) {
    std::optional<Result<>> heard;
    pair.server.driver.write({{{table, {key}, {key}}}, {}},
                             [&](const Result<>& outcome) { heard = outcome; });
    pair.server.toy.effects.push_back(
        machine::Commit{++pair.server.toy.batches, {{{table, {beside}, {}}}, {}}});
    pair.server.toy.waiting[pair.server.toy.batches] = {1, beside};
    pair.server.driver.drain();
    EXPECT_FALSE(heard);  // nothing is said before the commit
    pair.run_until([&] { return heard.has_value(); });
    return heard->has_value();
  };
  EXPECT_TRUE(commit_both(1, 'a'));
  EXPECT_EQ(pair.server.driver.counts().commits, 1u);
  pair.server.memory.crash();
  EXPECT_TRUE(pair.server.memory.get(table, Bytes{1})->has_value());
  pair.server.memory.faults().fail_next_commit = true;
  EXPECT_FALSE(commit_both(2, 'b'));
  EXPECT_FALSE(pair.server.memory.get(table, Bytes{2})->has_value());
}

TEST(Driver, says_what_cannot_be_reached_or_resolved) {
  Pair pair;
  pair.client.toy.effects.push_back(machine::Connect{6, "b.example"});
  pair.client.toy.effects.push_back(machine::Resolve{"a.example"});
  pair.client.toy.effects.push_back(machine::Resolve{"b.example"});
  pair.run_until([&] { return pair.client.toy.resolved.size() == 2; });
  EXPECT_EQ(pair.client.toy.failed, std::vector<machine::Token>{6});
  EXPECT_EQ(pair.client.toy.resolved,
            (std::vector<std::pair<std::string, bool>>{{"a.example", true}, {"b.example", false}}));
}

TEST(Driver, the_operators_word_goes_before_dns) {
  Pair pair;
  pair.client.toy.effects.push_back(machine::Resolve{"a.example"});
  pair.client.toy.effects.push_back(machine::Resolve{"c.example"});
  // Nobody listens on that port: whatever DNS is asked, it fails.
  const auto dns =
      std::make_shared<SiteFinder>(pair.loop, must(Dns::open(pair.loop, {"127.0.0.1:1"})));
  Driver driver(pair.loop, pair.client.toy, pair.client.memory, pair.client.log,
                {pair.pki.client(),
                 {},
                 [](const std::string& domain) -> std::optional<keys::Discovery> {
                   if (domain == "a.example") return keys::Discovery{"127.0.0.1", 1, {}, {}};
                   return std::nullopt;
                 },
                 dns});
  driver.drain();
  pair.run_until([&] { return pair.client.toy.resolved.size() == 2; });
  EXPECT_EQ(pair.client.toy.resolved,
            (std::vector<std::pair<std::string, bool>>{{"a.example", true}, {"c.example", false}}));
}

TEST(Driver, wakes_the_machine_when_it_asked_to_be) {
  Pair pair;
  const Instant start = pair.loop.now();
  pair.client.toy.due = start + 20ms;
  pair.run_until([&] { return pair.client.toy.timeouts == 1; });
  EXPECT_GE(pair.loop.now() - start, 20ms);
}

TEST(Driver, shutting_down_commits_and_closes) {
  Pair pair;
  pair.client.toy.to_send = "x";
  pair.client.toy.effects.push_back(machine::Connect{5, "a.example"});
  pair.run_until([&] { return !pair.client.toy.got.empty(); });
  pair.server.toy.effects.push_back(
      machine::Commit{++pair.server.toy.batches, {{{table, {9}, {9}}}, {}}});
  pair.server.toy.waiting[pair.server.toy.batches] = {1, 'y'};
  ASSERT_TRUE(pair.server.memory.apply({{{table, {'y'}, {}}}, {}}));
  pair.server.driver.drain();
  pair.server.driver.shut_down();
  pair.server.memory.crash();
  EXPECT_TRUE(pair.server.memory.get(table, Bytes{9})->has_value());
  pair.run_until([&] { return pair.client.toy.closed == 1; });
  EXPECT_EQ(to_string(pair.client.toy.got),
            "XY");  // the answer to what it committed still went out
}

TEST(Loop, a_dropped_timer_does_not_call_and_others_call_in_order) {
  Loop loop;
  std::string order;
  const Instant now = loop.now();
  const Timer second = loop.call_at(now + 20ms, [&] {
    order += 'b';
    loop.stop();
  });
  const Timer first = loop.call_at(now + 5ms, [&] { order += 'a'; });
  {
    const Timer dropped = loop.call_at(now + 1ms, [&] { order += 'x'; });
  }
  loop.post([&] { order += '0'; });
  test::run(loop);
  EXPECT_EQ(order, "0ab");
  EXPECT_GE(loop.now() - now, 20ms);
}

TEST(Loop, a_stop_signal_is_a_call) {
  Loop loop;
  int number = 0;
  loop.on_stop_signal([&](int n) {
    number = n;
    loop.stop();
  });
  loop.post([] { raise(SIGTERM); });
  test::run(loop);
  EXPECT_EQ(number, SIGTERM);
}

TEST(Entropy, two_seeds_differ) {
  const auto a = entropy_seed(), b = entropy_seed();
  EXPECT_EQ(a.size(), 32u);
  EXPECT_NE(to_bytes(a.view()), to_bytes(b.view()));
}

}  // namespace
}  // namespace ams::net
