// Goal: what DNS says of a domain admits nobody until a connection of one's own has proved it, and
// a wrong, stale or missing answer makes mail wait and nothing else. Method: two machines whose
// discovery says what a test wants; an impostor's session played by hand.
#include <gtest/gtest.h>

#include "server/world_test.h"

namespace ams::server::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// Another domain's keys under a.example's name.
struct Impostor {
  keys::KeyPair root = make_key("impostor root"), op = make_key("impostor op");
  wire::Value chain() const {
    const keys::DomainRecord record{"a.example", root.record.id(), op.record.id(),
                                    keys::isp_policy(), 1};
    return keys::chain_value(*keys::make_domain_record(record, root.signing), root.record,
                             op.record);
  }
};

struct DnsTest : ::testing::Test {
  World world;
  Node& a = world.add("a.example");
  Node& b = world.add("b.example");
  Account alice{world, "alice@a.example"};
  Account bob{world, "bob@b.example"};
  Device peer{world, "", "played by hand"};
  Impostor impostor;
  void SetUp() override {
    a.by_dns = b.by_dns = true;
    alice.create();
    bob.create();
  }
  void impersonate() {
    session::HelloInfo hello;
    hello.kind = session::PeerKind::server;
    hello.domain = "a.example";
    hello.chain = impostor.chain();
    peer.dial("b.example", std::move(hello), impostor.op.signing);
    world.run();
  }
  std::size_t letters() {
    bob.connect();
    return folder(bob, "inbox").size();
  }
};

TEST_F(DnsTest, two_domains_prove_each_other_and_mail_flows) {
  ASSERT_TRUE(submit(alice, write_letter(alice, {&bob}, "first")));
  EXPECT_EQ(letters(), 1u);
  EXPECT_EQ(a.server->stats().queue_depth, 0u);
  EXPECT_EQ(b.server->stats().auth_failures, 0u);
}

TEST_F(DnsTest, a_server_that_connects_is_admitted_after_we_reached_its_domain) {
  peer.connect_as(a, "b.example");
  world.run();
  EXPECT_TRUE(peer.open());
  a.reachable = false;  // proved already
  Device again(world, "", "another connection");
  again.connect_as(a, "b.example");
  world.run();
  EXPECT_TRUE(again.open());
}

TEST_F(DnsTest, a_forged_answer_alone_admits_nobody) {
  a.dns_root = impostor.root.record.id();
  impersonate();
  EXPECT_FALSE(peer.open());
  ASSERT_TRUE(peer.closed);
  EXPECT_EQ(peer.closed->why, Code::domain_record);
  // Nor does one when the real server cannot be reached to contradict it.
  a.reachable = false;
  impersonate();
  EXPECT_FALSE(peer.open());
  // The real one is not admitted by a root that it does not have either, but comes back.
  a.reachable = true;
  peer.connect_as(a, "b.example");
  world.run();
  EXPECT_FALSE(peer.open());
  a.dns_root.reset();
  peer.connect_as(a, "b.example");
  world.run();
  EXPECT_TRUE(peer.open());
}

TEST_F(DnsTest, a_proof_is_for_one_root_only) {
  peer.connect_as(a, "b.example");
  world.run();
  ASSERT_TRUE(peer.open());
  a.dns_root = impostor.root.record.id();
  impersonate();
  EXPECT_FALSE(peer.open());
}

TEST_F(DnsTest, mail_waits_while_the_answer_is_wrong_and_the_next_question_is_in_doubt) {
  b.dns_root = impostor.root.record.id();
  ASSERT_TRUE(submit(alice, write_letter(alice, {&bob}, "waits")));
  EXPECT_EQ(a.server->stats().queue_depth, 1u);
  EXPECT_EQ(letters(), 0u);
  a.resolves.clear();
  world.advance(seconds{450});
  ASSERT_FALSE(a.resolves.empty());
  EXPECT_EQ(a.resolves.front(), std::pair(std::string("b.example"), true));
  EXPECT_EQ(letters(), 0u);
  b.dns_root.reset();
  world.advance(minutes{15});
  EXPECT_EQ(letters(), 1u);
  EXPECT_EQ(a.server->stats().queue_depth, 0u);
}

TEST_F(DnsTest, mail_waits_while_there_is_no_answer) {
  b.discoverable = false;
  ASSERT_TRUE(submit(alice, write_letter(alice, {&bob}, "waits")));
  world.advance(seconds{449});
  b.discoverable = true;
  EXPECT_EQ(letters(), 0u);
  world.advance(seconds{1});
  EXPECT_EQ(letters(), 1u);
}

}  // namespace
}  // namespace ams::server::testing
