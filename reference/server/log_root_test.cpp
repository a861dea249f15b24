// Goal: the root of a domain's binding log stands in the directory: full peers cosign what the
// domain's server shows them, and tell others of it (BLG-35 to BLG-39, DIR-46). Method: domains
// with logs and stand-alone full peers, all real machines.
#include <gtest/gtest.h>

#include "bindlog/proof.h"
#include "directory/history.h"
#include "server/binding_log.h"
#include "server/tables.h"
#include "server/world_test.h"

namespace ams::server::testing {
namespace {

using std::chrono::seconds;

struct LogRootTest : ::testing::Test {
  World world;
  Node& a = world.add("a.example");
  Node& b = world.add("b.example");
  Node& one = world.add("one.example");
  Node& two = world.add("two.example");
  void start(const std::vector<std::string>& peers) {
    for (Node* node : {&a, &b, &one, &two}) {
      node->options.full_directory = node == &one || node == &two;
      node->options.mail = !node->options.full_directory;
      node->options.directory_peers = node->options.mail ? peers : std::vector<std::string>{};
      node->crash();
      node->start();
    }
  }
  /// What a directory peer says of a domain, to another server.
  Result<wire::Value> told(const std::string& peer, const std::string& domain) {
    Device reader(world, "", "reader");
    reader.connect_as(b, peer);
    return reader.call("directory.domain", wire::Object{{"domain", domain}});
  }
  /// The only epoch of a's log, as its server would show it.
  wire::Value first_epoch() {
    Bytes epoch, added;
    EXPECT_TRUE(a.storage.scan(table_log_epoch, {}, {}, [&](ByteView, ByteView value) {
      epoch = to_bytes(value);
      return true;
    }));
    EXPECT_TRUE(a.storage.scan(table_log_leaf, {}, {}, [&](ByteView key, ByteView value) {
      append(added, key.last(16));
      append(added, value);
      return true;
    }));
    const auto note = a.storage.get(table_meta, as_bytes("binding_log_note"));
    return wire::Object{{"checkpoint", to_string(**note)},
                        {"epochs", wire::Array{wire::Object{{"added", to_base64url(added)},
                                                            {"epoch", to_base64url(epoch)}}}},
                        {"from", 0}};
  }
  /// How many of the two have cosigned the head of what b's user is answered about `addr`.
  std::size_t cosigned(Account& asker, const std::string& addr) {
    const auto answer = asker.device.call("keys.lookup", wire::Object{{"addr", addr}});
    if (!answer || !answer->find("proof")) return 99;
    const std::vector<verifiable::NoteKey> witnesses{cosigner(one), cosigner(two)};
    for (std::size_t quorum = 2; quorum > 0; --quorum)
      if (bindlog::verify_proof(*answer->find("proof"), addr, identity(a), {witnesses, quorum}))
        return quorum;
    EXPECT_TRUE(bindlog::verify_proof(*answer->find("proof"), addr, identity(a)));
    return 0;
  }
  static verifiable::NoteKey cosigner(const Node& peer) {
    return *directory::log_key(peer.domain, peer.op.record.signing(),
                               verifiable::NoteKeyType::cosignature_v1);
  }
  static bindlog::Identity identity(const Node& node) {
    const keys::LogKeys log = binding_log_keys(node.options.index_key);
    return *bindlog::make_identity(node.domain, to_bytes(ByteView(log.vrf)), log.note);
  }
};

TEST_F(LogRootTest, a_full_peer_tells_of_what_a_domain_showed_it) {
  start({});
  Account alice{world, "alice@a.example"};
  alice.create();
  EXPECT_EQ(code_of(told("one.example", "a.example")), Code::not_found);
  Device server(world, "", "server");
  server.connect_as(a, "one.example");
  const auto before = told("one.example", "a.example");
  ASSERT_TRUE(before);
  EXPECT_EQ(*before->find("chain"), a.options.chain);
  EXPECT_EQ(before->find("checkpoint"), nullptr);
  ASSERT_TRUE(server.call("directory.bindlog", first_epoch()));
  one.crash();
  one.start();
  const auto after = told("one.example", "a.example");
  ASSERT_TRUE(after && after->find("checkpoint"));
  const std::vector<verifiable::NoteKey> witnesses{cosigner(one)};
  EXPECT_TRUE(verifiable::open_checkpoint(after->find("checkpoint")->as_string(), identity(a).log,
                                          {witnesses, 1}));
  EXPECT_EQ(code_of(told("a.example", "b.example")), Code::not_found);  // light
  EXPECT_EQ(code_of(told("one.example", "no domain")), Code::address_syntax);
}

TEST_F(LogRootTest, a_domain_shows_its_own_log_only) {
  start({});
  Account alice{world, "alice@a.example"};
  alice.create();
  Device other(world, "", "server");
  other.connect_as(b, "one.example");
  EXPECT_EQ(code_of(other.call("directory.bindlog", first_epoch())), Code::proof);
  alice.connect();
  EXPECT_EQ(code_of(alice.device.call("directory.bindlog", first_epoch())), Code::wrong_role);
}

TEST_F(LogRootTest, nothing_is_cosigned_before_it_is_durable) {
  start({});
  Account alice{world, "alice@a.example"};
  alice.create();
  Device server(world, "", "server");
  server.connect_as(a, "one.example");
  one.storage.faults().fail_next_commit = true;
  EXPECT_EQ(code_of(server.call("directory.bindlog", first_epoch())), Code::storage);
  const auto again = server.call("directory.bindlog", first_epoch());
  ASSERT_TRUE(again);
  EXPECT_NE(again->find("cosignature"), nullptr);
}

TEST_F(LogRootTest, heads_bear_the_cosignatures_of_all_full_peers) {
  start({"one.example", "two.example"});
  Account alice{world, "alice@a.example"}, bob{world, "bob@b.example"};
  alice.create();
  bob.create();
  world.advance(seconds{5});
  EXPECT_EQ(cosigned(bob, alice.addr), 2u);
  a.crash();
  a.start();
  bob.connect();
  EXPECT_EQ(cosigned(bob, alice.addr), 2u);  // they are durable
  Account carol{world, "carol@a.example"};
  carol.create();
  EXPECT_EQ(cosigned(bob, alice.addr), 2u);  // carol's epoch is no reason to go without
  world.advance(seconds{5});
  EXPECT_EQ(cosigned(bob, carol.addr), 2u);
  world.advance(std::chrono::hours{5});
  EXPECT_EQ(cosigned(bob, alice.addr), 2u);  // epochs are ended and shown while nobody asks
}

TEST_F(LogRootTest, users_are_told_what_the_peers_say) {
  start({"one.example", "two.example"});
  Account alice{world, "alice@a.example"}, bob{world, "bob@b.example"};
  alice.create();
  bob.create();
  world.advance(seconds{5});
  const auto relay = [&](wire::Object args) { return bob.device.call("directory.relay", args); };
  const auto peers = relay(wire::Object{{"domain", "a.example"}});
  ASSERT_TRUE(peers);
  EXPECT_EQ(*peers->find("peers"), wire::Value(wire::Array{"one.example", "two.example"}));
  const auto got = relay(wire::Object{{"domain", "a.example"}, {"peer", "two.example"}});
  ASSERT_TRUE(got && got->find("got"));
  EXPECT_EQ(*got->find("got")->find("chain"), a.options.chain);
  ASSERT_NE(got->find("got")->find("checkpoint"), nullptr);
  const std::vector<verifiable::NoteKey> witnesses{cosigner(two)};
  EXPECT_TRUE(verifiable::open_checkpoint(got->find("got")->find("checkpoint")->as_string(),
                                          identity(a).log, {witnesses, 1}));
  const auto none = relay(wire::Object{{"domain", "c.example"}, {"peer", "two.example"}});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->find("got"), nullptr);
  EXPECT_EQ(code_of(relay(wire::Object{{"domain", "a.example"}, {"peer", "b.example"}})),
            Code::not_found);
  EXPECT_EQ(code_of(relay(wire::Object{{"domain", "A"}})), Code::address_syntax);
  EXPECT_EQ(code_of(relay(wire::Object{})), Code::schema);
}

TEST_F(LogRootTest, no_answer_waits_for_a_witness) {
  start({"one.example", "two.example"});
  one.reachable = two.reachable = false;
  Account alice{world, "alice@a.example"}, bob{world, "bob@b.example"};
  alice.create();
  bob.create();
  world.advance(seconds{5});
  EXPECT_EQ(cosigned(bob, alice.addr), 0u);
  one.reachable = true;
  world.advance(seconds{60});
  EXPECT_EQ(cosigned(bob, alice.addr), 1u);
  two.reachable = true;
  world.advance(seconds{120});
  EXPECT_EQ(cosigned(bob, alice.addr), 2u);
}

TEST_F(LogRootTest, a_long_log_is_shown_in_parts) {
  start({"one.example", "two.example"});
  one.reachable = false;
  Account bob{world, "bob@b.example"};
  bob.create();
  std::vector<std::unique_ptr<Account>> users;
  for (int i = 0; i < 150; ++i)
    users.push_back(std::make_unique<Account>(world, "u" + std::to_string(i) + "@a.example"));
  for (auto& user : users) user->create();
  one.reachable = true;
  world.advance(seconds{600});
  EXPECT_EQ(cosigned(bob, users.back()->addr), 2u);
  one.crash();  // and a witness that lost everything begins again
  one.storage = store::MemoryStorage();
  one.start();
  Account last{world, "last@a.example"};
  last.create();
  world.advance(seconds{600});
  EXPECT_EQ(cosigned(bob, last.addr), 2u);
}

TEST_F(LogRootTest, an_epoch_that_is_lost_was_shown_to_nobody) {
  start({"one.example"});
  Account alice{world, "alice@a.example"}, bob{world, "bob@b.example"};
  alice.create();
  bob.create();
  world.advance(seconds{5});
  ASSERT_EQ(cosigned(bob, alice.addr), 1u);
  for (int i = 0; i < 3; ++i) {
    a.hold_commits = true;
    alice.device.send("keys.associate",
                      wire::Object{{"record", make_key("other" + std::to_string(i)).record.value()},
                                   {"version", 2}});
    world.run();
    world.advance(std::chrono::minutes{46});  // until it looks whether there is anything to show
    a.crash();
    a.hold_commits = false;
    a.start();
    alice.connect();
    bob.connect();
    world.advance(seconds{5});
  }
  // Another epoch stands in its place now: a witness that had seen the lost one would know of two.
  const keys::KeyPair pair = make_key("alice at last");
  ASSERT_TRUE(alice.device.call("keys.associate",
                                wire::Object{{"record", pair.record.value()}, {"version", 2}}));
  world.advance(seconds{30});
  EXPECT_EQ(cosigned(bob, alice.addr), 1u);
}

TEST_F(LogRootTest, a_cosignature_is_verified_before_it_is_shown) {
  start({});
  Account alice{world, "alice@a.example"};
  alice.create();
  const auto chain = keys::verify_chain(a.options.chain, "a.example", a.root.record.id());
  const auto log = BindingLog::open(a.options, chain->record, a.storage);
  ASSERT_EQ(log->offer(), 1u);
  const auto note_by = [&](const Node& signer, std::uint64_t size) {
    const std::string text =
        verifiable::parse_note(log->shown(0, size)->args.find("checkpoint")->as_string())->text;
    return verifiable::format(
        {text, {*verifiable::cosign(text, "one.example/ams-directory", signer.op.signing, 1)}});
  };
  Txn txn(a.storage);
  const auto judged = [&](const std::string& note) {
    const auto taken = log->cosigned(txn, 1, note, cosigner(one));
    return taken ? Code::bom : taken.error().code;
  };
  EXPECT_EQ(judged(note_by(two, 1)), Code::signature);
  auto other = *verifiable::parse_note(note_by(one, 1));
  other.text += "of something else\n";
  EXPECT_EQ(judged(verifiable::format(other)), Code::proof);
  EXPECT_TRUE(txn.take().empty());
  EXPECT_EQ(judged(note_by(one, 1)), Code::bom);
  EXPECT_EQ(judged(note_by(one, 1)), Code::bom);  // the same once more replaces it
  const storage::WriteBatch kept = txn.take();
  ASSERT_EQ(kept.puts.size(), 1u);
  EXPECT_EQ(verifiable::parse_note(to_string(kept.puts[0].value))->signatures.size(), 2u);
}

}  // namespace
}  // namespace ams::server::testing
