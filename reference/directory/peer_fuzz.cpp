// Property: whatever a stranger or another peer sends, no op breaks, nothing is held that does not
// hold together, and a restart from the rows that were given out comes to the same root.
#include "directory/light.h"
#include "directory/peers_test.h"

namespace {

using namespace ams;
using namespace ams::directory;

const keys::KeyPair& owner() {
  static const keys::KeyPair pair = testing::make_key(1);
  return pair;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = wire::decode(ByteView(data, size));
  if (!value) return 0;
  testing::Node node("a.example", true, {"b.example"});
  node.options.exchange = true;
  node.restart();
  (void)node.publish(testing::objects_args({owner().record.value(), *value}), "c.example");
  (void)node.publish(*value, "b.example");
  (void)node.take(node.peer.gossip(*value, "b.example", &owner().record.signing(), Instant{}));
  (void)node.peer.peers(*value, Instant{});
  for (const auto op : {&Peer::get, &Peer::card, &Peer::range, &Peer::entries, &Peer::reconcile,
                        &Peer::proof, &Peer::consistency, &Peer::history})
    (void)(node.peer.*op)(*value);
  // As what another peer answers, to whatever was asked. Whom it names is tried a round later.
  node.peer.fetch(1, Id16{}, Instant{});
  for (int round = 1; round <= 2; ++round) {
    node.tick(Instant{} + round * reconcile_interval);
    for (int i = 0; i < 16; ++i) {
      const auto ask = node.peer.poll_ask();
      if (!ask) break;
      node.peer.handle_reached(ask->domain, ByteView(data, std::min<std::size_t>(size, 16)));
      node.peer.handle_reply(ask->cookie, *value, &owner().record.signing(), Instant{});
      node.drain();
    }
  }
  (void)Auditor().take(*value);
  const Stats before = node.peer.stats();
  node.restart();
  AMS_ASSERT(node.peer.stats().root == before.root && node.peer.stats().keys == before.keys);
  return 0;
}
