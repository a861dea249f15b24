// Goal: peers accept only what verifies, hold the union whatever was lost, and answer for a
// quarantined kid.
// Method: peers over a std::map store, their asks carried by hand (peers_test.h); records are made
// from fixed entropy.
#include <gtest/gtest.h>

#include "directory/card_test.h"
#include "directory/peers_test.h"

namespace ams::directory {
namespace {

using namespace testing;

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
  Peer small({.domain = "a.example", .full = true, .peers = {}, .quota = 1}, nullptr, store,
             Instant{});
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
  EXPECT_NE(a.peer.stats().root, b.peer.stats().root);
  Instant now{};
  run_rounds(net, now, 3);
  EXPECT_EQ(a.store.count(table_records), 200u);
  EXPECT_EQ(a.peer.stats().root, b.peer.stats().root);
  EXPECT_EQ(a.peer.stats().root, c.peer.stats().root);
  EXPECT_EQ(*a.peer.head()->find("root"), *b.peer.head()->find("root"));
  EXPECT_TRUE(a.peer.stats().agreed_at);
}

TEST(Peer, a_light_peer_retries_its_own_until_answered) {
  const std::vector<std::string> full{"a.example"};
  Node light("l.example", false, full), a("a.example", true, full);
  Net net{{"l.example", &light}, {"a.example", &a}};
  const auto key = make_key(10);
  ASSERT_TRUE(light.publish(publish_args({&key}), "l.example"));
  settle(net, [](const std::string&, const Ask&) { return true; });
  EXPECT_EQ(light.store.count(table_outbox), 1u);
  light.peer.handle_timeout(Instant{} + push_retry_intervals * reconcile_interval);
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
  while (b.peer.poll_ask()) {
  }
  light.peer.fetch(1, key.record.id().kid, Instant{});
  light.peer.fetch(2, key.record.id().kid, Instant{});
  light.peer.fetch(3, unknown.record.id().kid, Instant{});
  settle(net);
  std::map<std::uint64_t, Result<wire::Value>> outcomes;
  while (auto fetched = light.peer.poll_fetched())
    outcomes.emplace(fetched->ticket, fetched->outcome);
  EXPECT_EQ(*outcomes.at(1)->find("record"), key.record.value());
  EXPECT_EQ(*outcomes.at(2)->find("record"), key.record.value());
  EXPECT_EQ(outcomes.at(3).error().code, Code::not_found);
  EXPECT_EQ(light.store.count(table_records), 1u);
}

TEST(Peer, a_lying_peer_is_passed_over) {
  Node light("l.example", false, {"a.example", "b.example"});
  const auto key = make_key(13), other = make_key(14);
  light.peer.fetch(1, key.record.id().kid, Instant{});
  const auto first = light.peer.poll_ask();
  const auto second = light.peer.poll_ask();
  ASSERT_TRUE(second);
  EXPECT_NE(first->domain, second->domain);
  for (const auto& [ask, record] : {std::pair(first, other.record), std::pair(second, key.record)})
    light.peer.handle_reply(ask->cookie, wire::Value(wire::Object{{"record", record.value()}}),
                            nullptr, Instant{});
  EXPECT_EQ(*light.peer.poll_fetched()->outcome->find("record"), key.record.value());
  EXPECT_EQ(light.peer.stats().refused.at(Code::kid_mismatch), 1u);
}

// Goal: one peer that withholds a revocation changes nothing.
TEST(Peer, the_freshest_of_three_answers_wins) {
  Node light("l.example", false, {"a.example", "b.example", "c.example"});
  const auto key = make_key(15);
  const wire::Value old = wire::Object{{"record", key.record.value()}};
  const wire::Value revoked =
      wire::Object{{"record", key.record.value()}, {"revocation", *keys::make_revocation(key)}};
  light.peer.fetch(1, key.record.id().kid, Instant{});
  for (int i = 0; i < 3; ++i)
    light.peer.handle_reply(light.peer.poll_ask()->cookie, i == 1 ? revoked : old, nullptr,
                            Instant{});
  EXPECT_EQ(*light.peer.poll_fetched()->outcome, revoked);
  EXPECT_EQ(light.peer.usable(key.record.id()).error().code, Code::key_revoked);
}

TEST(Peer, asks_again_for_what_it_fetched_a_day_ago) {
  Node light("l.example", false, {"a.example"}), a("a.example", true, {"a.example"});
  Net net{{"l.example", &light}, {"a.example", &a}};
  const auto key = make_key(16);
  const Id16 kid = key.record.id().kid;
  ASSERT_TRUE(a.publish(publish_args({&key}), "x.example"));
  light.peer.fetch(1, kid, Instant{});
  settle(net);
  ASSERT_TRUE(a.publish(objects_args({*keys::make_revocation(key)}), "x.example"));
  EXPECT_FALSE(light.peer.stale(kid, Instant{} + fetched_life - std::chrono::milliseconds{1}));
  const Instant later = Instant{} + fetched_life;
  EXPECT_TRUE(light.peer.stale(kid, later));
  light.peer.fetch(2, kid, later);
  settle(net, {}, later);
  EXPECT_FALSE(light.peer.stale(kid, later));
  EXPECT_EQ(light.peer.usable(key.record.id()).error().code, Code::key_revoked);
  // What our own users published is never stale: nobody knows better.
  const auto own = make_key(17);
  ASSERT_TRUE(light.publish(publish_args({&own}), "l.example"));
  EXPECT_FALSE(light.peer.stale(own.record.id().kid, later + fetched_life));
}

TEST(Peer, takes_what_the_owner_says_in_order_and_gives_it_back) {
  Node a("a.example", true, {});
  const auto key = make_key(18);
  const auto kid_args = wire::Object{{"kid", to_uuid_text(key.record.id().kid)}};
  const wire::Value event = *keys::make_event(key, 1, key.record.id().fp, {});
  const wire::Value revocation = *keys::make_revocation(key);
  keys::Card named;
  named.name = "A";
  const wire::Value card = *keys::make_card(key, named);
  EXPECT_EQ(code_of(*a.publish(objects_args({event}), "x.example"), 0), "not_found");
  const auto answer =
      a.publish(objects_args({key.record.value(), event, revocation, card, event}), "x.example");
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(code_of(*answer, i), "ok");
  const auto got = a.peer.get(kid_args);
  EXPECT_EQ(*got->find("revocation"), revocation);
  EXPECT_EQ(*got->find("card"), card);
  EXPECT_EQ(*got->find("events"), wire::Value(wire::Array{event}));
  EXPECT_EQ(*a.peer.card(kid_args)->find("card"), card);
  const wire::Value big = wire::Object{{"ams", "card/1"}, {"name", std::string(5'000, 'a')}};
  EXPECT_EQ(code_of(*a.publish(objects_args({big}), "x.example"), 0), "object_too_large");
}

TEST(Peer, an_erasure_takes_the_card_and_its_salt_out_of_storage) {
  Node a("a.example", true, {});
  const auto key = make_key(19);
  keys::Card card;
  card.name = "Alice A.";
  card.salt = Id16{1};
  const wire::Value value = *keys::make_card(key, card);
  ASSERT_TRUE(a.publish(objects_args({key.record.value(), value}), "x.example"));
  EXPECT_TRUE(a.store.mentions("Alice A."));
  card = {};
  card.cseq = 2;
  ASSERT_TRUE(a.publish(objects_args({*keys::make_card(key, card)}), "x.example"));
  EXPECT_FALSE(a.store.mentions("Alice A."));
  EXPECT_FALSE(a.store.mentions(to_base64url(Id16{1})));
  EXPECT_EQ(code_of(*a.publish(objects_args({value}), "x.example"), 0), "card_stale");
}

// CRD-9: of what is dropped nothing is left here, the map is as it was, and it does not come back.
TEST(Peer, a_dropped_card_is_gone_and_changes_nothing_else) {
  EXPECT_TRUE(testing::a_dropped_card_does_not_come_back());
  Node a("a.example", true, {}), late("c.example", true, {"a.example"});
  testing::Carded owner;
  ASSERT_TRUE(a.publish(objects_args({owner.key.record.value(), owner.card}), "x.example"));
  const Hash root = a.peer.stats().root;
  ASSERT_TRUE(a.drop_card(owner.kid()));
  EXPECT_FALSE(a.store.mentions("Alice A."));
  EXPECT_FALSE(a.store.mentions(to_base64url(Id16{1})));
  EXPECT_EQ(a.peer.stats().root, root);
  EXPECT_EQ(*a.peer.card(owner.args())->find("card")->find("ams"), wire::Value("cardstub/1"));
  a.restart();
  EXPECT_EQ(a.peer.stats().root, root);
  // Who begins with a peer that dropped it has one set with all others, and the card when it comes.
  Net net{{"a.example", &a}, {"c.example", &late}};
  Instant now{};
  run_rounds(net, now, 2);
  EXPECT_EQ(late.peer.stats().root, root);
  EXPECT_FALSE(late.store.mentions("Alice A."));
  ASSERT_TRUE(late.publish(objects_args({owner.card}), "x.example"));
  EXPECT_TRUE(late.store.mentions("Alice A."));
  EXPECT_EQ(late.peer.stats().root, root);
}

TEST(Peer, there_must_be_a_card_to_drop) {
  Node a("a.example", true, {});
  testing::Carded owner;
  EXPECT_EQ(a.drop_card(owner.kid()).error().code, Code::not_found);
  ASSERT_TRUE(a.publish(objects_args({owner.key.record.value()}), "x.example"));
  EXPECT_EQ(a.drop_card(owner.kid()).error().code, Code::not_found);
}

TEST(Peer, requests_of_one_domain_are_limited_and_come_back) {
  MapStore store;
  Peer peer({.domain = "a.example", .full = true, .peers = {}, .requests_per_s = 2}, nullptr, store,
            Instant{});
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(peer.admit("x.example", Instant{}));
  EXPECT_EQ(peer.admit("x.example", Instant{}).error().code, Code::rate);
  EXPECT_TRUE(peer.admit("y.example", Instant{}));
  EXPECT_TRUE(peer.admit("x.example", Instant{} + std::chrono::milliseconds{501}));
  EXPECT_EQ(peer.stats().refused.at(Code::rate), 1u);
}

}  // namespace
}  // namespace ams::directory
