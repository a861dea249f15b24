// What holds where a directory has many peers (spec DIR-40 to DIR-44), as predicates: the tests
// want each of them true, the mutants false.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "directory/peers_test.h"
#include "verifiable/checkpoint.h"

namespace ams::directory::testing {

/// Full peers p0.example … that know each other.
struct Mesh {
  std::vector<std::string> names;
  std::vector<std::unique_ptr<Node>> nodes;
  explicit Mesh(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) names.push_back("p" + std::to_string(i) + ".example");
    for (const std::string& name : names)
      nodes.push_back(std::make_unique<Node>(name, true, names));
  }
  Node& operator[](std::size_t i) { return *nodes[i]; }
};

inline std::vector<Ask> asks_of(Node& node) {
  std::vector<Ask> out;
  while (auto ask = node.peer.poll_ask()) out.push_back(std::move(*ask));
  return out;
}

/// DIR-40. In one order for all, the first round of every peer would go to the same one.
inline bool peers_ask_in_orders_of_their_own() {
  Mesh mesh(16);
  std::set<std::string> first;
  for (auto& node : mesh.nodes) {
    node->tick(Instant{} + reconcile_interval);
    for (const Ask& ask : asks_of(*node))
      if (ask.op == "directory.gossip") first.insert(ask.domain);
  }
  return first.size() >= 5;
}

/// DIR-41. An owner's object goes to all, what a peer told to eight.
inline bool what_a_peer_told_goes_on_to_eight() {
  Mesh mesh(16);
  const keys::KeyPair key = make_key(7);
  (void)mesh[0].publish(publish_args({&key}), "x.example");
  const std::size_t own = asks_of(mesh[0]).size();
  (void)mesh[1].publish(publish_args({&key}), mesh.names[0]);
  std::set<std::string> whom;
  for (const Ask& ask : asks_of(mesh[1])) whom.insert(ask.domain);
  return own == 15 && whom.size() == push_on_max && !whom.contains(mesh.names[0]);
}

/// The answer of `from` to a gossip of `to`, taken in by `to`.
inline void gossip_once(Node& to, Node& from, Instant at) {
  to.tick(at);
  for (const Ask& ask : asks_of(to)) {
    if (ask.op != "directory.gossip") continue;
    const auto answer =
        from.take(from.peer.gossip(wire::Object{}, to.name, &to.op.record.signing(), from.now));
    to.peer.handle_reply(ask.cookie, answer, &from.op.record.signing(), at);
    to.drain();
  }
}

/// DIR-42. Whoever is asked shows a face, too: two of one size are enough.
inline bool two_faces_in_answers_are_noticed() {
  const std::vector<std::string> two{"p0.example", "p1.example"};
  Node asker(two[0], true, two), face(two[1], true, two), other(two[1], true, two);
  const keys::KeyPair key = make_key(8);
  (void)other.publish(publish_args({&key}), "x.example");
  face.tick(Instant{} + std::chrono::seconds{1});
  other.tick(Instant{} + std::chrono::seconds{1});
  (void)asks_of(other);
  gossip_once(asker, face, Instant{} + reconcile_interval);
  for (const Ask& ask : asks_of(asker))  // a round that began, and ends here
    asker.peer.handle_reply(ask.cookie, fail(Code::peer_unreachable, "test"), nullptr, asker.now);
  gossip_once(asker, other, Instant{} + 2 * reconcile_interval);
  return asker.peer.stats().peers_evicted == 1;
}

/// DIR-43. Who cannot prove consistency shows, with the same answer, what convicts it before
/// others.
inline bool a_failed_consistency_gives_a_proof() {
  const std::vector<std::string> names{"p0.example", "p1.example", "p2.example"};
  Node judge(names[0], true, names), teller(names[2], true, names);
  Node face(names[1], true, names), other(names[1], true, names);
  const auto second = [](int s) { return Instant{} + std::chrono::seconds{s}; };
  face.tick(second(1));
  other.tick(second(1));  // the same first epoch
  const auto shows = [&](Node& liar) {
    return judge.take(
        judge.peer.gossip(wire::Object{{"checkpoint", *liar.peer.head()->find("checkpoint")}},
                          names[1], &liar.op.record.signing(), second(2)));
  };
  if (!shows(face)) return false;
  const keys::KeyPair one = make_key(9), two = make_key(10);
  (void)face.publish(publish_args({&one}), "x.example");
  (void)other.publish(publish_args({&two}), "x.example");
  face.tick(second(62));
  other.tick(second(62));
  // A third peer tells of the other face's second epoch; this face cannot prove that.
  const wire::Value told = wire::Object{
      {"seen", wire::Array{wire::Object{{"domain", names[1]},
                                        {"checkpoint", *other.peer.head()->find("checkpoint")}}}}};
  (void)judge.take(judge.peer.gossip(told, names[2], &teller.op.record.signing(), second(63)));
  for (const Ask& ask : asks_of(judge)) {
    if (ask.op != "directory.consistency") continue;
    judge.peer.handle_reply(ask.cookie, face.peer.consistency(ask.args), &face.op.record.signing(),
                            second(63));
    judge.drain();
  }
  const auto answer = judge.take(
      judge.peer.gossip(wire::Object{}, names[2], &teller.op.record.signing(), second(64)));
  return answer && answer->find("proofs") != nullptr;
}

/// DIR-45. The third failure is borne, the fourth ends the round.
inline bool a_comparison_goes_on_after_failures() {
  const std::vector<std::string> two{"p0.example", "p1.example"};
  Node asker(two[0], true, two), other(two[1], true, two);
  const keys::KeyPair key = make_key(11);
  (void)other.publish(publish_args({&key}), "x.example");
  gossip_once(asker, other, Instant{} + reconcile_interval);
  std::size_t asked = 0;
  for (bool more = true; more && asked < 10;) {
    more = false;
    for (const Ask& ask : asks_of(asker)) {
      if (ask.op != "directory.reconcile") continue;
      more = true;
      ++asked;
      asker.peer.handle_reply(ask.cookie, fail(Code::peer_unreachable, "test"), nullptr, asker.now);
    }
  }
  return asked == 1 + round_failures_max;
}

/// DIR-44. Of 20 logs each is told within two messages.
inline bool checkpoints_are_told_by_turns() {
  Mesh mesh(22);
  for (std::size_t i = 1; i <= 20; ++i) {
    mesh[i].tick(Instant{} + std::chrono::seconds{1});
    const wire::Value args = wire::Object{{"checkpoint", *mesh[i].peer.head()->find("checkpoint")}};
    (void)mesh[0].take(mesh[0].peer.gossip(args, mesh.names[i], &mesh[i].op.record.signing(),
                                           Instant{} + std::chrono::seconds{2}));
  }
  std::set<std::string> told;
  for (int message = 0; message < 2; ++message) {
    const auto answer = mesh[0].take(mesh[0].peer.gossip(wire::Object{}, mesh.names[21],
                                                         &mesh[21].op.record.signing(), Instant{}));
    for (const wire::Value& one : answer->find("seen")->as_array())
      told.insert(one.find("domain")->as_string());
  }
  return told.size() == 20;
}

}  // namespace ams::directory::testing
