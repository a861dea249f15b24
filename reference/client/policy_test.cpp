// Goal: a client in a domain with a key store signs and opens with keys that it never sees, waits
// for a store that is down, slow or lying, and gives no private key away whatever the policy
// becomes; a sender seals to nothing that goes against a policy. Method: a scripted server, the
// real key store machine behind a line that can be cut, and a clock that passes the notice.
#include "client/test_vault.h"

namespace ams::client::testing {
namespace {

TEST(ClientCorporate, enrols_with_the_stores_key_and_publishes_none_of_its_own) {
  Corporate bench;
  bench.enrol();
  EXPECT_EQ(bench.bound().key, bench.own.id());
  EXPECT_EQ(bench.bound().enc, bench.shared.id());
  EXPECT_EQ(bench.client->key_record()->id(), bench.own.id());
  EXPECT_FALSE(
      bench.server.records.contains(to_uuid_text(bench.client->account_key()->record.id().kid)));
  bench.expect_private_keys_at_home();
  bench.crash();
  bench.run_for(1min);
  EXPECT_EQ(bench.client->key_record()->id(), bench.own.id()) << "after a restart too";
}

TEST(ClientCorporate, signs_and_opens_through_the_store) {
  Corporate bench;
  bench.enrol();
  bench.client->submit(bench.draft({bench.bob.addr}, {bench.carol.addr}), bench.now);
  bench.settle();
  ASSERT_EQ(bench.count<Submitted>(), 1);
  ASSERT_EQ(bench.server.submissions.size(), 2u) << "a Bcc recipient's is signed on its own";
  for (const auto& [ehash, args] : bench.server.submissions) {
    const auto asig = *from_base64url(args.find("asig")->as_string());
    EXPECT_TRUE(mail::verify_asig(*args.find("env"), asig, bench.own));
  }
  bench.deliver_to(bench.shared, "ten bags");
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 2) << "the Sent copy, and bob's";
  EXPECT_EQ(bench.count<Unreadable>(), 0);
}

TEST(ClientCorporate, a_store_that_is_down_delays_and_loses_nothing) {
  Corporate bench;
  bench.enrol();
  bench.up = false;
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.deliver_to(bench.shared, "ten bags");
  bench.tell_and_settle();
  bench.run_for(1h);
  EXPECT_TRUE(bench.server.submissions.empty());
  EXPECT_EQ(bench.server.calls["blob.put"], 0) << "not even sealed";
  EXPECT_EQ(bench.count<Received>() + bench.count<Unreadable>() + bench.count<SubmitFailed>(), 0);
  bench.crash();
  bench.up = true;
  bench.run_for(10min);
  EXPECT_EQ(bench.count<Submitted>(), 1);
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 2) << "bob's, and the Sent copy";
}

TEST(ClientCorporate, a_slow_store_is_given_up_and_its_late_answer_dropped) {
  Corporate bench;
  bench.enrol();
  std::vector<KeyStoreAsk> asked;
  const auto answering =
      std::exchange(bench.on_ask, [&](const KeyStoreAsk& ask) { asked.push_back(ask); });
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(2min);
  ASSERT_FALSE(asked.empty());
  const KeyStoreAsk late = asked.front();
  bench.client->handle_key_store(late.ticket, bench.vault.answer(late.request, bench.now),
                                 bench.now);
  bench.settle();
  EXPECT_TRUE(bench.server.submissions.empty());
  bench.on_ask = answering;
  bench.run_for(15min);
  EXPECT_EQ(bench.count<Submitted>(), 1);
  EXPECT_EQ(bench.server.submissions.size(), 1u);
}

TEST(ClientCorporate, a_lying_store_sends_and_opens_nothing) {
  Corporate bench;
  bench.enrol();
  // Each character of base64url in an answer's payload becomes another: secrets and signatures too.
  bench.lie = [](Bytes& answer) {
    for (const std::string_view name : {"\"shared\":\"", "\"sig\":\""}) {
      const auto at = std::search(answer.begin(), answer.end(), name.begin(), name.end());
      if (at != answer.end()) {
        auto& c = *(at + static_cast<std::ptrdiff_t>(name.size()));
        c = c == 'A' ? 'B' : 'A';
      }
    }
  };
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.deliver_to(bench.shared, "ten bags");
  bench.tell_and_settle();
  bench.run_for(1h);
  EXPECT_TRUE(bench.server.submissions.empty());
  EXPECT_EQ(bench.count<Received>() + bench.count<Unreadable>() + bench.count<SubmitFailed>(), 0);
  bench.lie = [](Bytes&) {};
  bench.run_for(15min);
  EXPECT_EQ(bench.count<Submitted>(), 1);
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 2) << "bob's, and the Sent copy";
}

TEST(ClientCorporate, a_member_who_was_removed_signs_and_opens_no_more) {
  Corporate bench;
  bench.enrol();
  bench.vault.act(keystore::RevokeArgs{bench.alice}, bench.now);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.deliver_to(bench.shared, "ten bags");
  bench.tell_and_settle();
  ASSERT_EQ(bench.count<SubmitFailed>(), 1);
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::not_member);
  ASSERT_EQ(bench.count<Unreadable>(), 1);
  EXPECT_EQ(bench.last<Unreadable>()->why.code, Code::not_member);
  EXPECT_TRUE(bench.server.submissions.empty());
}

TEST(ClientShift, a_clients_key_stays_in_the_client_and_opens_its_mail) {
  Corporate bench(false);
  bench.enrol();
  const keys::KeyRecord before = bench.client->account_key()->record;
  bench.publish(keys::Policy::corporate);
  bench.run_for(25h);
  EXPECT_EQ(bench.client->key_record()->id(), before.id()) << "works until it is replaced";
  EXPECT_EQ(bench.asked_store, 0);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  EXPECT_EQ(bench.count<Submitted>(), 1);
  bench.client->rotate(std::nullopt, bench.now);  // under corporate that is the store's key
  bench.run_for(1min);
  ASSERT_EQ(bench.count<KeyRotated>(), 1);
  EXPECT_EQ(bench.bound().key, bench.own.id());
  const int asked = bench.asked_store;
  bench.deliver_to(before, "from before");
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 2) << "the Sent copy, and what came late";
  EXPECT_EQ(bench.asked_store, asked) << "opened at home";
  bench.expect_private_keys_at_home();
}

TEST(ClientShift, isp_again_makes_a_key_of_its_own_and_reads_on_through_the_store) {
  Corporate bench;
  bench.enrol();
  bench.publish(keys::Policy::isp);
  bench.run_for(23h);
  EXPECT_EQ(bench.client->key_record()->id(), bench.own.id()) << "announced is not in force";
  bench.run_for(2h);
  ASSERT_EQ(bench.count<KeyRotated>(), 1);
  EXPECT_EQ(bench.bound().custody, keys::Custody::client);
  EXPECT_EQ(bench.client->key_record()->custody(), keys::Custody::client);
  bench.deliver_to(bench.shared, "sealed in the old days");
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 1);
  bench.expect_private_keys_at_home();
}

// --- senders ---------------------------------------------------------------------------------

/// A sender's bench whose away.example is under another policy; what becomes of a mail to bob.
struct Sender : Bench {
  keys::KeyPair own = make_corporate(), shared = make_corporate();
  keys::KeyPair make_corporate() {
    return keys::make_modern(drbg.bytes(80), {.nbf = start_ms - day_ms,
                                              .exp = start_ms + 90 * day_ms,
                                              .custody = keys::Custody::corporate})
        .value();
  }
  void away_is(keys::Policy mode) {
    std::vector<keys::SharedKey> listed;
    if (mode != keys::Policy::isp) listed.push_back({"", shared.record.id()});
    away.policy = {start_ms - day_ms, {mode, start_ms - day_ms, std::move(listed)}, {}};
    away.remake();
    server.chains[away.name] = away.chain;
  }
  void binds(const std::string& addr, const keys::KeyPair& key, const keys::KeyPair* enc,
             std::int64_t version = 2) {
    wire::Object answer{
        {"binding", sign_binding(away, addr, key.record.id(), version,
                                 enc ? std::optional(enc->record.id()) : std::nullopt)},
        {"key", key.record.value()}};
    if (enc) answer.emplace("enc", enc->record.value());
    server.lookups[addr] = std::move(answer);
  }
  std::size_t sent_to(std::vector<std::string> to) {
    enrol();
    client->submit(draft(std::move(to)), now);
    run_for(10min);
    return server.submissions.size();
  }
};

TEST(ClientSender, one_stanza_serves_all_who_share_a_key) {
  Sender bench;
  bench.away_is(keys::Policy::corporate);
  const keys::KeyPair ben = bench.make_corporate();
  bench.binds(bench.bob.addr, bench.own, &bench.shared);
  bench.binds("ben@away.example", ben, &bench.shared);
  ASSERT_EQ(bench.sent_to({bench.bob.addr, "ben@away.example", bench.carol.addr}), 1u);
  const wire::Value& args = bench.server.submissions.begin()->second;
  const auto stanzas = mail::parse_stanzas(*args.find("stanzas")).value();
  ASSERT_EQ(stanzas.size(), 3u) << "away's, carol's and the Sent copy's";
  const auto& rcpts = args.find("rcpts")->as_array();
  EXPECT_EQ(*rcpts[0].find("stanza"), *rcpts[1].find("stanza"));
  EXPECT_EQ(stanzas[0].to, bench.shared.record.id());
}

TEST(ClientSender, nothing_is_sealed_against_the_policy_in_force) {
  const auto sent = [](keys::Policy mode, const std::function<void(Sender&)>& bind) {
    Sender bench;
    bench.away_is(mode);
    bind(bench);
    return bench.sent_to({bench.bob.addr});
  };
  const auto isp = keys::Policy::isp, corporate = keys::Policy::corporate;
  EXPECT_EQ(sent(corporate, [](Sender& b) { b.binds(b.bob.addr, b.own, &b.shared); }), 1u);
  EXPECT_EQ(sent(isp, [](Sender& b) { b.binds(b.bob.addr, b.bob.pair, nullptr); }), 1u);
  EXPECT_EQ(sent(isp, [](Sender& b) { b.binds(b.bob.addr, b.own, &b.shared); }), 0u);
  EXPECT_EQ(sent(isp, [](Sender& b) { b.binds(b.bob.addr, b.own, nullptr); }), 0u)
      << "custody client over a company's key";
  EXPECT_EQ(sent(corporate, [](Sender& b) { b.binds(b.bob.addr, b.own, &b.own); }), 0u)
      << "a shared key of nobody's policy";
}

TEST(ClientSender, a_policy_that_came_without_notice_is_waited_for) {
  Sender bench;
  bench.away_is(keys::Policy::isp);
  ASSERT_EQ(bench.sent_to({bench.bob.addr}), 1u);
  // A record that says it was published long ago, and a binding to the shared key.
  bench.away_is(keys::Policy::corporate);
  bench.away.seq = 2;
  bench.away.policy.prior = keys::PolicyTerms{};
  bench.away.policy.published = start_ms - 3 * day_ms;
  bench.away.remake();
  bench.server.chains[bench.away.name] = bench.away.chain;
  bench.binds(bench.bob.addr, bench.own, &bench.shared);
  bench.run_for(2h);  // the binding that was kept is not taken for good any more
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(18h);
  EXPECT_EQ(bench.server.submissions.size(), 1u);
  EXPECT_EQ(bench.count<SubmitFailed>(), 0) << "it waits";
  bench.run_for(6h);
  EXPECT_EQ(bench.server.submissions.size(), 2u) << "a day after it was first seen";
}

}  // namespace
}  // namespace ams::client::testing
