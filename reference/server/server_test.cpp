// Goal: mail goes from an account to another, on one server and across two, and every op answers
// what the spec says. Method: real machines on both ends, bytes through queues, commits that the
// test controls.
#include <gtest/gtest.h>

#include "server/world_test.h"

namespace ams::server::testing {
namespace {

struct ServerTest : ::testing::Test {
  World world;
  Node& a = world.add("a.example");
  Node& b = world.add("b.example");
  Account alice{world, "alice@a.example"};
  Account anna{world, "anna@a.example"};
  Account bob{world, "bob@b.example"};
  void SetUp() override {
    alice.create();
    anna.create();
    bob.create();
  }
};

mail::OpenContext reading(const Account& reader, const Account& sender, const keys::Chain& chain) {
  mail::OpenContext context;
  context.reader = reader.addr;
  context.own_record = &reader.pair.record;
  context.own_key = &reader.pair.encryption;
  context.sender = &sender.pair.record;
  context.sender_domain = &chain;
  return context;
}

TEST_F(ServerTest, local_mail_arrives_and_opens) {
  const auto own = alice.device.call("keys.lookup", wire::Object{{"addr", alice.addr}});
  ASSERT_TRUE(own && own->find("proof"));
  const Letter letter = write_letter(
      alice, {&anna}, "local", {.attachments = {Bytes(40'000, 7)}, .proof = *own->find("proof")});
  const auto submitted = submit(alice, letter);
  ASSERT_TRUE(submitted) << code_info(submitted.error().code).name;
  EXPECT_EQ(submitted->find("ehash")->as_string(), to_base64url(letter.ehash));
  const auto inbox = folder(anna, "inbox");
  ASSERT_EQ(inbox.size(), 1u);
  const auto header = mail::parse_header(*inbox[0].find("env")).value();
  const Bytes body = anna.device.get(header.body.hash).value();
  EXPECT_TRUE(anna.device.get(header.blobs.at(0)));
  const auto chain = keys::verify_chain(a.options.chain, "a.example", a.root.record.id()).value();
  const auto stanza = mail::parse_stanza(*inbox[0].find("stanza")).value();
  const auto opened =
      mail::open(*inbox[0].find("env"), *from_base64url(inbox[0].find("asig")->as_string()),
                 std::vector{stanza}, body, reading(anna, alice, chain));
  ASSERT_TRUE(opened) << code_info(opened.error().code).name;
  EXPECT_EQ(opened->subject, "local");
}

TEST_F(ServerTest, remote_mail_arrives_once_with_a_receipt) {
  const Letter letter = write_letter(alice, {&bob, &anna}, "remote", {.sent_copy = true});
  ASSERT_TRUE(submit(alice, letter));
  world.run();
  EXPECT_EQ(folder(bob, "inbox").size(), 1u);
  EXPECT_EQ(folder(anna, "inbox").size(), 1u);
  EXPECT_EQ(folder(alice, "sent").size(), 1u);
  EXPECT_EQ(folder(alice, "notices").size(), 0u);
  EXPECT_EQ(a.server->stats().delivered_out, 1u);
  EXPECT_EQ(a.server->stats().queue_depth, 0u);
  EXPECT_EQ(b.server->stats().delivered_in, 1u);
}

}  // namespace
}  // namespace ams::server::testing
