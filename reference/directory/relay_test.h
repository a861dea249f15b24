// What peers may pass on (spec DIR-54, DIR-55), as predicates: the tests want each of them true,
// the mutants false.
#pragma once

#include <string>
#include <vector>

#include "directory/light.h"
#include "directory/mesh_test.h"

namespace ams::directory::testing {

/// A peer whose quota for one domain is one new key a day.
struct Strict {
  std::vector<std::string> names{"p0.example", "p1.example", "p2.example"};
  Node strict{names[0], true, names}, other{names[1], true, names};
  std::uint64_t next = 100;
  Strict() {
    strict.options.quota = 1;
    strict.restart();
  }
  /// How many of so many new keys it takes from a peer.
  std::size_t taken(std::size_t count, const std::string& from, bool on) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const keys::KeyPair key = make_key(next++);
      wire::Value args = publish_args({&key});
      if (on) args.as_object().emplace("on", true);
      const auto answer = strict.publish(args, from);
      out += answer && code_of(*answer, 0) == "ok";
    }
    (void)asks_of(strict);
    return out;
  }
};

/// With a third one, and a key that all three have: from now on nobody has just begun.
struct StrictAmongThree : Strict {
  Node third{names[2], true, names};
  Net net{{names[0], &strict}, {names[1], &other}, {names[2], &third}};
  Instant now{};
  StrictAmongThree() {
    const keys::KeyPair common = make_key(next++);
    (void)other.publish(publish_args({&common}), "x.example");
    run_rounds(net, now, 3);
  }
};

/// DIR-54. What one peer was the first to pass on.
inline bool a_peer_passes_on_a_quota_a_day() {
  Strict s;
  const std::size_t first = s.taken(4, s.names[1], false);
  const std::size_t second = s.taken(1, s.names[2], false);
  s.strict.now += std::chrono::hours{24};
  return first == 1 && second == 1 && s.taken(3, s.names[1], false) == 1;
}

/// DIR-54. What went through the hands of several does not use up what is theirs.
inline bool what_was_told_has_a_budget_of_its_own() {
  Strict s;
  return s.taken(1, s.names[1], true) == 1 && s.taken(1, s.names[2], true) == 0 &&
         s.taken(1, s.names[1], false) == 1;
}

/// DIR-55. Who heard of an object from a peer says so when it passes it on.
inline bool what_a_peer_told_goes_on_as_told() {
  Mesh mesh(3);
  const keys::KeyPair key = make_key(7);
  const auto marked = [](Node& node) {
    for (const Ask& ask : asks_of(node))
      if (ask.op == "directory.publish") return ask.args.find("on") != nullptr;
    return false;
  };
  (void)mesh[0].publish(publish_args({&key}), "x.example");
  (void)mesh[1].publish(publish_args({&key}), mesh.names[0]);
  return !marked(mesh[0]) && marked(mesh[1]);
}

/// DIR-54. What a comparison finds beyond the budget is left to later ones.
inline bool a_comparison_fetches_what_a_day_allows() {
  StrictAmongThree s;
  for (std::size_t i = 0; i < 8; ++i) {  // of old, without grants
    const keys::KeyPair key = make_key(s.next++);
    (void)s.other.publish(publish_args({&key}), s.names[2]);
  }
  (void)asks_of(s.other);
  const Lost pushes = [](const std::string&, const Ask& ask) {
    return ask.op == "directory.publish";
  };
  run_rounds(s.net, s.now, 3, pushes);
  const std::size_t first = s.strict.peer.stats().keys;
  s.now += std::chrono::hours{24};
  run_rounds(s.net, s.now, 4, pushes);
  return first == 2 && s.strict.peer.stats().keys == 3;
}

/// DIR-54. A peer that has just begun takes all that there is.
inline bool a_new_peer_is_not_held_up() {
  Strict s;
  Node third(s.names[2], true, s.names);
  Net net{{s.names[0], &s.strict}, {s.names[1], &s.other}, {s.names[2], &third}};
  for (std::size_t i = 0; i < 8; ++i) {
    const keys::KeyPair key = make_key(s.next++);
    (void)s.other.publish(publish_args({&key}), "x.example");
  }
  (void)asks_of(s.other);
  Instant now{};
  run_rounds(net, now, 3,
             [](const std::string&, const Ask& ask) { return ask.op == "directory.publish"; });
  return s.strict.peer.stats().keys == 8;
}

/// DIR-56. A revocation proves itself; that there is none does not.
inline bool an_unproven_revocation_counts() {
  const keys::KeyPair key = make_key(9);
  const Id16 kid = key.record.id().kid;
  const keys::Entry bare(key.record);
  keys::Entry revoked(key.record);
  (void)revoked.add(*keys::make_revocation(key));
  const std::vector<Looked> active{{bare, 0}}, withheld{{revoked, 0}}, absent{{std::nullopt, 0}};
  const std::vector<keys::Entry> against{revoked}, nothing{bare};
  const auto code = [](const Result<>& outcome) {
    return outcome ? Code::bom : outcome.error().code;
  };
  return kid == bare.record().id().kid && code(usable_by(active, {})) == Code::bom &&
         code(usable_by(active, against)) == Code::key_revoked &&
         code(usable_by(withheld, nothing)) == Code::key_revoked &&
         code(usable_by(absent, nothing)) == Code::not_found;
}

}  // namespace ams::directory::testing
