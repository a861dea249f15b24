// Goal: an owner leads her address to others and back to her key, once, whatever is lost on the
// way, and only what her own key has signed counts as hers (BLG-33, BLG-45). Method: a scripted
// server that keeps a binding log as a real one does.
#include "client/test_bindings.h"

namespace ams::client::testing {
namespace {

using Addresses = std::vector<std::string>;

struct OwnLog : LogSender {
  int redirects = 0;       // answered
  bool lose_next = false;  // the next one is done, and the answer is lost
  std::optional<Code> refuse_next;

  OwnLog() {
    server.hooks["keys.redirect"] = [this](const wire::Value& args) -> FakeServer::Answer {
      if (refuse_next) return fail(*std::exchange(refuse_next, std::nullopt), "fake");
      AMS_TRY(const std::int64_t version, add(args));
      ++redirects;
      if (std::exchange(lose_next, false)) return fail(Code::peer_unreachable, "fake");
      return wire::Value(wire::Object{{"version", version}});
    };
    server.hooks["keys.associate"] = [this](const wire::Value& args) -> FakeServer::Answer {
      if (mine.empty()) return std::nullopt;  // the first one: bind_first() logs it
      server.bound_version = static_cast<std::int64_t>(mine.size());
      if (auto added = add(args); !added) return tl::unexpected(added.error());
      return std::nullopt;
    };
    server.hooks["keys.lookup"] = [this](const wire::Value& args) -> FakeServer::Answer {
      if (args.find("addr")->as_string() != alice) return std::nullopt;
      FakeServer::Answer out = look_up_alice();
      if (mine.back().type != bindlog::Type::key)
        for (const char* member : {"binding", "key"}) (*out)->as_object().erase(member);
      return out;
    };
  }
  /// BLG-4 and BLG-7, as a server does.
  Result<std::int64_t> add(const wire::Value& args) {
    bind_first();
    AMS_TRY(bindlog::Entry entry, bindlog::parse_entry(*args.find("entry")));
    if (entry.version != static_cast<std::int64_t>(mine.size()) + 1)
      return fail(Code::version_conflict, "fake");
    AMS_CHECK(bindlog::verify_endorsement(entry, mine.back(), home_log.value(mine.back()),
                                          client->account_key()->record));
    log(std::move(entry));
    return static_cast<std::int64_t>(mine.size());
  }
  void log(bindlog::Entry entry) {
    ASSERT_TRUE(home_log.add(entry).has_value());
    home_log.seal(now_s());
    mine.push_back(std::move(entry));
  }
  void lead_to(bindlog::Type type, Addresses to) {
    client->redirect(type, std::move(to), now);
    run_for(10min);
  }
  /// The next version, leading to carol; by whose key.
  bindlog::Entry to_carol(const keys::KeyPair& by) {
    bind_first();
    bindlog::Entry entry = entry_of(alice, mine.back().key);
    entry.type = bindlog::Type::forward;
    entry.to = {carol.addr};
    entry.version = static_cast<std::int64_t>(mine.size()) + 1;
    entry.at = to_unix_ms(now);
    entry.prev = home_log.value(mine.back());
    return *bindlog::endorse(std::move(entry), by.signing);
  }
  Code failed_with() const {
    const auto* failed = last<CommandFailed>();
    return failed && failed->what == "redirect" ? failed->why.code : Code{};
  }
};

TEST(ClientRedirect, leads_to_another_and_back) {
  OwnLog bench;
  bench.enrol();
  bench.lead_to(bindlog::Type::forward, {bench.bob.addr});
  ASSERT_EQ(bench.count<Redirected>(), 1);
  EXPECT_EQ(bench.last<Redirected>()->type, "forward");
  EXPECT_EQ(bench.last<Redirected>()->to, Addresses{bench.bob.addr});
  EXPECT_EQ(bench.last<Redirected>()->version, 2);
  const auto refused = bench.refused();
  ASSERT_TRUE(refused.has_value()) << "a letter needs a key at its sender's address (MSG-38)";
  EXPECT_EQ(refused->code, Code::redirected);

  bench.lead_to(bindlog::Type::key, {});
  ASSERT_EQ(bench.count<Redirected>(), 2);
  EXPECT_EQ(bench.last<Redirected>()->version, 3);
  EXPECT_EQ(bench.mine.back().key, bench.client->account_key()->record.id());
  EXPECT_EQ(bench.refused(), std::nullopt);
  bench.run_for(25h);
  EXPECT_EQ(bench.alarms(), 0) << "she made all three";
  bench.crash();
  bench.run_for(1min);
  EXPECT_EQ(bench.refused(), std::nullopt);
}

TEST(ClientRedirect, a_group_has_its_members_in_order) {
  OwnLog bench;
  bench.enrol();
  bench.lead_to(bindlog::Type::group, {bench.carol.addr, bench.bob.addr});
  ASSERT_EQ(bench.count<Redirected>(), 1);
  EXPECT_EQ(bench.mine.back().to, (Addresses{bench.bob.addr, bench.carol.addr}));
}

TEST(ClientRedirect, is_made_once_though_its_answer_is_lost_or_it_is_asked_again) {
  OwnLog bench;
  bench.enrol();
  bench.lose_next = true;
  bench.lead_to(bindlog::Type::forward, {bench.bob.addr});
  EXPECT_EQ(bench.count<Redirected>(), 1);
  bench.lead_to(bindlog::Type::forward, {bench.bob.addr});
  EXPECT_EQ(bench.count<Redirected>(), 2);
  EXPECT_EQ(bench.redirects, 1);
  EXPECT_EQ(bench.mine.size(), 2u);
}

TEST(ClientRedirect, follows_what_another_device_did_first) {
  OwnLog bench;
  bench.enrol();
  bench.run_for(10s);
  bench.log(bench.to_carol(*bench.client->account_key()));
  bench.lead_to(bindlog::Type::forward, {bench.bob.addr});
  ASSERT_EQ(bench.count<Redirected>(), 1);
  EXPECT_EQ(bench.last<Redirected>()->version, 3);
  EXPECT_EQ(bench.alarms(), 0);
}

TEST(ClientRedirect, a_new_key_ends_it) {
  OwnLog bench;
  bench.enrol();
  bench.lead_to(bindlog::Type::forward, {bench.bob.addr});
  bench.client->rotate(std::nullopt, bench.now);
  bench.run_for(10min);
  ASSERT_EQ(bench.count<KeyRotated>(), 1);
  EXPECT_EQ(bench.last<KeyRotated>()->version, 3);
  EXPECT_EQ(bench.refused(), std::nullopt);
}

TEST(ClientRedirect, says_why_it_was_refused) {
  OwnLog bench;
  bench.enrol();
  bench.lead_to(bindlog::Type::forward, {bench.bob.addr, bench.carol.addr});
  EXPECT_EQ(bench.failed_with(), Code::schema) << "one address";
  bench.refuse_next = Code::binding_contradiction;
  bench.lead_to(bindlog::Type::forward, {bench.bob.addr});
  EXPECT_EQ(bench.failed_with(), Code::binding_contradiction);
  EXPECT_EQ(bench.mine.size(), 1u);
  EXPECT_EQ(bench.count<Redirected>(), 0);
}

TEST(ClientRedirect, needs_a_domain_with_a_log) {
  Bench bench;
  bench.enrol();
  bench.client->redirect(bindlog::Type::forward, {bench.bob.addr}, bench.now);
  bench.run_for(1min);
  ASSERT_EQ(bench.count<CommandFailed>(), 1);
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::not_found);
}

TEST(ClientRedirect, one_that_her_key_has_not_signed_is_not_hers) {
  for (const bool forged : {false, true}) {
    OwnLog bench;
    bench.enrol();
    bench.run_for(10s);
    bench.log(bench.to_carol(forged ? bench.carol.pair : *bench.client->account_key()));
    bench.run_for(25h);
    EXPECT_EQ(bench.alarms() > 0, forged);
    const auto* alarm = bench.last<Alarm>();
    EXPECT_EQ(alarm ? alarm->why.code : Code{}, forged ? Code::binding_foreign : Code{});
    bench.lead_to(bindlog::Type::key, {});
    EXPECT_EQ(bench.count<Redirected>(), forged ? 0 : 1);
  }
}

}  // namespace
}  // namespace ams::client::testing
