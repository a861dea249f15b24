// Goal: what a server says of a binding is in its log, durably with the binding and provable to
// whoever asks, across restarts and refused commits; the owner is shown all versions (BLG-25,
// BLG-27). Method: two domains with logs, judged by the verifier's half of the room bindlog.
#include <gtest/gtest.h>

#include <set>

#include "bindlog/history.h"
#include "bindlog/proof.h"
#include "server/tables.h"
#include "server/world_test.h"

namespace ams::server::testing {
namespace {

/// Code{}: it was done.
Code outcome_of(const Result<wire::Value>& outcome) {
  return outcome ? Code{} : outcome.error().code;
}

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

/// The entry of alice's version 2, as her device makes it.
struct Endorsed : BindingLogTest {
  keys::KeyPair next = make_key("alice 2");
  bindlog::Entry entry;

  void SetUp() override {
    BindingLogTest::SetUp();
    const auto seen = history()->seen;
    entry.addr = alice.addr;
    entry.version = 2;
    entry.at = to_unix_ms(world.now);
    entry.key = next.record.id();
    entry.prev = seen.value;
  }
  Code associate(bool endorsed = true) {
    const bindlog::Entry made = endorsed ? *bindlog::endorse(entry, alice.pair.signing) : entry;
    return outcome_of(alice.device.call(
        "keys.associate",
        wire::Object{
            {"record", next.record.value()}, {"version", 2}, {"entry", bindlog::to_value(made)}}));
  }
  bool bound() { return looked_up().entry->version == 2; }
};

TEST_F(Endorsed, is_added_as_it_is) {
  EXPECT_EQ(associate(), Code{});
  const auto shown = looked_up();
  EXPECT_EQ(shown.entry->at, entry.at);
  EXPECT_TRUE(shown.entry->sig.has_value());
  EXPECT_TRUE(history().has_value());
}

TEST_F(Endorsed, is_refused_without_the_old_keys_word) {
  EXPECT_EQ(associate(false), Code::unendorsed);
  entry.prev = Hash{1};
  EXPECT_EQ(associate(), Code::history_gap);
  EXPECT_FALSE(bound());
}

TEST_F(Endorsed, is_refused_when_it_is_of_something_else) {
  const bindlog::Entry good = entry;
  const auto refused = [&](auto change) {
    entry = good;
    change(entry);
    return associate();
  };
  EXPECT_EQ(refused([&](auto& e) { e.key = alice.pair.record.id(); }), Code::binding_contradiction);
  EXPECT_EQ(refused([&](auto& e) { e.addr = bob.addr; }), Code::binding_contradiction);
  EXPECT_EQ(refused([&](auto& e) { e.version = 3; }), Code::binding_contradiction);
  EXPECT_EQ(refused([&](auto& e) { e.policy = keys::Policy::corporate; }),
            Code::binding_contradiction);
  EXPECT_EQ(refused([](auto& e) { e.at -= 600'001; }), Code::binding_stale);
  EXPECT_EQ(refused([](auto& e) { e.at += 600'001; }), Code::binding_stale);
  EXPECT_FALSE(bound());
  EXPECT_EQ(refused([](auto& e) { e.at -= 600'000; }), Code{});
}

TEST_F(Endorsed, may_lead_elsewhere) {
  entry.key = alice.pair.record.id();
  entry.type = bindlog::Type::forward;
  entry.to = {bob.addr};
  const auto redirect = [&](const bindlog::Entry& made) {
    return outcome_of(
        alice.device.call("keys.redirect", wire::Object{{"entry", bindlog::to_value(made)}}));
  };
  EXPECT_EQ(redirect(entry), Code::unendorsed);
  bindlog::Entry other = entry;
  other.addr = "other@a.example";
  EXPECT_EQ(redirect(*bindlog::endorse(other, alice.pair.signing)), Code::binding_contradiction);
  EXPECT_EQ(redirect(*bindlog::endorse(entry, alice.pair.signing)), Code{});
  const auto answer = bob.device.call("keys.lookup", wire::Object{{"addr", alice.addr}});
  ASSERT_TRUE(answer && !answer->find("binding"));
  const auto proven = bindlog::verify_proof(*answer->find("proof"), alice.addr, identity(a));
  ASSERT_TRUE(proven.has_value());
  EXPECT_EQ(proven->entry->to, std::vector{bob.addr});
  EXPECT_EQ(wire::encode(*answer).size() % 4'096, 0u);
  ASSERT_TRUE(rotate(3));  // and back to a key
  EXPECT_EQ(looked_up().entry->type, bindlog::Type::key);
  EXPECT_TRUE(history().has_value());
}

TEST_F(BindingLogTest, who_knew_an_earlier_version_is_shown_the_later_ones) {
  const auto known = looked_up();
  const auto asked = [&](std::int64_t version, std::int64_t size) {
    return bob.device.call(
        "keys.lookup", wire::Object{{"addr", alice.addr},
                                    {"since", wire::Object{{"version", version}, {"size", size}}}});
  };
  const auto size = static_cast<std::int64_t>(known.head.size);
  EXPECT_EQ(asked(1, size)->find("history"), nullptr);
  ASSERT_TRUE(rotate(2));
  const auto answer = asked(1, size);
  ASSERT_TRUE(answer && answer->find("history"));
  const bindlog::Seen seen{known.head.size, known.head.log_root, 1, known.value};
  const auto checked =
      bindlog::verify_history(*answer->find("history"), alice.addr, identity(a), seen);
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->seen.version, 2);
  EXPECT_EQ(code_of(asked(1, 99)), Code::not_found);
  EXPECT_EQ(code_of(asked(0, 1)), Code::schema);
}

TEST_F(BindingLogTest, answers_have_one_size) {
  std::set<std::size_t> sizes;
  for (std::int64_t version = 2; version <= 4; ++version) {
    const auto answer = bob.device.call("keys.lookup", wire::Object{{"addr", alice.addr}});
    sizes.insert(wire::encode(*answer).size());
    ASSERT_TRUE(rotate(version));
  }
  ASSERT_EQ(sizes.size(), 1u);
  EXPECT_EQ(*sizes.begin() % 4'096, 0u);
}

TEST_F(BindingLogTest, a_domain_has_a_budget_of_look_ups) {
  a.options.lookup_burst = 3;
  a.options.lookups_per_day = 24;
  a.crash();
  a.start();
  const auto asked = [&] {
    return outcome_of(bob.device.call("keys.lookup", wire::Object{{"addr", alice.addr}}));
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(asked(), Code{});
  EXPECT_EQ(asked(), Code::lookup_budget);
  alice.connect();  // her own domain's users are not counted
  EXPECT_EQ(outcome_of(alice.device.call("keys.lookup", wire::Object{{"addr", alice.addr}})),
            Code{});
  world.advance(std::chrono::minutes{61});
  bob.connect();
  EXPECT_EQ(asked(), Code{});
  EXPECT_EQ(asked(), Code::lookup_budget);
}

TEST_F(BindingLogTest, what_a_stranger_claims_costs_no_reload) {
  ASSERT_TRUE(rotate(2));
  ASSERT_EQ(looked_up().entry->version, 2);
  world.advance(std::chrono::minutes{61});  // an epoch is due
  alice.connect(), bob.connect();
  a.storage.faults().unreadable = table_log_leaf;  // what a reload reads
  constexpr std::int64_t claimed = 1'000'000'000'000'000;
  for (int i = 0; i < 2; ++i) {
    const wire::Object since{{"version", 1}, {"size", claimed}};
    EXPECT_EQ(code_of(bob.device.call("keys.lookup",
                                      wire::Object{{"addr", alice.addr}, {"since", since}})),
              Code::not_found);
    EXPECT_EQ(
        code_of(alice.device.call("keys.history", wire::Object{{"from", 1}, {"size", claimed}})),
        Code::not_found);
  }
  ASSERT_FALSE(HasFailure());
  EXPECT_EQ(looked_up().entry->version, 2);
  EXPECT_TRUE(history().has_value());
}

TEST_F(BindingLogTest, an_epoch_that_is_not_committed_is_not_shown) {
  const auto first = looked_up();
  world.advance(std::chrono::minutes{61});
  alice.connect(), bob.connect();
  a.storage.faults().unreadable = table_log_entry;
  EXPECT_EQ(code_of(bob.device.call("keys.lookup", wire::Object{{"addr", alice.addr}})),
            Code::storage);
  EXPECT_EQ(code_of(alice.device.call("keys.history", wire::Object{{"from", 1}, {"size", 0}})),
            Code::storage);
  a.storage.faults().unreadable.reset();
  const auto shown = looked_up();
  EXPECT_EQ(shown.head.size, first.head.size + 1);
  a.crash();
  a.start();
  alice.connect();
  EXPECT_TRUE(history({shown.head.size, shown.head.log_root, 1, shown.value}).has_value())
      << "what was shown is stored";
}

TEST_F(BindingLogTest, a_restart_makes_no_vrf_proof_again) {
  // The one row of kept proofs: whoever makes a proof writes it again, under another nonce.
  const auto kept = [&] {
    std::vector<Bytes> rows;
    EXPECT_TRUE(a.storage.scan(table_log_vrf, {}, {}, [&](ByteView, ByteView value) {
      rows.push_back(to_bytes(value));
      EXPECT_EQ(as_text(value).find("alice"), std::string_view::npos);
      return true;
    }));
    EXPECT_EQ(rows.size(), 1u);
    return rows;
  };
  ASSERT_TRUE(history());
  EXPECT_EQ(looked_up().entry->version, 1);
  const auto before = kept();
  a.crash();
  a.start();
  alice.connect();
  EXPECT_TRUE(history().has_value());
  EXPECT_EQ(looked_up().entry->version, 1);
  EXPECT_EQ(kept(), before);
}

}  // namespace
}  // namespace ams::server::testing
