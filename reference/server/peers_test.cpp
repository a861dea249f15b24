// Goal: a directory peer without mail serves and gossips; a light server's users find any key
// through it. Method: two domains and a stand-alone directory, all real machines.
#include <gtest/gtest.h>

#include "server/world_test.h"

namespace ams::server::testing {
namespace {

using std::chrono::seconds;

struct PeersTest : ::testing::Test {
  World world;
  Node& a = world.add("a.example");
  Node& b = world.add("b.example");
  Node& one = world.add("one.example");
  Node& two = world.add("two.example");
  void SetUp() override {
    const std::vector<std::string> full{"one.example", "two.example"};
    for (Node* node : {&a, &b, &one, &two}) {
      node->options.directory_peers = full;
      node->options.full_directory = node == &one || node == &two;
      node->options.mail = !node->options.full_directory;
      node->crash();
      node->start();
    }
  }
};

TEST_F(PeersTest, a_key_published_anywhere_is_found_everywhere) {
  Account alice{world, "alice@a.example"}, bob{world, "bob@b.example"};
  alice.create();
  bob.create();
  world.advance(seconds{130});
  alice.connect();
  const auto found = alice.device.call(
      "directory.get", wire::Object{{"kid", to_uuid_text(bob.pair.record.id().kid)}});
  ASSERT_TRUE(found) << code_info(found.error().code).name;
  EXPECT_EQ(*found->find("record"), bob.pair.record.value());
  const auto missing =
      alice.device.call("directory.get", wire::Object{{"kid", to_uuid_text(Id16{})}});
  EXPECT_EQ(code_of(missing), Code::not_found);
}

TEST_F(PeersTest, full_peers_come_to_hold_the_same_set) {
  two.reachable = false;
  Account alice{world, "alice@a.example"};
  alice.create();
  world.advance(seconds{130});
  two.reachable = true;
  world.advance(seconds{600});
  Device reader(world, "", "reader");
  std::vector<wire::Value> heads;
  for (Node* node : {&one, &two}) {
    reader.connect_as(b, node->domain);
    const auto head = reader.call("directory.head", wire::Object{});
    ASSERT_TRUE(head);
    heads.push_back(*head);
  }
  EXPECT_EQ(*heads[0].find("root"), *heads[1].find("root"));
  EXPECT_EQ(*heads[0].find("count"), *heads[1].find("count"));
  EXPECT_EQ(heads[0].find("count")->as_integer(), 1);
}

// A domain grants its users' keys; a peer that hears of them from another asks it who it is.
TEST_F(PeersTest, a_domains_grant_comes_to_peers_that_never_met_it) {
  Account bob{world, "bob@b.example"};
  bob.create();
  world.advance(seconds{200});  // both agree: neither has just begun
  two.reachable = false;
  Account alice{world, "alice@a.example"};
  alice.create();
  world.advance(seconds{5});
  Device reader(world, "", "reader");
  const wire::Value asked =
      wire::Object{{"grants", true},
                   {"kids", wire::Array{wire::Value(to_uuid_text(alice.pair.record.id().kid))}}};
  const auto grant_at = [&](const std::string& peer) {
    reader.connect_as(b, peer);
    const auto got = reader.call("directory.entries", asked);
    const wire::Value* grants = got ? got->find("grants") : nullptr;
    return grants == nullptr || grants->as_array().empty() ? wire::Value() : grants->as_array()[0];
  };
  const wire::Value grant = grant_at("one.example");
  ASSERT_TRUE(grant.is_object());
  EXPECT_EQ(*grant.find("domain"), wire::Value("a.example"));
  two.reachable = true;
  world.advance(seconds{100});
  EXPECT_EQ(grant_at("two.example"), grant);
}

TEST_F(PeersTest, a_directory_has_no_mail_ops) {
  Device server(world, "", "server");
  server.connect_as(b, "one.example");
  ASSERT_TRUE(server.open());
  for (const char* op : {"relay.deliver", "keys.lookup", "mail.sync", "domain.get", "blob.get"})
    EXPECT_EQ(code_of(server.call(op, wire::Object{})), Code::unsupported) << op;
  EXPECT_EQ(code_of(server.put(Bytes(10, 1))), Code::unsupported);
}

}  // namespace
}  // namespace ams::server::testing
