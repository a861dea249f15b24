// Goal: a sender seals to no key that the recipient's domain does not commit to, and an owner
// learns of every key that her domain binds to her address (BLG-18, BLG-26). Method: domains with
// binding logs, honest and lying in one way each.
#include "bindlog/lie.h"
#include "client/test_bindings.h"

namespace ams::client::testing {
namespace {

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
  bench.lie_about_bob();
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

// The Sent copy is judged like any letter: without the proof it would be unreadable.
TEST(ClientBindings, a_letter_carries_its_proof) {
  LogSender bench;
  bench.enrol();
  EXPECT_FALSE(bench.refused().has_value());
  EXPECT_EQ(bench.server.calls["keys.lookup"], 2);
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 1);
  EXPECT_EQ(bench.count<Unreadable>(), 0);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  EXPECT_EQ(bench.server.submissions.size(), 2u);
  EXPECT_EQ(bench.server.calls["keys.lookup"], 2) << "both answers serve for a while";
}

TEST(ClientBindings, a_letter_of_a_key_that_the_domain_has_replaced_does_not_go) {
  LogSender bench;
  bench.enrol();
  bench.run_for(10s);
  const keys::KeyId other = bench.carol.pair.record.id();
  bench.bind_alice(other);
  bench.server.lookups[bench.alice].as_object().insert_or_assign(
      "binding", sign_binding(bench.home, bench.alice, other, 2));
  EXPECT_EQ(bench.refused()->code, Code::binding_foreign);
}

TEST(ClientBindings, a_letter_is_read_with_its_proof_only) {
  LogBench bench;
  bench.enrol();
  bench.deliver(bench.bob, "without");
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 0);
  ASSERT_EQ(bench.count<Unreadable>(), 1);
  EXPECT_EQ(bench.last<Unreadable>()->why.code, Code::from_proof);
  bench.stapled = *bench.server.lookups[bench.bob.addr].find("proof");
  bench.deliver(bench.bob, "with");
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 1);
}

TEST(ClientBindings, a_contradiction_convicts_the_domain) {
  LogSender bench;
  bench.enrol();
  bench.lie_about_bob();
  EXPECT_EQ(bench.refused()->code, Code::binding_contradiction);
  ASSERT_EQ(bench.alarms(), 1);
  const Alarm& alarm = *bench.last<Alarm>();
  EXPECT_EQ(alarm.addr, bench.bob.addr);
  ASSERT_TRUE(alarm.lie.has_value());
  const keys::Chain chain = bench.away.verified();
  EXPECT_TRUE(bindlog::verify_lie(*bindlog::parse_lie(*alarm.lie),
                                  *bindlog::identity_of(chain.record), &chain));
}

TEST(ClientBindings, an_endorsed_change_of_key_is_told_and_sealed_to) {
  LogSender bench;
  bench.enrol();
  ASSERT_FALSE(bench.refused().has_value());
  const keys::KeyPair next = make_pair(bench.drbg);
  bench.rebind_bob(next, true);
  bench.run_for(2h);
  EXPECT_FALSE(bench.refused().has_value());
  EXPECT_EQ(bench.server.submissions.size(), 2u);
  ASSERT_EQ(bench.count<KeyChanged>(), 1);
  const KeyChanged& told = *bench.last<KeyChanged>();
  EXPECT_TRUE(told.endorsed);
  EXPECT_EQ(told.from, bench.bob.pair.record.id());
  EXPECT_EQ(told.to, next.record.id());
}

TEST(ClientBindings, an_unendorsed_change_of_key_is_told_before_anything_is_sealed_to_it) {
  LogSender bench;
  bench.enrol();
  ASSERT_FALSE(bench.refused().has_value());
  bench.rebind_bob(make_pair(bench.drbg), false);
  bench.run_for(2h);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  EXPECT_EQ(bench.server.submissions.size(), 1u);
  ASSERT_EQ(bench.count<SubmitFailed>(), 1);
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::unendorsed);
  ASSERT_EQ(bench.count<KeyChanged>(), 1);
  EXPECT_FALSE(bench.last<KeyChanged>()->endorsed);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);  // now that its writer knows
  bench.run_for(10s);
  EXPECT_EQ(bench.server.submissions.size(), 2u);
}

// The change itself is in order; the key record beside it is not, for as long as the server likes.
TEST(ClientBindings, a_change_is_told_once_and_with_the_answer_that_holds) {
  LogSender bench;
  bench.enrol();
  ASSERT_FALSE(bench.refused().has_value());
  bench.rebind_bob(make_pair(bench.drbg), true);
  const wire::Value good = bench.server.lookups[bench.bob.addr];
  bench.server.lookups[bench.bob.addr].as_object().insert_or_assign(
      "key", bench.carol.pair.record.value());
  bench.run_for(2h);
  for (int failed = 1; failed <= 2; ++failed) {
    bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
    bench.run_for(10s);
    EXPECT_EQ(bench.count<SubmitFailed>(), failed);
    EXPECT_EQ(bench.count<KeyChanged>(), 0);
  }
  bench.server.lookups[bench.bob.addr] = good;
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  EXPECT_EQ(bench.server.submissions.size(), 2u);
  EXPECT_EQ(bench.count<KeyChanged>(), 1);
  bench.run_for(2h);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  EXPECT_EQ(bench.count<KeyChanged>(), 1);
}

TEST(ClientBindings, a_change_that_is_not_shown_is_refused) {
  LogSender bench;
  bench.enrol();
  ASSERT_FALSE(bench.refused().has_value());
  bench.rebind_bob(make_pair(bench.drbg), true);
  bench.server.lookups[bench.bob.addr].as_object().erase("history");
  bench.run_for(2h);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  EXPECT_EQ(bench.server.submissions.size(), 1u);
  EXPECT_EQ(bench.count<SubmitFailed>(), 1);
}

TEST(ClientBindings, a_rotation_is_endorsed_by_the_old_key) {
  LogBench bench;
  bench.enrol();
  bench.run_for(10s);
  std::optional<wire::Value> offered;
  bench.server.hooks["keys.associate"] = [&](const wire::Value& args) -> FakeServer::Answer {
    if (const wire::Value* entry = args.find("entry")) offered = *entry;
    return std::nullopt;
  };
  const keys::KeyRecord old = bench.client->account_key()->record;
  bench.client->rotate(std::nullopt, bench.now);
  bench.run_for(1min);
  ASSERT_EQ(bench.count<KeyRotated>(), 1);
  ASSERT_TRUE(offered.has_value());
  const bindlog::Entry made = *bindlog::parse_entry(*offered);
  EXPECT_EQ(made.key, bench.last<KeyRotated>()->to);
  EXPECT_TRUE(
      bindlog::verify_endorsement(made, bench.mine[0], bench.home_log.value(bench.mine[0]), old));
}

// The history of a key that the owner did not make, and her old key's word on it.
TEST(ClientBindings, a_foreign_key_convicts_the_domain) {
  LogBench bench;
  bench.enrol();
  bench.run_for(10s);
  bench.bind_alice(bench.carol.pair.record.id());
  bench.run_for(25h);
  ASSERT_EQ(bench.alarms(), 1);
  ASSERT_TRUE(bench.last<Alarm>()->lie.has_value());
  const keys::Chain chain = bench.home.verified();
  const bindlog::Lie lie = *bindlog::parse_lie(*bench.last<Alarm>()->lie);
  EXPECT_EQ(bindlog::kind_of(lie), "denial");
  EXPECT_TRUE(bindlog::verify_lie(lie, *bindlog::identity_of(chain.record), &chain));
}

TEST(ClientBindings, a_log_that_is_replaced_is_refused) {
  LogSender bench;
  bench.enrol();
  ASSERT_FALSE(bench.refused().has_value());
  bench.replace_away_log();
  bench.run_for(25h);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  ASSERT_EQ(bench.count<SubmitFailed>(), 1);
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::log_replaced);
}

TEST(ClientBindings, forwards_and_groups_are_followed) {
  LedSender bench;
  bench.enrol();
  bench.lead("old@away.example", {bench.bob.addr});
  bench.lead("list@away.example", {bench.bob.addr, "old@away.example"}, bindlog::Type::group);
  EXPECT_EQ(bench.sent_to("list@away.example"), std::vector{bench.bob.addr});
}

TEST(ClientBindings, a_loop_of_forwards_is_refused) {
  LedSender bench;
  bench.enrol();
  bench.lead("a@away.example", {"b@away.example"});
  bench.lead("b@away.example", {"a@away.example"}, bindlog::Type::alias);
  EXPECT_EQ(bench.refused_to("a@away.example"), Code::binding_loop);
}

TEST(ClientBindings, forwards_lead_four_addresses_far) {
  for (const int hops : {4, 5}) {
    LedSender bench;
    bench.enrol();
    const auto at = [](int i) { return "f" + std::to_string(i) + "@away.example"; };
    for (int i = 1; i < hops; ++i) bench.lead(at(i), {at(i + 1)});
    bench.lead(at(hops), {bench.bob.addr});
    if (hops == 4) {
      EXPECT_EQ(bench.sent_to(at(1)), std::vector{bench.bob.addr});
    } else {
      EXPECT_EQ(bench.refused_to(at(1)), Code::binding_depth);
    }
  }
}

TEST(ClientBindings, a_forward_in_place_of_a_key_needs_that_keys_word) {
  for (const bool endorsed : {true, false}) {
    LedSender bench;
    bench.enrol();
    ASSERT_FALSE(bench.refused().has_value());  // bob's key is known now
    bindlog::Entry before = LogBench::entry_of(bench.bob.addr, bench.bob.pair.record.id());
    bindlog::Entry entry = before;
    entry.version = 2;
    entry.at = to_unix_ms(bench.now);
    entry.type = bindlog::Type::forward;
    entry.to = {bench.carol.addr};
    entry.prev = bench.away_log.value(before);
    if (endorsed) entry = *bindlog::endorse(std::move(entry), bench.bob.pair.signing);
    ASSERT_TRUE(bench.away_log.add(entry).has_value());
    bench.away_log.seal(bench.now_s());
    const std::array both{before, entry};
    bench.server.lookups[bench.bob.addr] = wire::Object{
        {"proof", bindlog::to_value(bench.away_log.prove(entry))},
        {"history", bindlog::to_value(bench.away_log.history(both, true, bench.bob_size))}};
    bindlog::Entry carols = LogBench::entry_of(bench.carol.addr, bench.carol.pair.record.id());
    ASSERT_TRUE(bench.home_log.add(carols).has_value());
    bench.home_log.seal(bench.now_s());
    bench.server.lookups[bench.carol.addr].as_object().insert_or_assign(
        "proof", bindlog::to_value(bench.home_log.prove(carols)));
    bench.run_for(2h);
    bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
    bench.run_for(10s);
    EXPECT_EQ(bench.server.submissions.size(), endorsed ? 2u : 1u);
    const auto* failed = bench.last<SubmitFailed>();
    EXPECT_EQ(failed ? failed->why.code : Code{}, endorsed ? Code{} : Code::unendorsed);
  }
}

TEST(ClientBindings, a_version_that_was_seen_stays_what_it_was) {
  for (const bool one_size : {true, false}) {
    LogSender bench;
    bench.enrol();
    EXPECT_EQ(bench.refused(), std::nullopt);
    bench.run_for(2h);
    bench.begin_away_log_anew(!one_size);
    bench.server.submissions.clear();
    const auto refused = bench.refused();
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->code, Code::log_rewritten);
    ASSERT_GT(bench.alarms(), 0);
    const auto& lie = bench.last<Alarm>()->lie;
    ASSERT_TRUE(lie.has_value()) << "it convicts the domain to anyone";
    EXPECT_EQ(lie->find("kind")->as_string(), one_size ? "fork" : "rewrite");
  }
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

TEST(ClientBindings, an_owner_checks_when_asked_to) {
  LogBench bench;
  bench.enrol();
  bench.run_for(10s);
  EXPECT_EQ(bench.client->bindings_checked(), 1u);
  bench.client->check_bindings(bench.now);
  bench.settle();
  EXPECT_EQ(bench.server.calls["keys.history"], 2);
  EXPECT_EQ(bench.client->bindings_checked(), 2u);
  EXPECT_EQ(bench.alarms(), 0);
  bench.bind_alice(bench.carol.pair.record.id());
  bench.client->check_bindings(bench.now);
  bench.settle();
  EXPECT_EQ(bench.client->bindings_checked(), 3u);
  EXPECT_EQ(bench.alarms(), 1);
}

TEST(ClientBindings, a_check_in_a_domain_without_a_log_is_over_at_once) {
  Bench bench;
  bench.enrol();
  bench.client->check_bindings(bench.now);
  bench.settle();
  EXPECT_EQ(bench.client->bindings_checked(), 1u);
  EXPECT_EQ(bench.server.calls["keys.history"], 0);
}

TEST(ClientBindings, an_owner_is_alarmed_of_a_key_that_is_not_hers) {
  LogBench bench;
  bench.enrol();
  bench.run_for(10s);
  bench.bind_alice(bench.carol.pair.record.id());
  bench.run_for(25h);
  ASSERT_EQ(bench.alarms(), 1);
  EXPECT_EQ(bench.last<Alarm>()->why.code, Code::binding_foreign);
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
  EXPECT_EQ(bench.last<Alarm>()->why.code, Code::proof);
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

TEST(ClientBindings, what_convicts_outlives_a_silence) {
  LogBench bench;
  bench.enrol();
  bench.run_for(10s);
  bench.bind_alice(bench.carol.pair.record.id());
  bench.run_for(25h);
  ASSERT_EQ(bench.alarms(), 1);
  const Bytes caught = wire::encode(bench.last<Alarm>()->shown);
  for (const bool withheld : {true, false}) {
    bench.server.hooks["keys.history"] = [&](const wire::Value&) -> FakeServer::Answer {
      if (withheld) return fail(Code::not_found, "fake");
      return wire::Value();
    };
    bench.run_for(24h);
    EXPECT_EQ(bench.alarms(), withheld ? 2 : 3);
    EXPECT_EQ(bench.disk.get(table_account, as_bytes(row_log_alarm)).value(), caught);
  }
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
