// Rotation against a scripted server: nothing sealed to an old key becomes unreadable, nothing is
// refused or sent twice because the key changed under it, and a crash at any point changes nothing.
#include "client/test_bench.h"
#include "keys/lineage.h"

namespace ams::client::testing {
namespace {

keys::KeyId key_of_alice(const Bench& bench) { return bench.client->account_key()->record.id(); }

void rotate(Bench& bench) {
  bench.client->rotate(std::nullopt, bench.now);
  bench.run_for(10s);
}

TEST(ClientRotate, another_key_is_associated_with_the_next_version) {
  Bench bench;
  bench.enrol();
  const keys::KeyId before = key_of_alice(bench);
  rotate(bench);
  ASSERT_EQ(bench.count<KeyRotated>(), 1);
  const KeyRotated& told = *bench.last<KeyRotated>();
  EXPECT_EQ(told.from, before);
  EXPECT_EQ(told.to, key_of_alice(bench));
  EXPECT_NE(told.to, before);
  EXPECT_EQ(told.version, 2);
  EXPECT_EQ(bench.server.bound_version, 2);
}

TEST(ClientRotate, the_new_pair_is_durable_before_the_server_hears_of_it) {
  Bench bench;
  bench.enrol();
  std::size_t durable = 0;
  bench.server.hooks["keys.associate"] = [&](const wire::Value&) -> FakeServer::Answer {
    const auto others = read_other_pairs(bench.disk);
    for (const OtherPair& other : *others) durable += other.state == OtherPair::State::next ? 1 : 0;
    EXPECT_TRUE(bench.undurable.empty());
    return std::nullopt;
  };
  rotate(bench);
  EXPECT_EQ(durable, 1u);
}

TEST(ClientRotate, mail_sealed_to_any_key_ever_used_opens) {
  for (const bool restart : {false, true}) {
    Bench bench;
    bench.enrol();
    const mail::Sealed to_first = bench.sealed_by(bench.bob, "to the first key");
    rotate(bench);
    const mail::Sealed to_second = bench.sealed_by(bench.bob, "to the second key");
    rotate(bench);
    bench.deliver(bench.bob, "to the third key");
    if (restart) bench.crash();
    for (const mail::Sealed* sealed : {&to_first, &to_second})
      bench.server.add_message(bench.server.as_message(*sealed, 0, "mail"));
    bench.client->sync(bench.now);
    bench.run_for(10s);
    EXPECT_EQ(bench.count<Received>(), 3) << restart;
    EXPECT_EQ(bench.count<Unreadable>(), 0) << restart;
  }
}

TEST(ClientRotate, a_crash_at_any_step_loses_neither_key_nor_rotation) {
  for (int steps = 0; steps < 40; ++steps) {
    Bench bench;
    bench.enrol();
    const keys::KeyId before = key_of_alice(bench);
    bench.client->rotate(std::nullopt, bench.now);
    for (int i = 0; i < steps; ++i) bench.step();
    bench.crash();
    bench.run_for(10s);
    const keys::KeyId after = key_of_alice(bench);
    const auto bound = keys::parse_binding(*bench.server.lookups[bench.alice].find("binding"));
    EXPECT_EQ(after, bound->key) << "the server has another key than we, after step " << steps;
    if (after == before) {
      EXPECT_TRUE(read_other_pairs(bench.disk)->empty());  // it had not been written down yet
    }
    bench.deliver(bench.bob, "after");
    bench.client->sync(bench.now);
    bench.run_for(10s);
    EXPECT_EQ(bench.count<Unreadable>(), 0);
    EXPECT_EQ(bench.count<Received>(), 1);
  }
}

TEST(ClientRotate, a_lost_answer_is_no_lost_rotation) {
  Bench bench;
  bench.enrol();
  bench.server.cut_after = "keys.associate";
  rotate(bench);
  EXPECT_EQ(bench.count<KeyRotated>(), 1);
  EXPECT_EQ(bench.server.bound_version, 2);
}

/// Refuses submissions of another key than the bound one, as SUB-5 says.
void be_strict_about_keys(Bench& bench) {
  bench.server.hooks["mail.submit"] = [&bench](const wire::Value& args) -> FakeServer::Answer {
    const auto bound = keys::parse_binding(*bench.server.lookups[bench.alice].find("binding"));
    const auto header = mail::parse_header(*args.find("env"));
    if (header->sender != bound->key) return fail(Code::auth_key, "env.skid");
    return std::nullopt;
  };
}

TEST(ClientRotate, what_is_sealed_goes_out_before_the_key_changes) {
  Bench bench;
  bench.enrol();
  be_strict_about_keys(bench);
  bench.server.silent_on = "mail.submit";  // sealed, and for now unanswered
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  bench.client->rotate(std::nullopt, bench.now);
  bench.settle();
  EXPECT_TRUE(bench.client->changing_keys());
  EXPECT_EQ(bench.server.bound_version, 1) << "the key changed under a sealed message";
  bench.client->submit(bench.draft({bench.carol.addr}), bench.now);  // waits for the new key
  bench.settle();
  bench.server.silent_on.clear();
  bench.cut();
  bench.run_for(60s);
  EXPECT_EQ(bench.count<Submitted>(), 2);
  EXPECT_EQ(bench.count<SubmitFailed>(), 0);
  EXPECT_EQ(bench.count<KeyRotated>(), 1);
  EXPECT_EQ(bench.server.submissions.size(), 2u);
}

TEST(ClientRotate, another_devices_key_is_not_replaced_unseen) {
  Bench bench;
  bench.enrol();
  const keys::KeyId before = key_of_alice(bench);
  const keys::KeyPair strange = make_pair(bench.drbg);
  bench.server.bound_version = 7;
  bench.server.lookups[bench.alice] =
      wire::Object{{"binding", sign_binding(bench.home, bench.alice, strange.record.id(), 7)},
                   {"key", strange.record.value()}};
  rotate(bench);
  ASSERT_EQ(bench.count<CommandFailed>(), 1);
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::version_conflict);
  EXPECT_EQ(bench.server.bound_version, 7);
  EXPECT_EQ(key_of_alice(bench), before);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);  // sealing goes on
  bench.run_for(10s);
  EXPECT_EQ(bench.count<Submitted>(), 1);
}

TEST(ClientRotate, a_refusal_leaves_the_key_in_use) {
  Bench bench;
  bench.enrol();
  const keys::KeyId before = key_of_alice(bench);
  bench.server.hooks["keys.associate"] = [](const wire::Value&) -> FakeServer::Answer {
    return fail(Code::key_origin, "fake");
  };
  rotate(bench);
  ASSERT_EQ(bench.count<CommandFailed>(), 1);
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::key_origin);
  EXPECT_EQ(key_of_alice(bench), before);
  bench.crash();
  bench.run_for(10s);
  EXPECT_EQ(key_of_alice(bench), before);
  EXPECT_EQ(bench.client->private_bytes().size(), 4u) << "the unused pair is kept";
}

TEST(ClientRotate, expired_and_repeated_pairs_are_refused) {
  Bench bench;
  bench.enrol();
  bench.client->rotate(make_pair(bench.drbg, start_ms - 1), bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::key_expired);
  bench.client->rotate(std::nullopt, bench.now);
  bench.client->rotate(std::nullopt, bench.now);
  bench.run_for(10s);
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::version_conflict);
  EXPECT_EQ(bench.count<KeyRotated>(), 1);
}

TEST(ClientRotate, the_old_key_names_the_one_that_follows_it) {
  Bench bench;
  bench.enrol();
  const keys::KeyRecord old = bench.client->account_key()->record;
  bench.server.cut_before = "directory.publish";  // sent again on the next connection
  rotate(bench);
  EXPECT_FALSE(bench.client->changing_keys());
  ASSERT_EQ(bench.server.published.size(), 1u);
  const auto event = keys::KeyEvent::parse(bench.server.published[0], old);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->successor, key_of_alice(bench));
  EXPECT_EQ(bench.count<Published>(), 1);
  EXPECT_TRUE(bench.last<Published>()->outcome);
}

TEST(ClientPublish, a_revocation_is_signed_beforehand_and_outlives_crashes) {
  Bench bench;
  bench.enrol();
  const keys::KeyRecord record = bench.client->account_key()->record;
  const auto kept = read_revocation(bench.disk, record.id());
  ASSERT_TRUE(kept && *kept);
  EXPECT_TRUE(keys::verify_revocation(**kept, record));
  bench.reachable = false;
  bench.cut();
  bench.client->publish(**kept, bench.now);
  bench.settle();
  bench.crash();
  bench.reachable = true;
  bench.run_for(600s);
  ASSERT_EQ(bench.server.published.size(), 1u);
  EXPECT_EQ(bench.server.published[0], **kept);
  EXPECT_EQ(bench.count<Published>(), 1);
}

TEST(ClientPublish, what_is_refused_for_good_is_told_and_not_sent_again) {
  Bench bench;
  bench.enrol();
  bench.server.hooks["directory.publish"] = [](const wire::Value&) -> FakeServer::Answer {
    return wire::Value(
        wire::Object{{"results", wire::Array{wire::Object{{"code", "event_chain"}}}}});
  };
  const auto kept = read_revocation(bench.disk, key_of_alice(bench));
  bench.client->publish(**kept, bench.now);
  bench.run_for(600s);
  ASSERT_EQ(bench.count<Published>(), 1);
  EXPECT_EQ(bench.last<Published>()->outcome.error().code, Code::event_chain);
  EXPECT_EQ(bench.server.calls["directory.publish"], 1);
  bench.crash();
  bench.run_for(600s);
  EXPECT_EQ(bench.server.calls["directory.publish"], 1);
}

TEST(ClientRotate, private_halves_of_all_pairs_stay_here) {
  Bench bench;
  bench.enrol();
  rotate(bench);
  ASSERT_EQ(bench.client->private_bytes().size(), 4u);
  for (const crypto::Secret& secret : bench.client->private_bytes()) {
    EXPECT_FALSE(holds(bench.server.received, secret.view()));
    EXPECT_FALSE(holds(bench.server.received, as_bytes(to_base64url(secret.view()))));
  }
}

TEST(ClientLookUp, shows_what_a_sender_would_seal_to) {
  Bench bench;
  bench.enrol();
  bench.client->look_up(bench.bob.addr, bench.now);
  bench.client->look_up("nobody@away.example", bench.now);
  bench.run_for(10s);
  ASSERT_EQ(bench.count<LookedUp>(), 2);
  for (const Report& report : bench.reports) {
    const auto* looked = std::get_if<LookedUp>(&report);
    if (!looked) continue;
    if (looked->addr != bench.bob.addr) {
      EXPECT_EQ(looked->found.error().code, Code::no_such_address);
      continue;
    }
    ASSERT_TRUE(looked->found);
    EXPECT_EQ(looked->found->record->id(), bench.bob.pair.record.id());
    EXPECT_EQ(looked->found->chain->record.domain, bench.away.name);
    EXPECT_EQ(looked->found->binding, bench.bob.binding);
  }
}

}  // namespace
}  // namespace ams::client::testing
