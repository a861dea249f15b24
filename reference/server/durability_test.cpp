// Goal: nothing is acknowledged before it is durable, nothing acknowledged is lost, nothing comes
// twice, wherever power fails; and what a stranger sends neither stops a server nor makes it grow.
// Method: commits held back; power cut before every single effect of an exchange; storms of random
// bytes.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "server/tables.h"
#include "server/world_test.h"

namespace ams::server::testing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct DurabilityTest : ::testing::Test {
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
  /// Sends with a's commits held back: no answer before they are durable, one after.
  void expect_waits(Node& node, Device& device, const std::function<std::int64_t()>& send) {
    node.hold_commits = true;
    const std::int64_t id = send();
    device.pump();
    world.run();
    EXPECT_FALSE(device.answers.contains(id)) << "acknowledged before it was durable";
    node.hold_commits = false;
    node.settle_commits();
    node.drain();
    world.run();
    ASSERT_TRUE(device.answers.contains(id));
    EXPECT_TRUE(device.answers.at(id)) << code_info(device.answers.at(id).error().code).name;
  }
};

TEST_F(DurabilityTest, every_acknowledgement_waits) {
  const Letter letter = write_letter(alice, {&anna, &bob}, "waits", {.sent_copy = true});
  const Bytes& body = letter.sealed.body;
  expect_waits(a, alice.device,
               [&] { return alice.device.session->put_blob(crypto::sha256(body), body); });
  expect_waits(a, alice.device, [&] { return alice.device.send("mail.submit", letter.args); });
  const keys::KeyPair next = make_key("next");
  expect_waits(a, alice.device, [&] {
    return alice.device.send("keys.associate",
                             wire::Object{{"record", next.record.value()}, {"version", 2}});
  });
  const keys::KeyPair other = make_key("other");
  expect_waits(a, alice.device, [&] {
    return alice.device.send("directory.publish",
                             wire::Object{{"records", wire::Array{other.record.value()}}});
  });
  expect_waits(a, anna.device, [&] {
    return anna.device.send("mail.delete", wire::Object{{"uid", 1}});
  });
  Account carol(world, "carol@a.example");
  ASSERT_TRUE(a.storage.apply(
      *account_rows(a.options, a.storage, {carol.addr, Id16{9}, carol.token, start_ms})));
  carol.connect();
  expect_waits(a, carol.device, [&] {
    return carol.device.send("account.enrol", wire::Object{{"token", to_base64url(carol.token)}});
  });
}

TEST_F(DurabilityTest, reading_waits_for_what_it_read) {
  const Letter letter = write_letter(alice, {&anna}, "read");
  ASSERT_TRUE(put_blobs(alice, letter));
  a.hold_commits = true;
  alice.device.send("mail.submit", letter.args);
  world.run();
  const std::int64_t sync = anna.device.send("mail.sync", wire::Object{{"since", 0}});
  const std::int64_t again = alice.device.send("mail.submit", letter.args);
  world.run();
  EXPECT_FALSE(anna.device.answers.contains(sync));
  EXPECT_FALSE(alice.device.answers.contains(again));
  a.storage.faults().fail_next_commit = true;
  a.hold_commits = false;
  a.settle_commits();
  a.drain();
  world.run();
  EXPECT_EQ(code_of(anna.device.answers.at(sync)), Code::storage);
  EXPECT_EQ(code_of(alice.device.answers.at(again)), Code::storage);
  EXPECT_EQ(folder(anna, "inbox").size(), 0u);
}

TEST_F(DurabilityTest, a_storage_that_refuses_leaves_no_trace) {
  const Letter letter = write_letter(alice, {&anna, &bob}, "refused");
  ASSERT_TRUE(put_blobs(alice, letter));
  a.storage.faults().fail_next_commit = true;
  EXPECT_EQ(code_of(alice.device.call("mail.submit", letter.args)), Code::storage);
  EXPECT_EQ(a.server->stats().queue_depth, 0u);
  EXPECT_EQ(a.server->stats().submitted, 0u);
  EXPECT_EQ(folder(anna, "inbox").size(), 0u);
  a.storage.faults().bytes_max = a.storage.bytes();
  EXPECT_EQ(code_of(alice.device.call("mail.submit", letter.args)), Code::storage) << "disk full";
  EXPECT_EQ(code_of(alice.device.put(Bytes(1'000, 3))), Code::storage);
  a.storage.faults().bytes_max = ~std::uint64_t{0};
  ASSERT_TRUE(alice.device.call("mail.submit", letter.args));
  EXPECT_EQ(folder(anna, "inbox").size(), 1u);
  EXPECT_EQ(folder(bob, "inbox").size(), 1u);
}

TEST_F(DurabilityTest, a_receiver_that_cannot_store_is_tried_again) {
  b.storage.faults().bytes_max = b.storage.bytes();
  ASSERT_TRUE(submit(alice, write_letter(alice, {&bob}, "tried again")));
  EXPECT_EQ(a.server->stats().queue_depth, 1u);
  b.storage.faults().bytes_max = ~std::uint64_t{0};
  world.advance(minutes{8});
  bob.connect();
  EXPECT_EQ(folder(bob, "inbox").size(), 1u);
}

/// The numbers of all vouches in the mailboxes: none twice (VCH-3).
void expect_numbers_once(std::initializer_list<Account*> accounts) {
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (Account* account : accounts) {
    for (const wire::Value& message : folder(*account, "inbox")) {
      const auto vouch = mail::parse_vouch(*message.find("vouch")).value();
      EXPECT_TRUE(seen.emplace(vouch.day, vouch.dseq.value()).second)
          << "dseq " << *vouch.dseq << " twice";
    }
  }
}

/// One exchange with power failing at `node` before its effect number `at`; false: it ended before.
bool exchange_with_power_cut(const std::string& at_domain, std::uint64_t at, bool linked) {
  World world;
  Node& a = world.add("a.example");
  world.add("b.example");
  Account alice{world, "alice@a.example"}, anna{world, "anna@a.example"},
      bob{world, "bob@b.example"}, nobody{world, "nobody@b.example"};
  for (Account* account : {&alice, &anna, &bob}) account->create();
  if (linked) submit(alice, write_letter(alice, {&bob}, "before")).value();
  Node& node = world.node(at_domain);
  node.crash_at = node.effects + at;
  const Letter letter = write_letter(alice, {&anna, &bob, &nobody}, "cut",
                                     {.sent_copy = true, .attachments = {Bytes(20'000, 3)}});
  bool acknowledged = false;
  for (int attempt = 0; attempt < 3 && !acknowledged; ++attempt) {
    if (!alice.device.open()) alice.connect();
    if (alice.device.open()) acknowledged = submit(alice, letter).has_value();
  }
  EXPECT_TRUE(acknowledged);
  const bool reached = node.crash_at == 0;
  node.crash_at = 0;
  world.advance(hours{2});
  for (Account* account : {&alice, &anna, &bob}) account->connect();
  EXPECT_EQ(folder(anna, "inbox").size(), 1u);
  EXPECT_EQ(folder(bob, "inbox").size(), linked ? 2u : 1u);
  EXPECT_EQ(folder(alice, "sent").size(), 1u);
  const auto notices = folder(alice, "notices");
  EXPECT_EQ(notices.size(), 1u);
  for (const wire::Value& notice : notices)
    EXPECT_EQ(notice.find("notice")->find("addr")->as_string(), "nobody@b.example");
  EXPECT_EQ(a.server->stats().queue_depth, 0u);
  expect_numbers_once({&anna, &bob});
  return reached;
}

void cut_everywhere(const std::string& domain, bool linked, std::uint64_t effects_least) {
  std::uint64_t at = 1;
  while (exchange_with_power_cut(domain, at, linked) && !::testing::Test::HasFailure()) ++at;
  EXPECT_FALSE(::testing::Test::HasFailure()) << "at effect " << at;
  EXPECT_GT(at, effects_least);
}

TEST(PowerCut, before_every_effect_of_the_sending_server) { cut_everywhere("a.example", true, 12); }
TEST(PowerCut, before_every_effect_of_the_sending_server_with_a_new_link) {
  cut_everywhere("a.example", false, 16);
}
TEST(PowerCut, before_every_effect_of_the_receiving_server) {
  cut_everywhere("b.example", true, 4);
}
TEST(PowerCut, before_every_effect_of_the_receiving_server_with_a_new_link) {
  cut_everywhere("b.example", false, 8);
}

TEST_F(DurabilityTest, a_restart_goes_on_with_the_queue) {
  b.reachable = false;
  ASSERT_TRUE(submit(alice, write_letter(alice, {&bob}, "restart")));
  a.crash();
  a.start();
  EXPECT_EQ(a.server->stats().queue_depth, 1u);
  b.reachable = true;
  world.advance(minutes{8});
  EXPECT_EQ(folder(bob, "inbox").size(), 1u);
}

// --- strangers
// ---------------------------------------------------------------------------------------

TEST_F(DurabilityTest, silent_connections_are_closed_in_time) {
  const std::size_t before = a.server->stats().connections;
  for (machine::ConnId id = 1'000'000; id < 1'000'100; ++id) {
    a.server->handle_accepted(id, Hash{}, world.now);
    a.drain();
  }
  EXPECT_EQ(a.server->stats().connections, before + 100);
  world.advance(std::chrono::seconds{31});
  EXPECT_EQ(a.server->stats().connections, before);
}

TEST(Strangers, random_bytes_never_stop_a_server) {
  rc::check("any bytes in any pieces leave the server working", [] {
    World world;
    Node& a = world.add("a.example");
    const auto pieces = *rc::gen::container<std::vector<Bytes>>(rc::gen::arbitrary<Bytes>());
    machine::ConnId id = 500;
    a.server->handle_accepted(id, Hash{}, world.now);
    a.drain();
    for (const Bytes& piece : pieces) {
      a.server->handle_bytes(id, piece, world.now);
      a.drain();
    }
    Account alice{world, "alice@a.example"};
    alice.create();
    RC_ASSERT(sync_all(alice).empty());
  });
}

/// Any value of small size: what a hostile peer puts where an arg should be.
rc::Gen<wire::Value> gen_arg(int depth) {
  const auto leaf = rc::gen::oneOf(
      rc::gen::map(rc::gen::inRange(-3, 200), [](int i) { return wire::Value(i); }),
      rc::gen::map(rc::gen::arbitrary<bool>(), [](bool v) { return wire::Value(v); }),
      rc::gen::element(wire::Value(""), wire::Value("bob@b.example"),
                       wire::Value("AAAAAAAAAAAAAAAAAAAAAA"), wire::Value(to_base64url(Hash{})),
                       wire::Value("a.example")));
  if (depth == 0) return leaf;
  const auto inner = rc::gen::lazy([depth] { return rc::gen::scale(0.3, gen_arg(depth - 1)); });
  return rc::gen::oneOf(
      leaf,
      rc::gen::map(rc::gen::container<std::vector<wire::Value>>(inner),
                   [](wire::Array v) { return wire::Value(v); }),
      rc::gen::map(
          rc::gen::container<std::vector<std::pair<std::string, wire::Value>>>(rc::gen::pair(
              rc::gen::element<std::string>("env", "asig", "stanzas", "rcpts", "addr", "stanza",
                                            "uid", "flags", "deliveries", "head", "records", "kid",
                                            "prefix", "hash", "transfer"),
              inner)),
          [](const std::vector<std::pair<std::string, wire::Value>>& members) {
            return wire::Value(wire::Object(members.begin(), members.end()));
          }));
}

TEST(Strangers, every_request_is_answered_exactly_once) {
  World world;
  Node& a = world.add("a.example");
  Node& b = world.add("b.example");
  Account alice{world, "alice@a.example"};
  alice.create();
  Device peer(world, "", "peer");
  peer.connect_as(b, "a.example");
  rc::check("whatever the args", [&] {
    const auto op = *rc::gen::element<std::string>(
        "account.enrol", "blob.get", "directory.get", "directory.publish", "directory.range",
        "domain.get", "keys.associate", "keys.lookup", "mail.delete", "mail.flag", "mail.submit",
        "mail.sync", "relay.deliver", "relay.status", "nonsense");
    wire::Value args = *gen_arg(3);
    if (!args.is_object()) args = wire::Object{{"addr", args}, {"uid", args}, {"deliveries", args}};
    for (Device* device : {&alice.device, &peer}) {
      RC_ASSERT(device->open());
      const std::size_t before = device->answers.size();
      const std::int64_t id = device->send(op, args);
      world.run();
      RC_ASSERT(device->answers.contains(id));
      RC_ASSERT(device->answers.size() == before + 1);
    }
  });
  EXPECT_EQ(a.server->stats().submitted, 0u);
}

TEST(Strangers, a_mutated_delivery_is_refused_or_changes_nothing_that_is_signed) {
  World world;
  Node& b = world.add("b.example");
  world.add("a.example");
  Account alice{world, "alice@a.example"}, bob{world, "bob@b.example"};
  alice.create();
  bob.create();
  const Letter letter = write_letter(alice, {&bob}, "mutated");
  rc::check("change one character of a submission", [&] {
    if (!alice.device.open()) alice.connect();
    RC_PRE(put_blobs(alice, letter).has_value());
    Bytes text = wire::encode(wire::Value(letter.args));
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    text[at] = *rc::gen::element<std::uint8_t>('A', 'b', '7', '"', '{', ',');
    const auto args = wire::decode(text);
    if (!args || !args->is_object()) return;
    const auto answer = alice.device.call("mail.submit", *args);
    if (answer) RC_ASSERT(answer->find("ehash")->as_string() == to_base64url(letter.ehash));
  });
  EXPECT_LE(folder(bob, "inbox").size(), 1u);
  EXPECT_EQ(b.server->stats().auth_failures, 0u);
}

}  // namespace
}  // namespace ams::server::testing
