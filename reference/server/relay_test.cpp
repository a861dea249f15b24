// Goal: what another domain's server asks is judged as REL says, whatever it sends; and a domain's
// queue retries, expires and tells the truth about what became of mail. Method: a server session
// played by hand against a real machine; and two machines whose link is cut.
#include <gtest/gtest.h>

#include "server/tables.h"
#include "server/world_test.h"

namespace ams::server::testing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct RelayTest : ::testing::Test {
  World world;
  Node& a = world.add("a.example");
  Node& b = world.add("b.example");
  Account alice{world, "alice@a.example"};
  Account bob{world, "bob@b.example"};
  Account bill{world, "bill@b.example"};
  Device peer{world, "", "a's server played by hand"};
  void SetUp() override {
    alice.create();
    bob.create();
    bill.create();
  }
};

/// A delivery as a.example's server would make it; each part can be spoiled before it is built.
struct Forge {
  const Node& from;
  Letter letter;
  std::vector<std::string> addrs;
  bool with_key = true;
  std::string vouch_rdom = "b.example";
  std::optional<wire::Value> key = {};

  wire::Value delivery(const Account& sender) const {
    wire::Array vouches, rcpts;
    for (std::size_t i = 0; i < addrs.size(); ++i) {
      const Id16 salt{static_cast<std::uint8_t>(i + 1)};
      mail::Vouch vouch;
      vouch.ehash = mail::vouch_ehash(letter.args.at("env"),
                                      *from_base64url(letter.args.at("asig").as_string()));
      vouch.sdom = from.domain;
      vouch.rdom = vouch_rdom;
      vouch.dkid = from.op.record.id().kid;
      vouch.rroot = mail::merkle_root({to_bytes(ByteView(mail::rtag(salt, addrs[i])))});
      vouch.day = start_ms / 86'400'000;
      vouches.push_back(*mail::make_vouch(vouch, from.op.signing));
      rcpts.push_back(wire::Object{{"addr", addrs[i]},
                                   {"salt", to_base64url(salt)},
                                   {"stanza", 0},
                                   {"vouch", static_cast<std::int64_t>(i)}});
    }
    wire::Object out{{"env", letter.args.at("env")},         {"asig", letter.args.at("asig")},
                     {"stanzas", letter.args.at("stanzas")}, {"head", letter.args.at("head")},
                     {"vouches", std::move(vouches)},        {"rcpts", std::move(rcpts)}};
    if (with_key) out.emplace("key", key.value_or(sender.pair.record.value()));
    return out;
  }
};

wire::Value batch(wire::Array deliveries) {
  return wire::Object{{"deliveries", std::move(deliveries)}};
}

struct Verdict {
  bool accepted = false;
  std::optional<Code> code;
};
/// Receipts of the first delivery, each verified.
std::vector<Verdict> verdicts(const Result<wire::Value>& answer, const Node& by,
                              const Hash& ehash) {
  std::vector<Verdict> out;
  EXPECT_TRUE(answer) << code_info(answer.error().code).name;
  if (!answer) return out;
  const auto chain = keys::verify_chain(by.options.chain, by.domain, by.root.record.id()).value();
  for (const wire::Value& value : answer->find("results")->as_array().at(0).as_array()) {
    const auto receipt = mail::verify_receipt(value, chain);
    EXPECT_TRUE(receipt);
    if (!receipt) continue;
    EXPECT_EQ(receipt->ehash, ehash);
    out.push_back({receipt->accepted, receipt->code});
  }
  return out;
}

struct PlayedTest : RelayTest {
  Forge forge{a, {}, {"bob@b.example"}};
  void SetUp() override {
    RelayTest::SetUp();
    forge.letter = write_letter(alice, {&bob}, "played");
    peer.serving.emplace(crypto::sha256(forge.letter.sealed.body), forge.letter.sealed.body);
    peer.connect_as(a, "b.example");
    ASSERT_TRUE(peer.open());
  }
  Result<wire::Value> deliver() {
    return peer.call("relay.deliver", batch({forge.delivery(alice)}));
  }
  Code refused() {
    const auto all = verdicts(deliver(), b, mail::ehash(forge.letter.args.at("env")));
    EXPECT_EQ(all.size(), forge.addrs.size());
    EXPECT_EQ(folder(bob, "inbox").size(), 0u);
    return all.empty() || all[0].accepted ? Code::bom : all[0].code.value();
  }
  void sign_again(std::string_view member, wire::Value value) {
    wire::Value& env = forge.letter.args.at("env");
    env.as_object().insert_or_assign(std::string(member), std::move(value));
    forge.letter.args.insert_or_assign("asig",
                                       to_base64url(*mail::sign_header(env, alice.pair.signing)));
  }
};

TEST_F(PlayedTest, a_good_delivery_is_accepted_and_not_doubled) {
  for (int round = 0; round < 3; ++round) {
    const auto all = verdicts(deliver(), b, forge.letter.ehash);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_TRUE(all[0].accepted);
  }
  EXPECT_EQ(folder(bob, "inbox").size(), 1u);
  EXPECT_EQ(peer.served, 1u) << "the blobs of what is known are not pulled again";
}

TEST_F(PlayedTest, known_mail_is_known_after_its_expiry) {
  ASSERT_TRUE(verdicts(deliver(), b, forge.letter.ehash).at(0).accepted);
  world.advance(hours{5 * 24 + 1});
  bob.connect();
  peer.connect_as(a, "b.example");
  EXPECT_TRUE(verdicts(deliver(), b, forge.letter.ehash).at(0).accepted);
  world.advance(hours{24});
  peer.connect_as(a, "b.example");
  const auto forgotten = verdicts(deliver(), b, forge.letter.ehash);
  EXPECT_EQ(forgotten.at(0).code, Code::expired);
  bob.connect();
  EXPECT_EQ(folder(bob, "inbox").size(), 1u);
}

TEST_F(PlayedTest, recipients_are_judged_one_by_one) {
  forge.addrs = {"bob@b.example", "nobody@b.example", "alice@a.example"};
  const auto all = verdicts(deliver(), b, forge.letter.ehash);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_TRUE(all[0].accepted);
  EXPECT_EQ(all[1].code, Code::no_such_address);
  EXPECT_EQ(all[2].code, Code::not_local);
}

TEST_F(PlayedTest, a_foreign_sender_domain_is_refused) {
  sign_again("sdom", "c.example");
  EXPECT_EQ(refused(), Code::domain_mismatch);
}

TEST_F(PlayedTest, times_are_judged) {
  const std::int64_t ts = start_ms + 3'600'000;
  sign_again("ts", ts);
  EXPECT_EQ(refused(), Code::not_yet_valid);
  world.advance(hours{24 * 6});
  bob.connect();
  peer.connect_as(a, "b.example");
  EXPECT_EQ(refused(), Code::expired);
}

TEST_F(PlayedTest, a_signature_of_someone_else_is_refused) {
  forge.letter.args.insert_or_assign(
      "asig", to_base64url(*mail::sign_header(forge.letter.sealed.header, bob.pair.signing)));
  EXPECT_EQ(refused(), Code::signature);
}

TEST_F(PlayedTest, a_record_of_another_key_is_refused) {
  forge.key = bob.pair.record.value();
  EXPECT_EQ(refused(), Code::kid_mismatch);
}

TEST_F(PlayedTest, without_a_record_the_answer_is_temporary) {
  forge.with_key = false;
  EXPECT_EQ(refused(), Code::peer_unreachable);
}

TEST_F(PlayedTest, a_vouch_for_something_else_is_refused) {
  forge.vouch_rdom = "c.example";
  EXPECT_EQ(refused(), Code::vouch_mismatch);
}

TEST_F(PlayedTest, blobs_must_come_and_fit) {
  const Hash body = crypto::sha256(forge.letter.sealed.body);
  peer.serving.clear();
  EXPECT_EQ(refused(), Code::missing_blob);
  peer.serving.emplace(body, Bytes(forge.letter.sealed.body.size(), 1));
  EXPECT_EQ(refused(), Code::blob_hash);
  peer.serving.at(body) = Bytes(forge.letter.sealed.body.size() + 1, 1);
  EXPECT_EQ(refused(), Code::blob_hash);
  forge.letter.args.insert_or_assign("head", to_base64url(Bytes(100, 1)));
  EXPECT_EQ(refused(), Code::blob_hash);
}

TEST_F(PlayedTest, a_full_mailbox_is_a_temporary_refusal) {
  b.options.mailbox_bytes_max = 2'000;
  b.crash();
  b.start();
  bob.connect();
  peer.connect_as(a, "b.example");
  EXPECT_EQ(refused(), Code::mailbox_full);
  EXPECT_EQ(b.storage.get(table_blob, crypto::sha256(forge.letter.sealed.body)).value(),
            std::nullopt)
      << "nothing is left of what was refused";
}

TEST_F(PlayedTest, requests_are_bounded) {
  const wire::Value one = forge.delivery(alice);
  EXPECT_EQ(code_of(peer.call("relay.deliver", batch(wire::Array(65, one)))),
            Code::batch_too_large);
  EXPECT_EQ(code_of(peer.call("relay.deliver", batch({}))), Code::schema);
  forge.addrs.assign(101, "bob@b.example");
  for (std::size_t i = 0; i < 101; ++i) forge.addrs[i] = "u" + std::to_string(i) + "@b.example";
  const wire::Value many = forge.delivery(alice);
  EXPECT_EQ(code_of(peer.call("relay.deliver", batch({many}))), Code::too_many_stanzas);
  wire::Value bad = one;
  bad.as_object().at("rcpts").as_array().at(0).as_object().insert_or_assign("stanza", 7);
  EXPECT_EQ(code_of(peer.call("relay.deliver", batch({bad}))), Code::schema);
  EXPECT_EQ(code_of(peer.call("mail.submit", wire::Object{})), Code::wrong_role);
  EXPECT_EQ(code_of(peer.call("keys.lookup", wire::Object{{"addr", "x@c.example"}})),
            Code::not_local);
}

TEST_F(PlayedTest, status_is_told_to_the_sending_domain_only) {
  ASSERT_TRUE(deliver());
  const auto status = [&](std::string_view addr) {
    const auto answer = peer.call(
        "relay.status", wire::Object{{"addr", addr}, {"ehash", to_base64url(forge.letter.ehash)}});
    EXPECT_TRUE(answer);
    return answer ? answer->find("verdict")->as_string() : "";
  };
  EXPECT_EQ(status("bob@b.example"), "accepted");
  EXPECT_EQ(status("bill@b.example"), "unknown");
  Node& c = world.add("c.example");
  peer.connect_as(c, "b.example");
  EXPECT_EQ(status("bob@b.example"), "unknown");
}

TEST_F(PlayedTest, a_chain_that_discovery_does_not_confirm_is_denied) {
  a.discoverable = false;
  peer.connect_as(a, "b.example");
  EXPECT_FALSE(peer.open());
  ASSERT_TRUE(peer.closed);
  EXPECT_EQ(peer.closed->why, Code::domain_record);
  EXPECT_EQ(b.server->stats().auth_failures, 1u);
}

TEST_F(PlayedTest, a_peer_that_stops_answering_pulls_is_dropped) {
  world.advance(seconds{1});
  peer.serving.clear();
  // Bytes to the peer are lost from here on: it never sees the pull.
  const auto far = world.ends.at(peer.conn).peer;
  peer.send("relay.deliver", batch({forge.delivery(alice)}));
  world.ends.erase(peer.conn);
  world.run();
  EXPECT_TRUE(world.ends.contains(far));
  world.advance(seconds{29});
  EXPECT_TRUE(world.ends.contains(far));
  world.advance(seconds{2});
  EXPECT_FALSE(world.ends.contains(far));
  EXPECT_EQ(folder(bob, "inbox").size(), 0u);
}

// --- two machines
// ------------------------------------------------------------------------------------

std::vector<mail::Notice> notices(Account& account) {
  std::vector<mail::Notice> out;
  for (const wire::Value& message : folder(account, "notices"))
    out.push_back(mail::parse_notice(*message.find("notice")).value());
  return out;
}

TEST_F(RelayTest, retries_come_at_the_times_of_the_spec_until_the_peer_is_back) {
  b.reachable = false;
  ASSERT_TRUE(submit(alice, write_letter(alice, {&bob}, "later")));
  EXPECT_EQ(a.server->stats().retries, 1u);
  std::int64_t wait_s = 450;
  for (std::uint64_t n = 2; n <= 9; ++n) {
    world.advance(seconds{wait_s - 1});
    EXPECT_EQ(a.server->stats().retries, n - 1);
    world.advance(seconds{1});
    EXPECT_EQ(a.server->stats().retries, n);
    if (n <= 7) wait_s *= 2;
  }
  b.reachable = true;
  world.advance(seconds{wait_s});
  bob.connect();
  alice.connect();
  EXPECT_EQ(folder(bob, "inbox").size(), 1u);
  EXPECT_EQ(notices(alice).size(), 0u);
  EXPECT_EQ(a.server->stats().queue_depth, 0u);
}

TEST_F(RelayTest, what_was_never_sent_fails_at_expiry) {
  b.reachable = false;
  ASSERT_TRUE(submit(alice, write_letter(alice, {&bob, &bill}, "never", {.life_ms = 3'600'000})));
  world.advance(minutes{59});
  alice.connect();
  EXPECT_EQ(notices(alice).size(), 0u);
  world.advance(minutes{2});
  alice.connect();
  const auto all = notices(alice);
  ASSERT_EQ(all.size(), 2u);
  for (const mail::Notice& notice : all) {
    EXPECT_TRUE(notice.failed);
    EXPECT_EQ(notice.code, Code::peer_unreachable);
  }
  EXPECT_EQ(all[0].addr, "bob@b.example");
  EXPECT_EQ(a.server->stats().queue_depth, 0u);
}

TEST_F(RelayTest, a_permanent_refusal_is_a_notice_with_the_receipt) {
  Account nobody(world, "nobody@b.example");
  ASSERT_TRUE(submit(alice, write_letter(alice, {&nobody, &bob}, "refused")));
  const auto all = notices(alice);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_TRUE(all[0].failed);
  EXPECT_EQ(all[0].addr, "nobody@b.example");
  EXPECT_EQ(all[0].code, Code::no_such_address);
  ASSERT_TRUE(all[0].receipt);
  const auto chain = keys::verify_chain(b.options.chain, b.domain, b.root.record.id()).value();
  EXPECT_TRUE(mail::verify_receipt(*all[0].receipt, chain));
  const auto own = keys::verify_chain(a.options.chain, a.domain, a.root.record.id()).value();
  EXPECT_TRUE(mail::verify_notice(*folder(alice, "notices")[0].find("notice"), own));
  EXPECT_EQ(folder(bob, "inbox").size(), 1u);
}

TEST_F(RelayTest, a_local_recipient_that_does_not_exist_gives_a_notice) {
  Account nobody(world, "nobody@a.example");
  ASSERT_TRUE(submit(alice, write_letter(alice, {&nobody}, "local refused")));
  const auto all = notices(alice);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].code, Code::no_such_address);
  EXPECT_EQ(alice.device.events.size(), 1u) << "and it is pushed";
}

TEST_F(RelayTest, a_full_mailbox_is_tried_again) {
  b.options.mailbox_bytes_max = 2'000;
  b.crash();
  b.start();
  bob.connect();
  ASSERT_TRUE(submit(alice, write_letter(alice, {&bob}, "full")));
  EXPECT_EQ(a.server->stats().queue_depth, 1u);
  b.options.mailbox_bytes_max = 1 << 20;
  b.crash();
  b.start();
  world.advance(seconds{451});
  bob.connect();
  alice.connect();
  EXPECT_EQ(folder(bob, "inbox").size(), 1u);
  EXPECT_EQ(notices(alice).size(), 0u);
}

TEST_F(RelayTest, a_mailbox_that_stays_full_fails_with_the_signed_refusal) {
  b.options.mailbox_bytes_max = 2'000;
  b.crash();
  b.start();
  ASSERT_TRUE(submit(alice, write_letter(alice, {&bob}, "stays full", {.life_ms = 3'600'000})));
  world.advance(minutes{61});
  alice.connect();
  const auto all = notices(alice);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_TRUE(all[0].failed);
  EXPECT_EQ(all[0].code, Code::mailbox_full);
  EXPECT_TRUE(all[0].receipt);
}

TEST_F(RelayTest, a_local_full_mailbox_is_tried_again_too) {
  Account anna(world, "anna@a.example");
  anna.create();
  const Letter big = write_letter(anna, {&anna}, "fills", {.attachments = {Bytes(100'000, 1)}});
  a.options.mailbox_bytes_max = 120'000;
  a.crash();
  a.start();
  alice.connect();
  anna.connect();
  ASSERT_TRUE(submit(anna, big));
  ASSERT_TRUE(
      submit(alice, write_letter(alice, {&anna}, "waits", {.attachments = {Bytes(20'000, 2)}})));
  EXPECT_EQ(folder(anna, "inbox").size(), 1u);
  EXPECT_EQ(a.server->stats().queue_depth, 1u);
  ASSERT_TRUE(anna.device.call("mail.delete", wire::Object{{"uid", 1}}));
  world.advance(seconds{451});
  anna.connect();
  EXPECT_EQ(folder(anna, "inbox").size(), 1u);
  EXPECT_EQ(a.server->stats().queue_depth, 0u);
}

TEST_F(RelayTest, silence_after_sending_is_undetermined_never_failed) {
  // b takes the mail but its answer is lost, and then b is gone for good.
  b.hold_commits = true;
  ASSERT_TRUE(submit(alice, write_letter(alice, {&bob}, "silence", {.life_ms = 3'600'000})));
  b.reachable = false;
  b.crash();
  world.advance(minutes{61});
  alice.connect();
  const auto all = notices(alice);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_FALSE(all[0].failed);
  EXPECT_EQ(all[0].code, Code::undetermined);
}

TEST_F(RelayTest, the_status_op_settles_what_was_accepted_in_silence) {
  b.hold_commits = true;
  ASSERT_TRUE(submit(alice, write_letter(alice, {&bob}, "silence", {.life_ms = 3'600'000})));
  const auto conns = b.conns;
  for (const machine::ConnId id : conns) world.close_conn(id);
  world.run();
  b.hold_commits = false;
  b.settle_commits();
  b.drain();
  b.reachable = false;
  world.advance(minutes{58});
  b.reachable = true;
  world.advance(minutes{3});
  alice.connect();
  bob.connect();
  EXPECT_EQ(notices(alice).size(), 0u);
  EXPECT_EQ(folder(bob, "inbox").size(), 1u);
  EXPECT_EQ(a.server->stats().queue_depth, 0u);
}

TEST_F(RelayTest, many_mails_go_in_batches_over_one_connection) {
  b.reachable = false;
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(submit(alice, write_letter(alice, {&bob, &bill}, std::to_string(i))));
  EXPECT_EQ(a.server->stats().queue_depth, 100u);
  b.reachable = true;
  const machine::ConnId before = world.next_conn;
  world.advance(seconds{451});
  EXPECT_EQ(world.next_conn, before + 2);
  EXPECT_EQ(a.server->stats().queue_depth, 0u);
  EXPECT_EQ(b.server->stats().delivered_in, 200u);
  world.advance(seconds{61});
  EXPECT_EQ(a.conns.size(), 1u) << "the idle connection is closed, alice's stays";
}

}  // namespace
}  // namespace ams::server::testing
