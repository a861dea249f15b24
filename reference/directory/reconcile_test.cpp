// Goal: whatever two peers hold, a round of comparison gives both the union and the same root; what
// was erased or revoked on one side of a partition is erased and revoked on both afterwards; a
// restart changes nothing. Method: sets and orders drawn by rapidcheck, asks carried by hand.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "directory/peers_test.h"

namespace ams::directory {
namespace {

using namespace testing;

/// Twelve owners, each with a record, two rival events, a revocation, a card and its erasure.
struct Owner {
  keys::KeyPair pair;
  std::vector<wire::Value> objects;
};

const std::vector<Owner>& owners() {
  static const std::vector<Owner> all = [] {
    std::vector<Owner> out;
    for (std::uint64_t i = 0; i < 12; ++i) {
      keys::KeyPair pair = make_key(1'000 + i);
      const Hash fp = pair.record.id().fp;
      keys::Card card, erasure;
      card.name = "name " + std::to_string(i);
      erasure.cseq = 2;
      std::vector<wire::Value> objects{pair.record.value()};
      objects.push_back(*keys::make_event(pair, 1, fp, {}));
      objects.push_back(*keys::make_event(pair, 1, fp, {keys::EventType::tombstone, 0, {}}));
      objects.push_back(*keys::make_revocation(pair));
      objects.push_back(*keys::make_card(pair, card));
      objects.push_back(*keys::make_card(pair, erasure));
      out.push_back({std::move(pair), std::move(objects)});
    }
    return out;
  }();
  return all;
}

/// Objects as (owner, number): some, the records among them first.
std::vector<std::pair<std::size_t, std::size_t>> some_objects() {
  const auto owner = rc::gen::inRange<std::size_t>(0, owners().size());
  const auto number = rc::gen::inRange<std::size_t>(0, 6);
  const auto count = *rc::gen::inRange<std::size_t>(0, 9);
  return *rc::gen::container<std::vector<std::pair<std::size_t, std::size_t>>>(
      count, rc::gen::pair(owner, number));
}

void give(Node& node, const std::vector<std::pair<std::size_t, std::size_t>>& objects) {
  for (const auto& [owner, number] : objects) {
    const auto& all = owners()[owner].objects;
    ASSERT_TRUE(node.publish(objects_args({all[0], all[number]}), "x.example"));
  }
  while (node.peer.poll_ask()) {
  }  // no push arrives
}

wire::Value everything(Node& node) {
  wire::Array out;
  for (const Owner& owner : owners())
    if (const auto got =
            node.peer.get(wire::Object{{"kid", to_uuid_text(owner.pair.record.id().kid)}}))
      out.push_back(*got);
  return wire::Value(std::move(out));
}

Hash root_of(const Node& node) { return node.peer.stats().root; }

const std::vector<std::string> two{"a.example", "b.example"};

RC_GTEST_PROP(Reconcile, both_hold_the_union, ()) {
  Node a(two[0], true, two), b(two[1], true, two), all("c.example", true, {});
  const auto left = some_objects(), right = some_objects();
  give(a, left);
  give(b, right);
  give(all, left);
  give(all, right);
  Net net{{two[0], &a}, {two[1], &b}};
  Instant now{};
  run_rounds(net, now, 2);
  RC_ASSERT(root_of(a) == root_of(b));
  RC_ASSERT(root_of(a) == root_of(all));
  RC_ASSERT(everything(a) == everything(all));
  RC_ASSERT(everything(b) == everything(all));
}

RC_GTEST_PROP(Reconcile, the_root_is_of_the_set_not_of_its_order, ()) {
  Node a("a.example", true, {}), b("b.example", true, {});
  auto objects = some_objects();
  give(a, objects);
  for (std::size_t i = objects.size(); i > 1; --i)
    std::swap(objects[i - 1], objects[*rc::gen::inRange<std::size_t>(0, i)]);
  give(b, objects);
  give(b, objects);
  RC_ASSERT(root_of(a) == root_of(b));
  b.restart();
  RC_ASSERT(root_of(a) == root_of(b));
  RC_ASSERT(everything(a) == everything(b));
  b.peer.handle_write_failure();
  RC_ASSERT(root_of(a) == root_of(b));
}

// Erase on one side of a partition, alter on the other, heal: the erased does not come back.
TEST(Reconcile, erase_partition_heal) {
  Node a(two[0], true, two), b(two[1], true, two);
  Net net{{two[0], &a}, {two[1], &b}};
  const Owner& owner = owners()[0];
  ASSERT_TRUE(a.publish(objects_args({owner.objects[0], owner.objects[4]}), "x.example"));
  settle(net);
  EXPECT_TRUE(b.store.mentions("name 0"));
  Instant now{};
  const Lost cut = [](const std::string&, const Ask&) { return true; };
  ASSERT_TRUE(a.publish(objects_args({owner.objects[5]}), "x.example"));
  ASSERT_TRUE(b.publish(objects_args({owner.objects[1], owner.objects[4]}), "x.example"));
  run_rounds(net, now, 2, cut);
  EXPECT_NE(root_of(a), root_of(b));
  run_rounds(net, now, 2);
  EXPECT_EQ(root_of(a), root_of(b));
  EXPECT_FALSE(a.store.mentions("name 0"));
  EXPECT_FALSE(b.store.mentions("name 0"));
  EXPECT_EQ(a.peer.get(wire::Object{{"kid", to_uuid_text(owner.pair.record.id().kid)}})
                ->find("events")
                ->as_array()
                .size(),
            1u);
  b.restart();
  run_rounds(net, now, 2);
  EXPECT_FALSE(b.store.mentions("name 0"));
}

// Goal: a few differences among many keys cost a few messages, not the set.
TEST(Reconcile, costs_what_differs) {
  Node a(two[0], true, two), b(two[1], true, two);
  Net net{{two[0], &a}, {two[1], &b}};
  std::vector<keys::KeyPair> pairs;
  for (std::uint64_t i = 0; i < 600; ++i) pairs.push_back(make_key(5'000 + i));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i < 590) {
      ASSERT_TRUE(a.publish(publish_args({&pairs[i]}), "x.example"));
    }
    if (i > 9) {
      ASSERT_TRUE(b.publish(publish_args({&pairs[i]}), "x.example"));
    }
  }
  Instant now{};
  run_rounds(net, now, 1, [](const std::string&, const Ask& ask) {
    return ask.op == "directory.publish" || ask.op == "directory.gossip";
  });
  std::size_t bytes = 0, messages = 0;
  const Lost counting = [&](const std::string&, const Ask& ask) {
    bytes += wire::encode(ask.args).size();
    ++messages;
    return false;
  };
  now += reconcile_interval;
  a.tick(now);
  settle(net, counting, now);
  EXPECT_EQ(root_of(a), root_of(b));
  EXPECT_EQ(a.peer.stats().keys, 600u);
  EXPECT_LE(messages, 8u);
  EXPECT_LT(bytes, 40'000u);
  EXPECT_EQ(a.peer.stats().pulled, 10u);
}

TEST(Reconcile, a_new_peer_gets_the_whole_set) {
  Node a(two[0], true, two), b(two[1], true, two);
  Net net{{two[0], &a}, {two[1], &b}};
  for (std::uint64_t i = 0; i < 300; ++i) {
    const auto pair = make_key(7'000 + i);
    ASSERT_TRUE(a.publish(publish_args({&pair}), "x.example"));
  }
  while (a.peer.poll_ask()) {
  }
  Instant now{};
  now += reconcile_interval;
  b.tick(now);
  settle(net, {}, now);
  EXPECT_EQ(root_of(a), root_of(b));
}

// A peer that lists nonsense, or the same range again and again, is neither believed nor followed.
TEST(Reconcile, a_liar_gets_no_endless_round) {
  Node a(two[0], true, two);
  give(a, {{0, 0}, {1, 0}});
  a.peer.handle_timeout(Instant{} + reconcile_interval);
  a.drain();
  std::size_t asked = 0;
  while (auto ask = a.peer.poll_ask()) {
    ASSERT_LT(++asked, 50u);
    const wire::Value lies = wire::Object{
        {"root", to_base64url(Hash{9})},
        {"differ",
         wire::Array{wire::Object{{"prefix", ""}}, wire::Object{{"prefix", "0123"}},
                     wire::Object{{"prefix", "zz"}},
                     wire::Object{{"prefix", "0"}, {"entries", to_base64url(Bytes(7))}},
                     wire::Object{{"prefix", "1"}, {"entries", to_base64url(Bytes(24))}}}},
        {"entries", wire::Array{wire::Value(wire::Array{owners()[2].objects[0]})}}};
    a.peer.handle_reply(ask->cookie, lies, nullptr, Instant{});
  }
  EXPECT_EQ(a.peer.stats().keys, 2u);
  EXPECT_EQ(a.peer.stats().refused.at(Code::kid_mismatch), 1u);
}

}  // namespace
}  // namespace ams::directory
