// Goal: a sender seals to no key that the recipient's domain does not commit to, and an owner
// learns of every key that her domain binds to her address (BLG-18, BLG-26). Method: domains with
// binding logs, honest and lying in one way each.
#include "client/test_bindings.h"

namespace ams::client::testing {
namespace {

struct LogSender : LogBench {
  std::optional<Error> refused() {
    client->submit(draft({bob.addr}), now);
    run_for(10s);
    if (!server.submissions.empty()) return std::nullopt;
    const auto* failed = last<SubmitFailed>();
    return failed ? failed->why : Error{Code::bom, "waits"};
  }
};

TEST(ClientBindings, a_proven_key_is_sealed_to) {
  LogSender bench;
  bench.enrol();
  EXPECT_FALSE(bench.refused().has_value());
}

TEST(ClientBindings, a_binding_without_a_proof_is_refused) {
  LogSender bench;
  bench.enrol();
  bench.server.lookups[bench.bob.addr].as_object().erase("proof");
  EXPECT_EQ(bench.refused()->code, Code::schema);
}

// The server hands out a key of its own and proves the one that it committed to.
TEST(ClientBindings, a_wrong_key_is_refused) {
  LogSender bench;
  bench.enrol();
  const keys::KeyRecord& wrong = bench.carol.pair.record;
  wire::Object& answer = bench.server.lookups[bench.bob.addr].as_object();
  answer.insert_or_assign("binding", sign_binding(bench.away, bench.bob.addr, wrong.id()));
  answer.insert_or_assign("key", wrong.value());
  EXPECT_EQ(bench.refused()->code, Code::binding_contradiction);
}

TEST(ClientBindings, anothers_proof_is_refused) {
  LogSender bench;
  bench.enrol();
  const auto eve = LogBench::entry_of("eve@away.example", bench.bob.pair.record.id());
  ASSERT_TRUE(bench.away_log.add(eve).has_value());
  bench.away_log.seal(bench.now_s());
  bench.show_bob(eve);
  EXPECT_EQ(bench.refused()->code, Code::binding_addr);
}

TEST(ClientBindings, a_stale_proof_keeps_the_letter_waiting) {
  LogSender bench;
  bench.enrol();
  bench.run_for(25h);
  EXPECT_EQ(bench.refused()->code, Code::bom);
  bench.away_log.seal(bench.now_s());
  bench.show_bob(LogBench::entry_of(bench.bob.addr, bench.bob.pair.record.id()));
  bench.run_for(1h);
  EXPECT_EQ(bench.server.submissions.size(), 1u);
}

TEST(ClientBindings, an_owner_checks_on_connect_and_daily) {
  LogBench bench;
  bench.enrol();
  bench.run_for(10s);
  EXPECT_EQ(bench.server.calls["keys.history"], 1);
  bench.run_for(24h);
  EXPECT_EQ(bench.server.calls["keys.history"], 2);
  bench.cut();
  bench.run_for(1min);
  EXPECT_EQ(bench.server.calls["keys.history"], 3);
  EXPECT_EQ(bench.alarms(), 0);
}

TEST(ClientBindings, an_owner_is_alarmed_of_a_key_that_is_not_hers) {
  LogBench bench;
  bench.enrol();
  bench.run_for(10s);
  bench.bind_alice(bench.carol.pair.record.id());
  bench.run_for(25h);
  ASSERT_EQ(bench.alarms(), 1);
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::binding_foreign);
  bench.run_for(24h);
  EXPECT_EQ(bench.alarms(), 2);  // for as long as it is so
}

TEST(ClientBindings, an_owner_is_alarmed_of_a_log_that_was_begun_anew) {
  LogBench bench;
  bench.enrol();
  bench.run_for(10s);
  bench.home_log = LogBench::make_log(bench.home);
  const auto own = bench.mine[0];
  ASSERT_TRUE(bench.home_log.add(own).has_value());
  bench.home_log.seal(bench.now_s());
  bench.home_log.seal(bench.now_s() + 1);
  bench.run_for(25h);
  ASSERT_EQ(bench.alarms(), 1);
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::proof);
}

TEST(ClientBindings, an_owner_is_alarmed_of_a_history_that_is_withheld) {
  LogBench bench;
  bench.server.hooks["keys.history"] = [](const wire::Value&) -> FakeServer::Answer {
    return fail(Code::not_found, "fake");
  };
  bench.enrol();
  bench.run_for(10s);
  EXPECT_EQ(bench.alarms(), 1);
}

TEST(ClientBindings, what_was_seen_outlives_a_crash) {
  LogBench bench;
  bench.enrol();
  bench.run_for(10s);
  bench.crash();
  std::int64_t size = -1;
  bench.server.hooks["keys.history"] = [&](const wire::Value& args) -> FakeServer::Answer {
    size = args.find("size")->as_integer();
    return bench.history(args);
  };
  bench.run_for(10s);
  EXPECT_GT(size, 0);
  EXPECT_EQ(bench.alarms(), 0);
}

}  // namespace
}  // namespace ams::client::testing
