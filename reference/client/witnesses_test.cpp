// Goal: with witnesses demanded nothing is sealed, read or believed of one's own address by a
// binding log's head that they have not cosigned, and what waits goes on when they have (BLG-41,
// BLG-42). Method: domains with logs, two full peers, one of which is the log's own domain.
#include "bindlog/lie.h"
#include "client/test_witnesses.h"

namespace ams::client::testing {
namespace {

TEST(ClientWitnesses, a_letter_waits_until_they_have_cosigned) {
  WitnessedSender bench(1);
  bench.cosign(bench.home_log, bench.one);
  EXPECT_EQ(bench.refused()->code, Code::bom);  // it waits
  bench.cosign_bob(bench.one);
  bench.run_for(5min);
  EXPECT_EQ(bench.server.submissions.size(), 1u);
  EXPECT_EQ(bench.alarms(), 0);
}

TEST(ClientWitnesses, nothing_is_asked_of_who_demands_none) {
  WitnessedSender bench(0);
  EXPECT_FALSE(bench.refused().has_value());
  EXPECT_EQ(bench.server.calls["directory.relay"], 0);
}

TEST(ClientWitnesses, the_logs_own_domain_is_no_witness) {
  WitnessedSender bench(1);
  bench.cosign_bob(bench.away);
  EXPECT_EQ(bench.looked_up(), Code::witnesses);
  bench.cosign_bob(bench.one);
  EXPECT_EQ(bench.looked_up(), Code::bom);
}

TEST(ClientWitnesses, each_counts_once_and_by_its_own_key) {
  WitnessedSender bench(1);
  Domain other = Domain::with("one.example", make_pair(bench.drbg), make_pair(bench.drbg), 1);
  bench.cosign_bob(other);  // by the name, not by the key
  EXPECT_EQ(bench.looked_up(), Code::witnesses);
  WitnessedSender demanding(2);
  demanding.cosign_bob(demanding.one);
  EXPECT_EQ(demanding.looked_up(), Code::witnesses);
}

TEST(ClientWitnesses, the_owner_chooses_them_herself) {
  WitnessedSender bench(1, {"two.example"});
  bench.cosign_bob(bench.one);
  EXPECT_EQ(bench.looked_up(), Code::witnesses);
  bench.cosign_bob(bench.two);
  EXPECT_EQ(bench.looked_up(), Code::bom);
  EXPECT_EQ(bench.listed, 0);
}

TEST(ClientWitnesses, a_letter_waits_for_its_own_proof_too) {
  WitnessedSender bench(1);
  bench.cosign_bob(bench.one);
  EXPECT_EQ(bench.refused()->code, Code::bom);
  bench.cosign(bench.home_log, bench.one);
  bench.run_for(5min);
  EXPECT_EQ(bench.server.submissions.size(), 1u);
}

TEST(ClientWitnesses, a_letter_is_read_when_a_look_up_has_them) {
  WitnessedSender bench(1);
  bench.stapled = *bench.server.lookups[bench.bob.addr].find("proof");
  bench.deliver(bench.bob, "early");
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 0);
  EXPECT_EQ(bench.count<Unreadable>(), 0);
  bench.cosign_bob(bench.one);
  bench.run_for(5min);
  EXPECT_EQ(bench.count<Received>(), 1);
  bench.stapled = *bench.server.lookups[bench.bob.addr].find("proof");
  const int asked = bench.server.calls["keys.lookup"];
  bench.deliver(bench.bob, "cosigned");
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 2);
  EXPECT_EQ(bench.server.calls["keys.lookup"], asked);  // its own proof will do
}

TEST(ClientWitnesses, a_letter_of_another_key_than_they_have_seen_is_not_read) {
  WitnessedSender bench(1);
  bench.stapled = *bench.server.lookups[bench.bob.addr].find("proof");
  bench.deliver(bench.bob, "forged by a fork");
  bench.rebind_bob(make_pair(bench.drbg), true);
  bench.cosign(bench.away_log, bench.one);
  bench.tell_and_settle();
  bench.run_for(2h);
  EXPECT_EQ(bench.count<Received>(), 0);
  ASSERT_EQ(bench.count<Unreadable>(), 1);
  EXPECT_EQ(bench.last<Unreadable>()->why.code, Code::witnesses);
}

TEST(ClientWitnesses, the_owners_check_waits_for_them) {
  WitnessedSender bench(1);
  bench.run_for(1min);
  const auto* failed = bench.last<CommandFailed>();
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->what, "bindings");
  EXPECT_EQ(failed->why.code, Code::witnesses);
  EXPECT_EQ(bench.alarms(), 0);
  bench.cosign(bench.home_log, bench.one);
  bench.run_for(10min);
  const int calls = bench.server.calls["keys.history"];
  bench.run_for(1h);
  EXPECT_EQ(bench.server.calls["keys.history"], calls);  // it is content
  EXPECT_EQ(bench.alarms(), 0);
}

TEST(ClientWitnesses, a_traced_look_up_says_who_has_cosigned) {
  WitnessedSender bench(0);
  bench.cosign_bob(bench.one);
  const auto steps = bench.traced();
  EXPECT_TRUE(has_step(steps, "log root: cosigned by 1 of 2 witnesses", true));
  EXPECT_TRUE(has_step(steps, "peer one.example: has seen of the domain's log 1 epochs", true));
  EXPECT_EQ(bench.alarms(), 0);
}

TEST(ClientWitnesses, two_roots_of_one_size_convict_the_domain) {
  WitnessedSender bench(0);
  bindlog::Prover forked = LogBench::make_log(bench.away);
  ASSERT_TRUE(forked.add(LogBench::entry_of("eve@away.example", bench.carol.pair.record.id())));
  forked.seal(bench.now_s());
  bench.told = wire::Object{{"chain", bench.away.chain}, {"checkpoint", forked.checkpoint()}};
  const auto steps = bench.traced();
  EXPECT_TRUE(has_step(steps, "peer one.example: has seen of the domain's log 1 epochs", false));
  ASSERT_GE(bench.alarms(), 1);
  const Alarm& alarm = *bench.last<Alarm>();
  ASSERT_TRUE(alarm.lie.has_value());
  const keys::Chain chain = bench.away.verified();
  const auto lie = bindlog::parse_lie(*alarm.lie);
  EXPECT_EQ(bindlog::kind_of(*lie), "fork");
  EXPECT_TRUE(bindlog::verify_lie(*lie, *bindlog::identity_of(chain.record), &chain));
  // The peer may have the proof itself.
  const int before = bench.alarms();
  bench.told = wire::Object{{"chain", bench.away.chain}, {"lie", *alarm.lie}};
  EXPECT_TRUE(has_step(bench.traced(), "peer one.example: has seen", false));
  EXPECT_GT(bench.alarms(), before);
}

TEST(ClientWitnesses, a_head_without_them_is_held_against_what_they_have_seen) {
  WitnessedSender bench(1);
  bindlog::Prover forked = LogBench::make_log(bench.away);
  forked.seal(bench.now_s());
  bench.told = wire::Object{{"chain", bench.away.chain}, {"checkpoint", forked.checkpoint()}};
  EXPECT_EQ(bench.looked_up(), Code::witnesses);
  ASSERT_EQ(bench.alarms(), 1);
  EXPECT_TRUE(bench.last<Alarm>()->lie.has_value());
  EXPECT_EQ(bench.looked_up(), Code::witnesses);
  EXPECT_EQ(bench.alarms(), 1);  // once an hour
  WitnessedSender honest(1);
  EXPECT_EQ(honest.looked_up(), Code::witnesses);
  EXPECT_EQ(honest.alarms(), 0);
}

}  // namespace
}  // namespace ams::client::testing
