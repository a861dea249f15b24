// Enrolment against a scripted server: what is durable when, what a lying server achieves.
#include "client/test_bench.h"

namespace ams::client::testing {
namespace {

TEST(ClientEnrol, keys_are_durable_before_the_server_hears_of_them) {
  Bench bench;
  bool durable = false;
  bench.server.hooks["keys.associate"] = [&](const wire::Value&) -> FakeServer::Answer {
    durable = bench.disk.get(table_account, as_bytes(row_signing)).value().has_value() &&
              bench.disk.get(table_account, as_bytes(row_record)).value().has_value() &&
              bench.undurable.empty();
    return std::nullopt;
  };
  bench.enrol();
  EXPECT_TRUE(durable);
  EXPECT_EQ(bench.last<AccountReady>()->key, bench.client->account_key()->record.id());
  EXPECT_EQ(bench.last<AccountReady>()->version, 1);
}

TEST(ClientEnrol, private_halves_never_leave) {
  Bench bench;
  bench.enrol();
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  ASSERT_EQ(bench.client->private_bytes().size(), 2u);
  for (const crypto::Secret& secret : bench.client->private_bytes()) {
    EXPECT_FALSE(holds(bench.server.received, secret.view()));
    EXPECT_FALSE(holds(bench.server.received, as_bytes(to_base64url(secret.view()))));
  }
}

TEST(ClientEnrol, a_wrong_token_is_told_and_nothing_is_associated) {
  Bench bench;
  bench.client->enrol(Hash{}, std::nullopt, bench.now);
  bench.settle();
  ASSERT_EQ(bench.count<CommandFailed>(), 1);
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::enrol_token);
  EXPECT_FALSE(bench.client->ready());
  EXPECT_EQ(bench.server.bound_version, 0);
  bench.enrol();  // the right token afterwards
}

TEST(ClientEnrol, an_unreachable_server_leaves_an_attempt_that_goes_on) {
  for (const bool other_token : {false, true}) {
    Bench bench(1, false);
    bench.reachable = false;
    bench.client->enrol(other_token ? Hash{} : bench.server.token, std::nullopt, bench.now);
    bench.run_for(1s);
    bench.crash();
    ASSERT_FALSE(bench.client->ready());
    const keys::KeyId key = bench.client->account_key()->record.id();
    bench.reports.clear();
    bench.reachable = true;
    bench.client->enrol(bench.server.token, std::nullopt, bench.now);
    bench.run_for(10s);
    EXPECT_EQ(bench.count<CommandFailed>(), 0) << other_token;
    ASSERT_EQ(bench.count<AccountReady>(), 1) << other_token;
    EXPECT_EQ(bench.last<AccountReady>()->key, key);
  }
}

TEST(ClientEnrol, lost_answers_do_not_lose_the_account) {
  for (const std::string op : {"account.enrol", "keys.associate"}) {
    Bench bench;
    bench.server.cut_after = op;
    bench.client->enrol(bench.server.token, std::nullopt, bench.now);
    bench.run_for(10s);
    EXPECT_TRUE(bench.client->ready()) << op;
    EXPECT_EQ(bench.count<AccountReady>(), 1) << op;
    EXPECT_EQ(bench.server.bound_version, 1) << op;
  }
}

TEST(ClientEnrol, an_address_bound_to_another_key_gets_the_next_version) {
  Bench bench;
  const keys::KeyPair old = make_pair(bench.drbg);
  bench.server.bound_version = 4;
  bench.server.lookups[bench.alice] =
      wire::Object{{"binding", sign_binding(bench.home, bench.alice, old.record.id(), 4)},
                   {"key", old.record.value()}};
  bench.enrol();
  EXPECT_EQ(bench.last<AccountReady>()->version, 5);
}

TEST(ClientEnrol, a_binding_that_is_not_ours_is_refused) {
  const keys::KeyId strange{};
  const auto refused = [&](const std::function<wire::Value(Bench&)>& make) {
    Bench bench;
    bench.server.hooks["keys.associate"] = [&](const wire::Value&) -> FakeServer::Answer {
      return wire::Value(wire::Object{{"binding", make(bench)}});
    };
    bench.client->enrol(bench.server.token, std::nullopt, bench.now);
    bench.settle();
    EXPECT_FALSE(bench.client->ready());
    const auto* failed = bench.last<CommandFailed>();
    return failed ? failed->why.code : Code{};
  };
  const auto own_id = [](Bench& bench) { return bench.client->account_key()->record.id(); };
  EXPECT_EQ(refused([&](Bench& b) { return sign_binding(b.home, b.alice, strange); }),
            Code::from_binding);
  EXPECT_EQ(refused([&](Bench& b) { return sign_binding(b.home, b.carol.addr, own_id(b)); }),
            Code::from_binding);
  EXPECT_EQ(refused([&](Bench& b) { return sign_binding(b.away, b.alice, own_id(b)); }),
            Code::kid_mismatch);
}

TEST(ClientEnrol, a_pair_that_is_given_is_used) {
  Bench bench;
  keys::KeyPair pair = make_pair(bench.drbg);
  const keys::KeyId id = pair.record.id();
  bench.client->enrol(bench.server.token, std::move(pair), bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<AccountReady>()->key, id);
}

TEST(ClientEnrol, rsa_keys_survive_a_restart) {
  Bench bench;
  auto signing = crypto::SigningKey::generate_rsa(crypto::SigAlg::rsa2048pss).value();
  auto decryption = crypto::DecryptionKey::generate_rsa(crypto::Kem::rsa2048kem).value();
  keys::KeyPairOptions options;
  options.nbf = start_ms;
  options.exp = start_ms + 86'400'000;
  auto pair =
      keys::make_pair(std::move(signing), std::move(decryption), bench.drbg.array<16>(), options);
  bench.client->enrol(bench.server.token, std::move(pair.value()), bench.now);
  bench.settle();
  ASSERT_TRUE(bench.client->ready());
  bench.crash();
  ASSERT_TRUE(bench.client->ready());
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.deliver(bench.bob, "to an RSA key");
  bench.run_for(1s);
  EXPECT_EQ(bench.count<Submitted>(), 1);
  EXPECT_GE(bench.count<Received>(), 1);
  EXPECT_EQ(bench.count<Unreadable>(), 0);
}

TEST(ClientEnrol, a_full_disk_is_told_and_the_server_hears_nothing) {
  Bench bench;
  bench.disk.faults().fail_next_commit = true;
  bench.client->enrol(bench.server.token, std::nullopt, bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::storage);
  EXPECT_EQ(bench.server.calls["account.enrol"], 0);
  bench.enrol();
}

}  // namespace
}  // namespace ams::client::testing
