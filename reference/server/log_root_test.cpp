// Goal: the root of a domain's binding log stands in the directory: full peers cosign what the
// domain's server shows them, and tell others of it (BLG-35 to BLG-39, DIR-46). Method: domains
// with logs and stand-alone full peers, all real machines.
#include <gtest/gtest.h>

#include "bindlog/lie.h"
#include "directory/history.h"
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

}  // namespace
}  // namespace ams::server::testing
