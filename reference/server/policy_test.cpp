// Goal: under each policy the server binds what the policy lets it bind and nothing else, what was
// bound before goes on working, and a shared key that was rotated is followed. Method: one domain
// whose record is replaced by the one that follows it, as an administrator does, and a user of it
// who asks.
#include <gtest/gtest.h>

#include "server/world_test.h"

namespace ams::server::testing {
namespace {

constexpr Duration a_day = std::chrono::hours{24};

struct PolicyTest : ::testing::Test {
  World world;
  Node& a = world.add("a.example");
  Node& b = world.add("b.example");
  Account alice{world, "alice@a.example"};
  Account bob{world, "bob@b.example"};
  keys::KeyPair own = make_key("alice's, in the store", keys::Custody::corporate);
  keys::KeyPair shared = make_key("shared", keys::Custody::corporate);
  keys::KeyPair fresh = make_key("shared 2", keys::Custody::corporate);
  std::int64_t seq = 1;
  keys::DomainPolicy policy = keys::isp_policy();

  void SetUp() override {
    alice.create();
    bob.create();
  }
  /// What follows takes effect 24 hours later; nobody waits for it here.
  void publish(keys::Policy mode, std::vector<keys::SharedKey> listed) {
    policy = keys::next_policy(policy, mode, std::move(listed), world.now);
    const keys::DomainRecord record{a.domain, a.root.record.id(), a.op.record.id(), policy, ++seq};
    a.options.chain = keys::chain_value(*keys::make_domain_record(record, a.root.signing),
                                        a.root.record, a.op.record);
    a.crash();
    a.start();
    alice.connect();
  }
  void become_corporate() {
    publish(keys::Policy::corporate, {{"", shared.record.id()}});
    world.advance(a_day);
    alice.connect();
  }
  Result<wire::Value> associate(const keys::KeyPair& pair, std::int64_t version,
                                const keys::KeyPair* enc = nullptr) {
    wire::Object args{{"record", pair.record.value()}, {"version", version}};
    if (enc) args.emplace("enc", enc->record.value());
    return alice.device.call("keys.associate", std::move(args));
  }
  keys::Binding looked_up() {
    const auto answer = bob.device.call("keys.lookup", wire::Object{{"addr", alice.addr}});
    EXPECT_TRUE(answer);
    const auto binding = keys::parse_binding(*answer->find("binding")).value();
    EXPECT_EQ(answer->find("enc") != nullptr, binding.enc.has_value());
    if (binding.enc) {
      EXPECT_TRUE(keys::KeyRecord::parse_as(*answer->find("enc"), *binding.enc));
    }
    return binding;
  }
};

TEST_F(PolicyTest, isp_takes_keys_of_clients_only) {
  EXPECT_EQ(code_of(associate(own, 2, &shared)), Code::key_origin);
  EXPECT_EQ(code_of(associate(make_key("alice 2"), 2, &shared)), Code::schema);
  EXPECT_EQ(looked_up().version, 1);
}

TEST_F(PolicyTest, a_shift_takes_effect_when_it_was_announced_for) {
  publish(keys::Policy::corporate, {{"", shared.record.id()}});
  EXPECT_EQ(code_of(associate(own, 2, &shared)), Code::key_origin) << "announced is not in force";
  ASSERT_TRUE(associate(make_key("alice 2"), 2));
  world.advance(a_day);
  alice.connect();
  EXPECT_EQ(code_of(associate(make_key("alice 3"), 3)), Code::key_origin);
  EXPECT_TRUE(associate(own, 3, &shared));
}

TEST_F(PolicyTest, a_clients_key_goes_on_working_under_corporate) {
  become_corporate();
  const keys::Binding before = looked_up();
  EXPECT_EQ(before.key, alice.pair.record.id());
  EXPECT_EQ(before.custody, keys::Custody::client);
  const Letter letter = write_letter(alice, {&alice}, "to myself");
  ASSERT_TRUE(put_blobs(alice, letter));
  EXPECT_TRUE(submit(alice, letter));
}

TEST_F(PolicyTest, corporate_binds_a_key_of_the_store_and_the_shared_key) {
  become_corporate();
  EXPECT_EQ(code_of(associate(own, 2)), Code::schema) << "which key is mail sealed to?";
  EXPECT_EQ(code_of(associate(own, 2, &fresh)), Code::enc_unlisted);
  EXPECT_EQ(code_of(associate(own, 2, &alice.pair)), Code::key_origin) << "enc is a client's";
  ASSERT_TRUE(associate(own, 2, &shared));
  const keys::Binding bound = looked_up();
  EXPECT_EQ(bound.key, own.record.id());
  EXPECT_EQ(bound.custody, keys::Custody::corporate);
  EXPECT_EQ(bound.enc, shared.record.id());
}

TEST_F(PolicyTest, a_rotated_shared_key_is_followed_at_the_next_look_up) {
  become_corporate();
  ASSERT_TRUE(associate(own, 2, &shared));
  publish(keys::Policy::corporate, {{"", fresh.record.id()}});
  EXPECT_EQ(looked_up().enc, shared.record.id()) << "nobody has published the new record yet";
  ASSERT_TRUE(alice.device.call("directory.publish",
                                wire::Object{{"records", wire::Array{fresh.record.value()}}}));
  const keys::Binding bound = looked_up();
  EXPECT_EQ(bound.enc, fresh.record.id());
  EXPECT_EQ(bound.version, 3);
  EXPECT_EQ(bound.key, own.record.id());
  a.crash();
  a.start();
  EXPECT_EQ(looked_up().version, 3) << "durable before it was said";
}

TEST_F(PolicyTest, a_group_key_is_followed_in_its_group) {
  const keys::KeyPair sales = make_key("sales", keys::Custody::corporate);
  const keys::KeyPair staff = make_key("staff", keys::Custody::corporate);
  const keys::KeyPair sales2 = make_key("sales 2", keys::Custody::corporate);
  publish(keys::Policy::groups, {{"sales", sales.record.id()}, {"staff", staff.record.id()}});
  world.advance(a_day);
  alice.connect();
  ASSERT_TRUE(associate(own, 2, &sales));
  EXPECT_EQ(looked_up().enc, sales.record.id());
  publish(keys::Policy::groups, {{"sales", sales2.record.id()}, {"staff", staff.record.id()}});
  ASSERT_TRUE(alice.device.call(
      "directory.publish",
      wire::Object{{"records", wire::Array{sales2.record.value(), staff.record.value()}}}));
  EXPECT_EQ(looked_up().enc, sales2.record.id());
}

TEST_F(PolicyTest, isp_again_takes_a_clients_key_and_no_other) {
  become_corporate();
  ASSERT_TRUE(associate(own, 2, &shared));
  publish(keys::Policy::isp, {});
  world.advance(a_day);
  alice.connect();
  EXPECT_EQ(looked_up().custody, keys::Custody::corporate) << "stays until it is replaced";
  EXPECT_EQ(code_of(associate(own, 3, &shared)), Code::key_origin);
  ASSERT_TRUE(associate(make_key("alice 2"), 3));
  EXPECT_EQ(looked_up().custody, keys::Custody::client);
}

}  // namespace
}  // namespace ams::server::testing
