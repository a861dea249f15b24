// What holds where peers learn others (spec DIR-64 to DIR-76), as predicates: the tests want each
// of them true, the mutants false.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "directory/mesh_test.h"
#include "directory/slots.h"

namespace ams::directory::testing {

inline Hash secret_of(std::string_view name) { return crypto::sha256(as_bytes(name)); }

// --- the slots alone ----------------------------------------------------------------------------

inline std::string numbered(std::string_view prefix, std::size_t i) {
  return std::string(prefix) + std::to_string(i) + ".example";
}
inline std::vector<std::string> many(std::string_view prefix, std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(numbered(prefix, i));
  return out;
}
inline Slots two_known(std::string_view secret = "s") {
  return {"self.example", {"a.example", "b.example"}, true, secret_of(secret)};
}
/// Tries until nobody is left, each reached in the block that `block` says.
inline std::vector<std::string> try_all(
    Slots& slots, const std::function<std::string(const std::string&)>& block) {
  std::vector<std::string> out;
  while (const auto next = slots.next_trial()) {
    out.push_back(*next);
    slots.reached(*next, block(*next));
    (void)slots.answered(*next, true);
    if (out.size() > 1'000) break;
  }
  return out;
}
inline std::string own_block(const std::string& domain) { return domain; }

/// DIR-66.
inline bool sixteen_are_learned() {
  Slots slots = two_known();
  for (const std::string prefix : {"x", "y", "z"}) {
    slots.told("a.example", many(prefix, 8));
    (void)try_all(slots, own_block);
  }
  return slots.learned().size() == learned_max && slots.in_use().size() == learned_max + 2;
}
inline bool two_of_a_block_are_learned() {
  Slots slots = two_known();
  slots.told("a.example", many("x", 8));
  (void)try_all(slots, [](const std::string&) { return "10.1.0.0/16"; });
  slots.told("b.example", many("y", 8));
  (void)try_all(slots, [](const std::string&) { return std::string(block_unknown); });
  return slots.learned().size() == 2 * learned_block_max;
}
inline bool a_mapped_address_is_of_its_block() {
  Bytes mapped(16, 0);
  mapped[10] = mapped[11] = 0xff;
  const std::uint8_t v4[] = {192, 0, 2, 7};
  std::copy(std::begin(v4), std::end(v4), mapped.begin() + 12);
  return network_block(mapped) == network_block(ByteView(v4, 4)) &&
         network_block(mapped) == "192.0.0.0/16";
}
/// DIR-67.
inline bool eight_of_a_teller_wait() {
  Slots slots = two_known();
  slots.told("a.example", many("x", 40));
  return slots.waiting_of("a.example") == candidates_told_max;
}
inline bool tellers_have_their_turns() {
  Slots slots = two_known();
  slots.told("a.example", many("x", 8));
  slots.told("b.example", many("y", 8));
  const auto tried = try_all(slots, own_block);
  for (std::size_t i = 1; i < tried.size(); ++i)
    if (tried[i][0] == tried[i - 1][0]) return false;
  return tried.size() == 16;
}
/// DIR-68.
inline bool nobody_knows_the_order_of_trials() {
  std::set<std::string> first;
  for (std::size_t i = 0; i < 16; ++i) {
    Slots slots = two_known(std::to_string(i));
    slots.told("a.example", many("x", 8));
    first.insert(*slots.next_trial());
  }
  return first.size() >= 4;
}
/// DIR-69.
inline bool three_times_no_answer_end_a_place() {
  Slots slots = two_known();
  slots.told("a.example", {"x.example"});
  (void)try_all(slots, own_block);
  for (int i = 0; i < tries_max - 1; ++i) slots.failed("x.example");
  const bool there = slots.uses("x.example");
  slots.failed("x.example");
  return there && !slots.uses("x.example");
}
inline bool the_evicted_stay_away() {
  Slots slots = two_known();
  slots.told("a.example", {"x.example"});
  (void)try_all(slots, own_block);
  slots.bar("x.example");
  slots.told("a.example", {"x.example"});
  slots.called("x.example");
  return !slots.uses("x.example") && !slots.next_trial() &&
         !slots.restore("x.example", "10.1.0.0/16");
}

// --- peers --------------------------------------------------------------------------------------

/// Full peers p0.example … in a ring: each is told of the next one by its operator, and learns.
struct Ring {
  Mesh mesh{0};
  Net net;
  Instant now{};
  explicit Ring(std::size_t count) {
    mesh.names = many("p", count);
    for (std::size_t i = 0; i < count; ++i) {
      mesh.nodes.push_back(std::make_unique<Node>(
          mesh.names[i], true, std::vector<std::string>{mesh.names[(i + 1) % count]}));
      Node& node = *mesh.nodes.back();
      node.options.exchange = true;
      node.options.exchange_secret = secret_of(mesh.names[i]);
      node.restart();
      net.emplace(mesh.names[i], &node);
    }
  }
  Node& operator[](std::size_t i) { return mesh[i]; }
  /// What each asks, with the address that the host says: 10.i.0.1.
  void run(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      now += reconcile_interval;
      for (auto& [domain, node] : net) node->tick(now);
      for (bool moved = true; moved;) {
        moved = false;
        for (auto& [domain, node] : net)
          for (Ask& ask : asks_of(*node)) {
            moved = true;
            carry(*node, ask);
          }
      }
    }
  }
  void carry(Node& node, const Ask& ask) {
    const auto other = net.find(ask.domain);
    Result<wire::Value> outcome = fail(Code::peer_unreachable, "test");
    const crypto::VerifyKey* op = nullptr;
    if (other != net.end()) {
      const auto number = std::stoi(ask.domain.substr(1));
      const std::uint8_t address[] = {10, static_cast<std::uint8_t>(number), 0, 1};
      node.peer.handle_reached(ask.domain, address);
      outcome = other->second->serve(ask, node);
      op = &other->second->op.record.signing();
    }
    node.peer.handle_reply(ask.cookie, outcome, op, now);
    node.drain();
  }
};

/// DIR-65, DIR-73: from one named peer each, all know all, and hold one set.
inline bool a_ring_becomes_a_mesh() {
  Ring ring(8);
  ring.run(12);
  const keys::KeyPair key = make_key(3);
  (void)ring[0].publish(publish_args({&key}), "x.example");
  ring.run(1);
  for (auto& node : ring.mesh.nodes) {
    const Stats stats = node->peer.stats();
    if (stats.peers != 7 || stats.peers_learned != 6 || stats.keys != 1) return false;
  }
  return true;
}
/// DIR-73. Nobody told of p0, which asks.
inline bool a_caller_is_tried() {
  Ring ring(3);
  ring.net.erase("p2.example");  // who would have been told of p0
  ring.run(3);
  const bool known = ring[1].peer.uses("p0.example");
  return known && ring[1].peer.stats().peers_learned == 1;
}
/// DIR-65. A light peer answers gossip without a checkpoint.
inline bool who_shows_no_log_is_not_learned() {
  Ring ring(2);
  Node light("p2.example", false, {});
  ring.net.emplace("p2.example", &light);
  Ask ask;
  // p1 is told of it by hand: a light peer tells and calls nobody.
  ring[1].tick(ring.now += reconcile_interval);
  for (const Ask& each : asks_of(ring[1])) {
    wire::Value answer = wire::Object{};
    if (each.op == "directory.peers")
      answer = wire::Object{{"peers", wire::Array{wire::Object{{"domain", "p2.example"}}}}};
    ring[1].peer.handle_reply(each.cookie, answer, nullptr, ring.now);
  }
  ring.run(2);
  return !ring[1].peer.uses("p2.example");
}
/// DIR-74.
inline bool learned_peers_outlive_a_restart() {
  Ring ring(4);
  ring.run(8);
  const std::uint64_t before = ring[0].peer.stats().peers_learned;
  ring[0].restart();
  const auto again = ring[0].peer.stats();
  return before == 2 && again.peers_learned == 2 && again.in_use.size() == 3 &&
         ring[0].store.count(table_learned) == 2;
}
/// DIR-69, at the peer: its row goes, too.
inline bool an_evicted_peer_loses_its_place() {
  Ring ring(3);
  ring.run(6);
  if (!ring[0].peer.uses("p2.example")) return false;
  // p2 goes on from another history under its old key.
  Node liar("p2.example", true, {"p0.example"});
  const keys::KeyPair key = make_key(4);
  (void)liar.publish(publish_args({&key}), "x.example");
  for (int i = 0; i < 40; ++i) liar.tick(ring.now + i * epoch_interval);
  ring.net["p2.example"] = &liar;
  ring.run(8);
  return !ring[0].peer.uses("p2.example") && ring[0].peer.stats().peers_learned == 0 &&
         ring[0].store.count(table_learned) == 0;
}

/// Domains that directory.peers answers with.
inline std::vector<std::string> told_by(Node& node) {
  std::vector<std::string> out;
  const auto answer = node.peer.peers(wire::Object{}, node.now);
  for (const wire::Value& one : answer->find("peers")->as_array())
    out.push_back(one.find("domain")->as_string());
  return out;
}
/// One of 20 peers, all of which answered it.
struct Acquainted {
  Mesh mesh{20};
  Acquainted() {
    Instant at{};
    for (auto& node : mesh.nodes) node->tick(at + std::chrono::seconds{1});
    for (int round = 0; round < 20; ++round) {
      mesh[0].tick(at += reconcile_interval);
      for (const Ask& ask : asks_of(mesh[0])) {
        Node& other = *mesh.nodes[static_cast<std::size_t>(std::stoi(ask.domain.substr(1)))];
        mesh[0].peer.handle_reply(ask.cookie, other.serve(ask, mesh[0]), &other.op.record.signing(),
                                  at);
        mesh[0].drain();
      }
    }
  }
};
/// DIR-64.
inline bool sixteen_are_told_by_turns() {
  Acquainted one;
  std::set<std::string> told;
  for (int i = 0; i < 2; ++i) {
    const auto domains = told_by(one.mesh[0]);
    if (domains.size() != peers_told_max) return false;
    told.insert(domains.begin(), domains.end());
  }
  return told.size() == 19 && !told.contains(one.mesh.names[0]);
}
inline bool the_silent_are_not_told() {
  Acquainted one;
  one.mesh[0].now += (peers_told_intervals + 21) * reconcile_interval;
  return told_by(one.mesh[0]).empty();
}
inline bool the_evicted_are_not_told() {
  Acquainted one;
  Node& judge = one.mesh[0];
  // p1 shows another first epoch than the one that it answered with.
  Node liar("p1.example", true, {});
  const keys::KeyPair key = make_key(5);
  (void)liar.publish(publish_args({&key}), "x.example");
  liar.tick(Instant{} + std::chrono::seconds{1});
  const wire::Value args = wire::Object{{"checkpoint", *liar.peer.head()->find("checkpoint")}};
  (void)judge.take(judge.peer.gossip(args, "p1.example", &liar.op.record.signing(), judge.now));
  std::set<std::string> told;
  for (int i = 0; i < 3; ++i)
    for (const std::string& domain : told_by(judge)) told.insert(domain);
  return judge.peer.stats().peers_evicted == 1 && told.size() == 18 && !told.contains("p1.example");
}
/// DIR-75. Two learned ones are the comparers; the peer that was named is told besides.
inline bool a_named_peer_compares_too() {
  for (int log = 0; log < 12; ++log) {
    Ring ring(6);
    ring.run(10);
    Node stranger(numbered("log", static_cast<std::size_t>(log)), true, {});
    ring[0].options.peers.push_back(stranger.name);
    ring[0].restart();
    stranger.tick(ring.now);
    const wire::Value shown =
        wire::Object{{"checkpoint", *stranger.peer.head()->find("checkpoint")}};
    (void)ring[0].take(
        ring[0].peer.gossip(shown, stranger.name, &stranger.op.record.signing(), ring.now));
    std::set<std::string> whom;
    for (const Ask& ask : asks_of(ring[0]))
      if (ask.op == "directory.compare") whom.insert(ask.domain);
    if (!whom.contains("p1.example")) return false;
  }
  return true;
}

/// DIR-77. Whoever came and went does not keep a peer in use from being cosigned.
inline bool logs_of_former_peers_give_way() {
  Node judge("p0.example", true, {"p1.example"});
  storage::WriteBatch writes;
  Witness witness("p0.example", &judge.op.signing, judge.store);
  for (std::size_t i = 0; i < seen_logs_max; ++i) {
    Node former(numbered("f", i), true, {});
    former.tick(Instant{} + std::chrono::seconds{1});
    const wire::Value head = *former.peer.head();
    (void)witness.meet(former.name, former.op.record.signing(),
                       head.find("checkpoint")->as_string(), writes);
  }
  judge.store.apply(writes);
  judge.restart();
  Node peer("p1.example", true, {});
  peer.tick(Instant{} + std::chrono::seconds{1});
  const wire::Value args = wire::Object{{"checkpoint", *peer.peer.head()->find("checkpoint")}};
  const auto answer =
      judge.take(judge.peer.gossip(args, peer.name, &peer.op.record.signing(), Instant{}));
  return answer && answer->find("cosignature") != nullptr &&
         judge.store.count(table_seen) == seen_logs_max;
}

/// DIR-76. Whichever key it is, the three peers that are asked are those that were named.
inline bool named_peers_are_asked_first() {
  Ring ring(8);
  ring[0].options.peers = {"p1.example", "p2.example", "p3.example"};
  ring[0].restart();
  ring.run(10);
  if (ring[0].peer.stats().peers_learned != 4) return false;
  std::set<std::string> whom;
  for (std::uint8_t i = 0; i < 8; ++i) {
    Id16 kid{};
    kid[15] = i;
    ring[0].peer.fetch(i, kid, ring.now);
    for (const Ask& ask : asks_of(ring[0])) whom.insert(ask.domain);
  }
  return whom.size() == 3 && whom.contains("p1.example") && whom.contains("p3.example");
}

}  // namespace ams::directory::testing
