// For tests and mutants: an owner with a card, and that what a peer's operator dropped stays away.
#pragma once

#include "directory/peers_test.h"

namespace ams::directory::testing {

struct Carded {
  keys::KeyPair key = make_key(20);
  wire::Value card;
  Carded() {
    keys::Card drawn;
    drawn.name = "Alice A.";
    drawn.salt = Id16{1};
    card = *keys::make_card(key, drawn);
  }
  Id16 kid() const { return key.record.id().kid; }
  wire::Value args() const { return wire::Object{{"kid", to_uuid_text(kid())}}; }
};

/// CRD-9. Neither when it is published again nor with an event that another peer holds beside it.
inline bool a_dropped_card_does_not_come_back() {
  const std::vector<std::string> two{"a.example", "b.example"};
  Node a(two[0], true, two), b(two[1], true, two);
  Net net{{two[0], &a}, {two[1], &b}};
  const Carded owner;
  (void)a.publish(objects_args({owner.key.record.value(), owner.card}), "x.example");
  settle(net);
  if (!b.store.mentions("Alice A.") || !a.drop_card(owner.kid())) return false;
  (void)a.publish(objects_args({owner.card}), "x.example");
  const Lost cut = [](const std::string&, const Ask&) { return true; };
  (void)b.publish(objects_args({*keys::make_revocation(owner.key)}), "x.example");
  settle(net, cut);
  Instant now{};
  run_rounds(net, now, 2);
  const bool revoked = a.peer.get(owner.args())->find("revocation") != nullptr;
  return revoked && !a.store.mentions("Alice A.") && b.store.mentions("Alice A.");
}

}  // namespace ams::directory::testing
