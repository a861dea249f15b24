// Goal: what a server says of a binding is in its log, durably with the binding and provable to
// whoever asks, across restarts and refused commits; the owner is shown all versions (BLG-25,
// BLG-27). Method: two domains with logs, judged by the verifier's half of the room bindlog.
#include <gtest/gtest.h>

#include "bindlog/history.h"
#include "bindlog/proof.h"
#include "server/tables.h"
#include "server/world_test.h"

namespace ams::server::testing {
namespace {

struct BindingLogTest : ::testing::Test {
  World world;
  Node& a = world.add("a.example");
  Node& b = world.add("b.example");
  Account alice{world, "alice@a.example"};
  Account bob{world, "bob@b.example"};

  void SetUp() override {
    alice.create();
    bob.create();
  }
  static bindlog::Identity identity(const Node& node) {
    const keys::LogKeys log = binding_log_keys(node.options.index_key);
    return *bindlog::make_identity(node.domain, to_bytes(ByteView(log.vrf)), log.note);
  }
  /// What b's user finds about alice, after her domain's proof was judged.
  bindlog::Proven looked_up() {
    const auto answer = bob.device.call("keys.lookup", wire::Object{{"addr", alice.addr}});
    EXPECT_TRUE(answer.has_value());
    const auto binding = keys::parse_binding(*answer->find("binding")).value();
    auto proven = bindlog::verify_proof(*answer->find("proof"), alice.addr, identity(a));
    EXPECT_TRUE(proven.has_value());
    EXPECT_EQ(proven->entry->version, binding.version);
    EXPECT_EQ(proven->entry->key, binding.key);
    EXPECT_TRUE(bindlog::holds_at(proven->head.epoch, to_unix_ms(world.now)).has_value());
    return std::move(*proven);
  }
  Result<bindlog::Checked> history(const bindlog::Seen& seen = {}) {
    const auto answer = alice.device.call(
        "keys.history", wire::Object{{"from", std::max<std::int64_t>(seen.version, 1)},
                                     {"size", static_cast<std::int64_t>(seen.size)}});
    if (!answer) return tl::unexpected(answer.error());
    return bindlog::verify_history(*answer->find("history"), alice.addr, identity(a), seen);
  }
  Result<wire::Value> rotate(std::int64_t version) {
    const keys::KeyPair pair = make_key("alice " + std::to_string(version));
    return alice.device.call("keys.associate",
                             wire::Object{{"record", pair.record.value()}, {"version", version}});
  }
};

TEST_F(BindingLogTest, every_look_up_brings_a_proof) {
  EXPECT_EQ(looked_up().entry->version, 1);
  ASSERT_TRUE(rotate(2));
  ASSERT_TRUE(rotate(3));
  EXPECT_EQ(looked_up().entry->version, 3);
}

TEST_F(BindingLogTest, the_owner_is_shown_all_versions) {
  const auto first = history();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->entries.size(), 1u);
  ASSERT_TRUE(rotate(2));
  ASSERT_TRUE(rotate(3));
  const auto later = history(first->seen);
  ASSERT_TRUE(later.has_value());
  EXPECT_EQ(later->entries.size(), 3u);
  EXPECT_TRUE(later->complete);
}

TEST_F(BindingLogTest, what_is_not_there_is_not_found) {
  EXPECT_EQ(code_of(alice.device.call("keys.history", wire::Object{{"from", 2}, {"size", 0}})),
            Code::not_found);
  EXPECT_EQ(code_of(alice.device.call("keys.history", wire::Object{{"from", 1}, {"size", 99}})),
            Code::not_found);
  EXPECT_EQ(code_of(alice.device.call("keys.history", wire::Object{{"from", 0}, {"size", 0}})),
            Code::schema);
}

TEST_F(BindingLogTest, a_restart_goes_on_with_the_same_log) {
  const auto before = history();
  ASSERT_TRUE(rotate(2));
  a.crash();
  a.start();
  alice.connect();
  const auto after = history(before->seen);
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->seen.version, 2);
  ASSERT_TRUE(rotate(3));
  EXPECT_EQ(looked_up().entry->version, 3);
}

TEST_F(BindingLogTest, a_refused_commit_leaves_no_entry) {
  const auto before = history();
  a.storage.faults().fail_next_commit = true;
  EXPECT_EQ(code_of(rotate(2)), Code::storage);
  EXPECT_EQ(looked_up().entry->version, 1);
  ASSERT_TRUE(rotate(2));
  const auto after = history(before->seen);
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->entries.size(), 2u);
}

TEST_F(BindingLogTest, an_old_epoch_is_followed_by_one_of_now) {
  const auto first = looked_up();
  world.advance(std::chrono::minutes{59});
  EXPECT_EQ(looked_up().head.size, first.head.size);
  world.advance(std::chrono::hours{30});
  bob.connect();
  EXPECT_GT(looked_up().head.size, first.head.size);
}

TEST_F(BindingLogTest, rows_of_the_log_show_no_address) {
  ASSERT_TRUE(rotate(2));
  for (const storage::Table table : {table_log_entry, table_log_leaf, table_log_epoch}) {
    std::size_t rows = 0;
    ASSERT_TRUE(a.storage.scan(table, {}, {}, [&](ByteView key, ByteView value) {
      ++rows;
      EXPECT_EQ(as_text(key).find("alice"), std::string_view::npos);
      EXPECT_EQ(as_text(value).find("alice"), std::string_view::npos);
      return true;
    }));
    EXPECT_GE(rows, 2u);
  }
}

}  // namespace
}  // namespace ams::server::testing
