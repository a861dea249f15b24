// Goal: mail to a group's own address reaches each member once, whatever fails on the way, and
// stored mail moves to a rotated key's successor. Method: a domain whose policy is groups, two of
// whose accounts are members, and a sender elsewhere who seals to what the look-up says.
#include <gtest/gtest.h>

#include "server/tables.h"
#include "server/world_test.h"

namespace ams::server::testing {
namespace {

struct GroupTest : ::testing::Test {
  World world;
  Node& a = world.add("a.example");
  Node& b = world.add("b.example");
  Account alice{world, "alice@a.example"};
  Account carol{world, "carol@a.example"};
  Account bob{world, "bob@b.example"};
  Account sales{world, "sales@a.example"};  // who is written to; it has no account
  keys::KeyPair next = make_key("sales 2", keys::Custody::corporate);

  void SetUp() override {
    sales.pair = make_key("sales", keys::Custody::corporate);
    for (Account* each : {&alice, &carol, &bob}) each->create();
    name_in_policy(sales.pair, 1);
    publish(sales.pair);
  }
  void name_in_policy(const keys::KeyPair& key, std::int64_t seq) {
    const std::int64_t long_ago = start_ms - 9 * 86'400'000;
    const keys::PolicyTerms terms{keys::Policy::groups, long_ago, {{"sales", key.record.id()}}};
    keys::DomainPolicy policy{long_ago, terms, {}};
    if (seq > 1) policy = {long_ago, terms, keys::PolicyTerms{keys::Policy::isp, 0, {}}};
    if (seq > 1) policy.terms.effective += 86'400'000;
    const keys::DomainRecord record{a.domain, a.root.record.id(), a.op.record.id(), policy, seq};
    a.options.chain = keys::chain_value(*keys::make_domain_record(record, a.root.signing),
                                        a.root.record, a.op.record);
    a.crash();
    a.start();
    for (Account* each : {&alice, &carol}) each->connect();
  }
  void publish(const keys::KeyPair& key) {
    ASSERT_TRUE(alice.device.call("directory.publish",
                                  wire::Object{{"records", wire::Array{key.record.value()}}}));
  }
  void member(const Account& account, bool in = true) {
    const auto rows = member_rows(a.options, a.storage, {"sales", account.addr, in});
    ASSERT_TRUE(rows);
    ASSERT_TRUE(a.storage.apply(*rows));
    ASSERT_TRUE(a.storage.commit());
  }
  Result<wire::Value> look_up() {
    return bob.device.call("keys.lookup", wire::Object{{"addr", sales.addr}});
  }
  std::size_t inbox(Account& account) { return folder(account, "inbox").size(); }
  void send(const std::vector<const Account*>& to, std::string_view subject) {
    ASSERT_TRUE(submit(bob, write_letter(bob, to, subject)));
    world.run();
  }
};

TEST_F(GroupTest, its_address_is_bound_to_its_key_and_follows_it) {
  const auto binding_of = [](const wire::Value& answer) {
    return keys::parse_binding(*answer.find("binding")).value();
  };
  const auto first = look_up();
  ASSERT_TRUE(first) << code_info(first.error().code).name;
  const keys::Binding bound = binding_of(*first);
  EXPECT_EQ(bound.key, sales.pair.record.id());
  EXPECT_EQ(bound.enc, sales.pair.record.id());
  EXPECT_EQ(bound.custody, keys::Custody::corporate);
  a.crash();
  a.start();
  for (Account* each : {&alice, &carol}) each->connect();
  EXPECT_EQ(binding_of(*look_up()).version, 1) << "durable before it was said";
  name_in_policy(next, 2);
  publish(next);
  EXPECT_EQ(binding_of(*look_up()).key, next.record.id());
  EXPECT_EQ(binding_of(*look_up()).enc, next.record.id());
  EXPECT_EQ(binding_of(*look_up()).version, 2);
}

TEST_F(GroupTest, nobody_takes_its_name_and_no_other_name_has_one) {
  const auto taken = account_rows(a.options, a.storage, {sales.addr, Id16{9}, Hash{}, 0});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::address_taken);
  EXPECT_TRUE(account_rows(a.options, a.storage, {"staff@a.example", Id16{9}, Hash{}, 0}));
  EXPECT_EQ(code_of(bob.device.call("keys.lookup", wire::Object{{"addr", "staff@a.example"}})),
            Code::no_such_address);
}

TEST_F(GroupTest, members_are_accounts_of_the_domain) {
  const auto refused = [&](const GroupChange& change) {
    return member_rows(a.options, a.storage, change).error().code;
  };
  EXPECT_EQ(refused({"sales", bob.addr}), Code::not_local);
  EXPECT_EQ(refused({"sales", "nobody@a.example"}), Code::no_such_address);
  EXPECT_EQ(refused({"-sales", alice.addr}), Code::schema);
  member(alice), member(carol), member(alice);
  EXPECT_EQ(*group_members(a.storage, "sales"), (std::vector<std::string>{alice.addr, carol.addr}));
  EXPECT_TRUE(group_members(a.storage, "sale")->empty());
  member(alice, false), member(alice, false);
  EXPECT_EQ(*group_members(a.storage, "sales"), std::vector<std::string>{carol.addr});
}

TEST_F(GroupTest, each_member_gets_one_copy) {
  member(alice), member(carol);
  send({&sales, &alice}, "to both of her addresses");
  ASSERT_EQ(inbox(alice), 1u);
  ASSERT_EQ(inbox(carol), 1u);
  EXPECT_EQ(*folder(alice, "inbox")[0].find("addr"), wire::Value(alice.addr)) << "hers goes before";
  EXPECT_EQ(*folder(carol, "inbox")[0].find("addr"), wire::Value(sales.addr));
  EXPECT_TRUE(carol.device.get(
      mail::parse_header(*folder(carol, "inbox")[0].find("env")).value().body.hash));
  EXPECT_EQ(folder(bob, "notices").size(), 0u);
  member(carol, false);
  send({&sales}, "after carol left");
  EXPECT_EQ(inbox(alice), 2u);
  EXPECT_EQ(inbox(carol), 1u);
}

TEST_F(GroupTest, colleagues_write_to_it_too) {
  member(alice), member(carol);
  ASSERT_TRUE(submit(carol, write_letter(carol, {&sales}, "from inside")));
  world.run();
  EXPECT_EQ(inbox(alice), 1u);
  EXPECT_EQ(inbox(carol), 1u) << "a member who writes to her group gets it as all do";
}

TEST_F(GroupTest, without_members_it_is_nobody) {
  send({&sales}, "anyone?");
  const auto notices = folder(bob, "notices");
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(*notices[0].find("notice")->find("code"), wire::Value("no_such_address"));
}

TEST_F(GroupTest, a_full_mailbox_is_tried_again_and_doubles_nothing) {
  member(alice), member(carol);
  a.options.mailbox_bytes_max = 60'000;
  a.crash();
  a.start();
  for (Account* each : {&alice, &carol}) each->connect();
  LetterOptions large;
  large.attachments = {Bytes(50'000, 1)};
  ASSERT_TRUE(submit(bob, write_letter(bob, {&carol}, "fills hers", large)));
  world.run();
  ASSERT_EQ(inbox(carol), 1u);
  large.attachments = {Bytes(30'000, 2)};
  ASSERT_TRUE(submit(bob, write_letter(bob, {&sales}, "does not fit", large)));
  world.run();
  EXPECT_EQ(inbox(alice), 1u) << "the others have theirs";
  EXPECT_EQ(inbox(carol), 1u);
  const auto first = sync_all(carol).front();
  ASSERT_TRUE(carol.device.call("mail.delete", wire::Object{{"uid", *first.find("uid")}}));
  for (int i = 0; i < 3; ++i) world.advance(std::chrono::minutes{30});
  for (Account* each : {&alice, &carol}) each->connect();
  EXPECT_EQ(inbox(carol), 1u) << "now that there is room";
  EXPECT_EQ(inbox(alice), 1u) << "once";
  bob.connect();
  EXPECT_EQ(folder(bob, "notices").size(), 0u);
}

TEST_F(GroupTest, a_failed_read_makes_nobody_of_no_one) {
  member(alice), member(carol);
  std::size_t sent = 0;
  for (const storage::Table table : {table_group, table_account}) {
    a.storage.faults().unreadable = table;
    send({&sales}, "from outside");
    ++sent;
    if (table == table_group) {
      ASSERT_TRUE(submit(carol, write_letter(carol, {&sales}, "from inside")));
      ++sent;
    }
    world.advance(std::chrono::minutes{30});
    a.storage.faults().unreadable.reset();
    for (int i = 0; i < 6; ++i) world.advance(std::chrono::minutes{30});
    for (Account* each : {&alice, &carol, &bob}) each->connect();
    EXPECT_EQ(inbox(alice), sent) << "once it can be read again";
    EXPECT_EQ(inbox(carol), sent);
    EXPECT_EQ(folder(bob, "notices").size() + folder(carol, "notices").size(), 0u);
  }
}

// --- mail.rewrap ---------------------------------------------------------------------------------

struct RewrapTest : GroupTest {
  std::int64_t uid = 0;
  void SetUp() override {
    GroupTest::SetUp();
    member(alice);
    send({&sales}, "of the old days");
    uid = sync_all(alice).front().find("uid")->as_integer();
    name_in_policy(next, 2);
  }
  static wire::Value stanza(const keys::KeyId& to, std::uint8_t fill) {
    return mail::to_value(mail::Stanza{to, Bytes(48, fill), Bytes(32, fill)});
  }
  Result<wire::Value> rewrap(wire::Array items) {
    return alice.device.call("mail.rewrap", wire::Object{{"items", std::move(items)}});
  }
  wire::Value item(std::int64_t of, wire::Value fresh) {
    return wire::Object{{"uid", of}, {"stanza", std::move(fresh)}};
  }
  std::string code_at(const wire::Value& answer, std::size_t i) {
    const wire::Value* code = answer.find("results")->as_array().at(i).find("code");
    return code ? code->as_string() : "";
  }
};

TEST_F(RewrapTest, the_new_stanza_takes_the_place_of_the_old_one) {
  const wire::Value fresh = stanza(next.record.id(), 7);
  const std::int64_t before = sync_all(alice).front().find("state")->as_integer();
  const auto done = rewrap({item(uid, fresh)});
  ASSERT_TRUE(done);
  EXPECT_EQ(code_at(*done, 0), "");
  EXPECT_GT(done->find("state")->as_integer(), before);
  a.crash();
  a.start();
  alice.connect();
  const auto changes = sync_all(alice, before);
  ASSERT_EQ(changes.size(), 1u) << "other devices see it, and it outlives a crash";
  const wire::Value& message = *changes[0].find("message");
  EXPECT_EQ(*message.find("rewrapped"), fresh);
  EXPECT_EQ(message.find("stanza"), nullptr);
}

TEST_F(RewrapTest, doing_it_again_changes_nothing) {
  ASSERT_TRUE(rewrap({item(uid, stanza(next.record.id(), 7))}));
  const auto state = sync_all(alice).front().find("state")->as_integer();
  const auto again = rewrap({item(uid, stanza(next.record.id(), 8))});
  ASSERT_TRUE(again);
  EXPECT_EQ(code_at(*again, 0), "");
  EXPECT_EQ(again->find("state")->as_integer(), state);
  EXPECT_EQ(*sync_all(alice).front().find("message")->find("rewrapped"),
            stanza(next.record.id(), 7));
}

TEST_F(RewrapTest, what_fails_harms_no_other) {
  const auto done =
      rewrap({item(99, stanza(next.record.id(), 7)), item(uid, stanza(sales.pair.record.id(), 7)),
              item(uid, stanza(next.record.id(), 7))});
  ASSERT_TRUE(done);
  EXPECT_EQ(code_at(*done, 0), "not_found");
  EXPECT_EQ(code_at(*done, 1), "enc_unlisted") << "the old key is in no policy any more";
  EXPECT_EQ(code_at(*done, 2), "");
  EXPECT_EQ(code_of(rewrap({})), Code::schema);
  wire::Value bare = stanza(next.record.id(), 7);
  bare.as_object().erase("enc");
  EXPECT_EQ(code_of(rewrap({item(uid, bare)})), Code::schema);
}

}  // namespace
}  // namespace ams::server::testing
