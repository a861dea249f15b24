// Goal: peers accept only what verifies, hold the union whatever was lost, and answer for a
// quarantined kid.
// Method: peers over a std::map store, their asks carried by hand; records are made from fixed
// entropy.
#include "directory/peer.h"

#include <gtest/gtest.h>

#include <map>

namespace ams::directory {
namespace {

class MapStore final : public storage::Reader {
 public:
  void apply(const storage::WriteBatch& batch) {
    for (const auto& put : batch.puts) rows_[{put.table, put.key}] = put.value;
    for (const auto& erase : batch.erases) rows_.erase({erase.table, erase.key});
  }
  Result<std::optional<Bytes>> get(storage::Table table, ByteView key) const override {
    const auto at = rows_.find({table, to_bytes(key)});
    if (at == rows_.end()) return std::optional<Bytes>{};
    return std::optional<Bytes>(at->second);
  }
  Result<> scan(storage::Table table, ByteView prefix, ByteView from,
                const std::function<bool(ByteView, ByteView)>& visit) const override {
    for (auto at = rows_.lower_bound({table, to_bytes(from)});
         at != rows_.end() && at->first.first == table; ++at) {
      const ByteView key = at->first.second;
      if (key.size() < prefix.size() || !std::equal(prefix.begin(), prefix.end(), key.begin())) {
        if (!prefix.empty() && to_bytes(key) > to_bytes(prefix)) break;
        continue;
      }
      if (!visit(key, at->second)) break;
    }
    return {};
  }
  std::size_t count(storage::Table table) const {
    std::size_t n = 0;
    for (const auto& row : rows_) n += row.first.first == table;
    return n;
  }

 private:
  std::map<std::pair<storage::Table, Bytes>, Bytes> rows_;
};

keys::KeyPair make_key(std::uint64_t number) {
  const Hash seed = crypto::sha256(to_bytes("peer_test " + std::to_string(number)));
  crypto::Drbg drbg(seed);
  const Bytes entropy = drbg.bytes(80);
  return std::move(*keys::make_modern(entropy, {.nbf = 0, .exp = keys::key_life_ms_max}));
}

wire::Value publish_args(const std::vector<const keys::KeyPair*>& pairs) {
  wire::Array records;
  for (const auto* pair : pairs) records.push_back(pair->record.value());
  return wire::Object{{"records", std::move(records)}};
}

std::string code_of(const wire::Value& answer, std::size_t i) {
  const wire::Value* code = answer.find("results")->as_array()[i].find("code");
  return code ? code->as_string() : "ok";
}

struct Node {
  MapStore store;
  Peer peer;
  Node(std::string domain, bool full, std::vector<std::string> peers)
      : peer({.domain = std::move(domain), .full = full, .peers = std::move(peers)}, store,
             Instant{}) {}
  Result<wire::Value> publish(const wire::Value& args, std::string_view from) {
    AMS_TRY(auto published, peer.publish(args, from, Instant{}));
    store.apply(published.writes);
    return published.answer;
  }
  Result<wire::Value> serve(const Ask& ask, std::string_view from) {
    if (ask.op == "directory.publish") return publish(ask.args, from);
    if (ask.op == "directory.get") return peer.get(ask.args);
    if (ask.op == "directory.head") return peer.head();
    if (ask.op == "directory.range") return peer.range(ask.args);
    return fail(Code::unsupported, "op");
  }
};

using Net = std::map<std::string, Node*>;

/// Carries asks until none is left; `lost` asks are answered with peer_unreachable.
void settle(Net& net, const std::function<bool(const std::string&, const Ask&)>& lost = {}) {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& [domain, node] : net) {
      while (auto ask = node->peer.poll_ask()) {
        moved = true;
        Result<wire::Value> outcome = fail(Code::peer_unreachable, "test");
        if (!lost || !lost(domain, *ask)) outcome = net.at(ask->domain)->serve(*ask, domain);
        node->peer.handle_reply(ask->cookie, outcome, Instant{});
      }
      while (auto writes = node->peer.poll_writes()) node->store.apply(*writes);
    }
  }
}

TEST(Peer, publishes_gets_and_pushes_to_all) {
  Node a("a.example", true, {"a.example", "b.example"});
  Node b("b.example", true, {"a.example", "b.example"});
  Net net{{"a.example", &a}, {"b.example", &b}};
  const auto key = make_key(1);
  const auto answer = a.publish(publish_args({&key}), "c.example");
  ASSERT_TRUE(answer);
  EXPECT_EQ(code_of(*answer, 0), "ok");
  settle(net);
  const auto got = b.peer.get(wire::Object{{"kid", to_uuid_text(key.record.id().kid)}});
  ASSERT_TRUE(got);
  EXPECT_EQ(*got->find("record"), key.record.value());
  EXPECT_EQ(*a.peer.head(), *b.peer.head());
}

TEST(Peer, refuses_what_does_not_verify) {
  Node a("a.example", true, {});
  const auto key = make_key(2);
  wire::Value forged = key.record.value();
  forged.as_object().at("sig") = make_key(3).record.value().find("sig")->as_string();
  wire::Value renamed = key.record.value();
  renamed.as_object().at("nonce") = to_base64url(Id16{});
  const auto answer = a.publish(
      wire::Object{{"records", wire::Array{forged, renamed, wire::Value(7)}}}, "c.example");
  ASSERT_TRUE(answer);
  EXPECT_EQ(code_of(*answer, 0), "signature");
  EXPECT_EQ(code_of(*answer, 1), "signature");
  EXPECT_EQ(code_of(*answer, 2), "schema");
  EXPECT_EQ(a.store.count(table_records), 0u);
}

TEST(Peer, a_known_fingerprint_with_a_forged_signature_is_still_refused) {
  Node a("a.example", true, {});
  const auto key = make_key(4);
  ASSERT_TRUE(a.publish(publish_args({&key}), "c.example"));
  wire::Value forged = key.record.value();
  forged.as_object().at("sig") = make_key(5).record.value().find("sig")->as_string();
  EXPECT_EQ(code_of(*a.publish(wire::Object{{"records", wire::Array{forged}}}, "c.example"), 0),
            "signature");
}

TEST(Peer, limits_batch_and_quota) {
  Node a("a.example", true, {});
  wire::Array many(publish_max + 1, wire::Value(wire::Object{}));
  EXPECT_EQ(a.peer.publish(wire::Object{{"records", many}}, "c.example", Instant{}).error().code,
            Code::batch_too_large);
  MapStore store;
  Peer small({.domain = "a.example", .full = true, .peers = {}, .quota = 1}, store, Instant{});
  const auto one = make_key(6), two = make_key(7);
  const auto answer = small.publish(publish_args({&one, &two}), "c.example", Instant{});
  EXPECT_EQ(code_of(answer->answer, 0), "ok");
  EXPECT_EQ(code_of(answer->answer, 1), "publisher");
}

TEST(Peer, two_fingerprints_under_one_kid_quarantine_both) {
  Node a("a.example", true, {});
  const auto key = make_key(8), other = make_key(9);
  ASSERT_TRUE(a.publish(publish_args({&key}), "c.example"));
  // Nobody can make a collision (2^61 work); so the second row is laid into storage by hand.
  storage::WriteBatch batch;
  Bytes row = to_bytes(ByteView(key.record.id().kid));
  append(row, other.record.id().fp);
  batch.puts.push_back({table_records, row, wire::encode(other.record.value())});
  a.store.apply(batch);
  a.peer.handle_write_failure();  // storage changed under it
  EXPECT_EQ(a.peer.get(wire::Object{{"kid", to_uuid_text(key.record.id().kid)}}).error().code,
            Code::kid_quarantined);
  EXPECT_EQ(code_of(*a.publish(publish_args({&key}), "c.example"), 0), "kid_quarantined");
}

// Goal: whatever pushes were lost, rounds of reconciliation give every full peer the union.
TEST(Peer, reconciles_after_lost_pushes) {
  const std::vector<std::string> all{"a.example", "b.example", "c.example"};
  Node a(all[0], true, all), b(all[1], true, all), c(all[2], true, all);
  Net net{{all[0], &a}, {all[1], &b}, {all[2], &c}};
  std::vector<keys::KeyPair> keys;
  for (std::uint64_t i = 0; i < 200; ++i) keys.push_back(make_key(100 + i));
  for (std::size_t i = 0; i < keys.size(); ++i)
    ASSERT_TRUE((i % 2 ? a : b).publish(publish_args({&keys[i]}), "x.example"));
  settle(net, [](const std::string&, const Ask& ask) { return ask.op == "directory.publish"; });
  EXPECT_NE(*a.peer.head(), *b.peer.head());
  Instant now{};
  for (int round = 0; round < 12; ++round) {
    now += reconcile_interval;
    for (auto& [domain, node] : net) node->peer.handle_timeout(now);
    settle(net);
  }
  EXPECT_EQ(a.store.count(table_records), 200u);
  EXPECT_EQ(*a.peer.head(), *b.peer.head());
  EXPECT_EQ(*a.peer.head(), *c.peer.head());
}

TEST(Peer, a_light_peer_retries_its_own_until_answered) {
  const std::vector<std::string> full{"a.example"};
  Node light("l.example", false, full), a("a.example", true, full);
  Net net{{"l.example", &light}, {"a.example", &a}};
  const auto key = make_key(10);
  ASSERT_TRUE(light.publish(publish_args({&key}), "l.example"));
  settle(net, [](const std::string&, const Ask&) { return true; });
  EXPECT_EQ(light.store.count(table_outbox), 1u);
  light.peer.handle_timeout(Instant{} + push_retry_interval);
  settle(net);
  EXPECT_EQ(light.store.count(table_outbox), 0u);
  EXPECT_EQ(a.store.count(table_records), 1u);
}

TEST(Peer, fetches_verifies_and_keeps) {
  const std::vector<std::string> full{"a.example", "b.example"};
  Node light("l.example", false, full), a("a.example", true, full), b("b.example", true, full);
  Net net{{"l.example", &light}, {"a.example", &a}, {"b.example", &b}};
  const auto key = make_key(11), unknown = make_key(12);
  ASSERT_TRUE(b.publish(publish_args({&key}), "x.example"));  // only b knows it
  while (b.peer.poll_ask()) {}
  light.peer.fetch(1, key.record.id().kid, Instant{});
  light.peer.fetch(2, key.record.id().kid, Instant{});
  light.peer.fetch(3, unknown.record.id().kid, Instant{});
  settle(net);
  std::map<std::uint64_t, Result<wire::Value>> outcomes;
  while (auto fetched = light.peer.poll_fetched())
    outcomes.emplace(fetched->ticket, fetched->outcome);
  EXPECT_EQ(*outcomes.at(1), key.record.value());
  EXPECT_EQ(*outcomes.at(2), key.record.value());
  EXPECT_EQ(outcomes.at(3).error().code, Code::not_found);
  EXPECT_EQ(light.store.count(table_records), 1u);
}

TEST(Peer, a_lying_peer_is_passed_over) {
  Node light("l.example", false, {"a.example", "b.example"});
  const auto key = make_key(13), other = make_key(14);
  light.peer.fetch(1, key.record.id().kid, Instant{});
  auto first = light.peer.poll_ask();
  light.peer.handle_reply(first->cookie,
                          wire::Value(wire::Object{{"record", other.record.value()}}), Instant{});
  auto second = light.peer.poll_ask();
  ASSERT_TRUE(second);
  EXPECT_NE(first->domain, second->domain);
  light.peer.handle_reply(second->cookie, wire::Value(wire::Object{{"record", key.record.value()}}),
                          Instant{});
  EXPECT_EQ(*light.peer.poll_fetched()->outcome, key.record.value());
}

}  // namespace
}  // namespace ams::directory
