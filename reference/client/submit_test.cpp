// Sending against a scripted server: every refusal, every lost answer.
#include "client/test_bench.h"

namespace ams::client::testing {
namespace {

TEST(ClientSubmit, a_message_goes_and_its_row_goes) {
  Bench bench;
  bench.enrol();
  mail::Draft draft = bench.draft({bench.bob.addr, bench.carol.addr});
  draft.attachments.push_back({"list.txt", "text/plain", Bytes(20'000, 7)});
  const auto digest = mail::content_digest(draft);
  const auto ticket = bench.client->submit(std::move(draft), bench.now);
  bench.settle();
  ASSERT_EQ(bench.count<Submitted>(), 1);
  EXPECT_EQ(bench.last<Submitted>()->ticket, ticket);
  ASSERT_EQ(bench.server.submissions.size(), 1u);
  EXPECT_EQ(bench.server.submissions.begin()->first, bench.last<Submitted>()->ehash);
  const wire::Value& args = bench.server.submissions.begin()->second;
  EXPECT_EQ(args.find("rcpts")->as_array().size(), 2u);
  EXPECT_EQ(args.find("sent")->as_integer(), 2);
  EXPECT_FALSE(bench.disk.get(table_outbox, key_of(ticket)).value());
  EXPECT_FALSE(bench.disk.get(table_sealed, key_of(ticket)).value());
  bench.tell_and_settle();  // the Sent copy comes back through the mailbox
  ASSERT_EQ(bench.count<Received>(), 1);
  const Received& copy = *bench.last<Received>();
  EXPECT_EQ(copy.folder, "sent");
  EXPECT_EQ(mail::content_digest(copy.letter, copy.attachments), digest);
}

TEST(ClientSubmit, a_bcc_recipient_gets_a_message_of_its_own) {
  Bench bench;
  bench.enrol();
  bench.client->submit(bench.draft({bench.bob.addr}, {bench.carol.addr}), bench.now);
  bench.settle();
  EXPECT_EQ(bench.count<Submitted>(), 1);
  ASSERT_EQ(bench.server.submissions.size(), 2u);
  std::set<std::string> seen;
  std::set<Id16> mids;
  for (const auto& [ehash, args] : bench.server.submissions) {
    const auto& rcpts = args.find("rcpts")->as_array();
    ASSERT_EQ(rcpts.size(), 1u);
    const std::string addr = rcpts[0].find("addr")->as_string();
    seen.insert(addr);
    EXPECT_EQ(args.find("sent") != nullptr, addr == bench.bob.addr);
    const Person& reader = addr == bench.bob.addr ? bench.bob : bench.carol;
    const keys::Chain chain = bench.home.verified();
    mail::OpenContext context;
    context.reader = addr;
    context.own_record = &reader.pair.record;
    context.own_key = &reader.pair.encryption;
    context.sender = &bench.client->account_key()->record;
    context.sender_domain = &chain;
    const auto header = mail::parse_header(*args.find("env")).value();
    const auto stanzas = mail::parse_stanzas(*args.find("stanzas")).value();
    const auto asig = *from_base64url(args.find("asig")->as_string());
    const auto opened = mail::open(*args.find("env"), asig, stanzas,
                                   bench.server.blobs.at(header.body.hash), context);
    ASSERT_TRUE(opened) << code_info(opened.error().code).name;
    EXPECT_EQ(opened->deliver_to, std::vector<std::string>{addr});
    mids.insert(opened->mid);
  }
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_EQ(mids.size(), 1u);
}

TEST(ClientSubmit, an_unknown_recipient_fails_the_whole_draft_by_name) {
  Bench bench;
  bench.enrol();
  const auto ticket =
      bench.client->submit(bench.draft({bench.bob.addr, "nobody@away.example"}), bench.now);
  bench.settle();
  ASSERT_EQ(bench.count<SubmitFailed>(), 1);
  EXPECT_EQ(bench.last<SubmitFailed>()->ticket, ticket);
  EXPECT_EQ(bench.last<SubmitFailed>()->addr, "nobody@away.example");
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::no_such_address);
  EXPECT_TRUE(bench.server.submissions.empty());
  EXPECT_EQ(bench.server.calls["blob.put"], 0);
  bench.crash();
  bench.run_for(1min);
  EXPECT_EQ(bench.count<SubmitFailed>(), 1) << "nothing of it is left";
}

TEST(ClientSubmit, bad_drafts_are_refused_at_once) {
  Bench bench;
  bench.enrol();
  const auto refused = [&](mail::Draft draft) {
    bench.client->submit(std::move(draft), bench.now);
    bench.settle();
    const auto* failed = bench.last<SubmitFailed>();
    return failed ? failed->why.code : Code{};
  };
  EXPECT_EQ(refused(bench.draft({"Bob@away.example"})), Code::address_syntax);
  EXPECT_EQ(refused(bench.draft({})), Code::address_syntax);
  mail::Draft forged = bench.draft({bench.bob.addr});
  forged.from = bench.carol.addr;
  EXPECT_EQ(refused(std::move(forged)), Code::from_binding);
  mail::Draft garbled = bench.draft({bench.bob.addr});
  garbled.subject = "\xff";
  EXPECT_EQ(refused(std::move(garbled)), Code::utf8);
  EXPECT_EQ(bench.server.calls["keys.lookup"], 0);
}

TEST(ClientSubmit, keys_that_do_not_verify_are_never_sealed_to) {
  const auto refused = [](const std::function<void(Bench&)>& spoil) {
    Bench bench;
    bench.enrol();
    spoil(bench);
    bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
    bench.settle();
    EXPECT_TRUE(bench.server.submissions.empty());
    EXPECT_EQ(bench.server.calls["blob.put"], 0);
    const auto* failed = bench.last<SubmitFailed>();
    return failed ? failed->why.code : Code{};
  };
  const auto answer = [](Bench& bench, const wire::Value& binding, const keys::KeyRecord& key) {
    bench.server.lookups[bench.bob.addr] = wire::Object{{"binding", binding}, {"key", key.value()}};
  };
  // The binding is signed by another domain's key: ours, whose server would like to read along.
  EXPECT_EQ(refused([&](Bench& b) {
              const auto forged = sign_binding(b.home, b.bob.addr, b.carol.pair.record.id());
              answer(b, forged, b.carol.pair.record);
            }),
            Code::kid_mismatch);
  // It claims the right op key, with a wrong signature.
  EXPECT_EQ(refused([&](Bench& b) {
              const keys::Binding claim{b.bob.addr, b.carol.pair.record.id(), 1,
                                        b.away.op.record.id().kid};
              answer(b, keys::make_binding(claim, b.home.op.signing).value(), b.carol.pair.record);
            }),
            Code::signature);
  // It is genuine, for somebody else.
  EXPECT_EQ(refused([&](Bench& b) {
              const Person eve = Person::make(b.away, "eve", b.drbg);
              answer(b, eve.binding, eve.pair.record);
            }),
            Code::from_binding);
  // The record is another key's than the binding's.
  EXPECT_EQ(refused([&](Bench& b) { answer(b, b.bob.binding, b.carol.pair.record); }),
            Code::kid_mismatch);
  // The chain is of another root than the discovered one.
  EXPECT_EQ(refused([&](Bench& b) {
              const Domain fake = Domain::make(b.away.name, b.drbg);
              b.server.chains[b.away.name] = fake.chain;
              const Person bob = Person::make(fake, "bob", b.drbg);
              answer(b, bob.binding, bob.pair.record);
            }),
            Code::domain_record);
  // The key has expired.
  EXPECT_EQ(refused([&](Bench& b) {
              const keys::KeyPair old = make_pair(b.drbg, start_ms - 1);
              answer(b, sign_binding(b.away, b.bob.addr, old.record.id()), old.record);
            }),
            Code::key_expired);
}

TEST(ClientSubmit, a_binding_older_than_the_one_held_is_refused) {
  Bench bench;
  bench.enrol();
  const keys::KeyPair newer = make_pair(bench.drbg);
  const wire::Value old = bench.server.lookups[bench.bob.addr];
  bench.server.lookups[bench.bob.addr] =
      wire::Object{{"binding", sign_binding(bench.away, bench.bob.addr, newer.record.id(), 2)},
                   {"key", newer.record.value()}};
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  EXPECT_EQ(bench.count<Submitted>(), 1);
  bench.server.lookups[bench.bob.addr] = old;
  bench.run_for(2h);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::version_conflict);
}

TEST(ClientSubmit, own_expired_key_seals_nothing) {
  Bench bench;
  bench.options.key_life_ms = 3'600'000;
  bench.crash();
  bench.enrol();
  bench.run_for(2h);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::key_expired);
}

TEST(ClientSubmit, a_verified_binding_serves_an_hour) {
  Bench bench;
  bench.enrol();
  for (int i = 0; i < 3; ++i) bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  bench.crash();
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  EXPECT_EQ(bench.count<Submitted>(), 4);
  EXPECT_EQ(bench.server.calls["keys.lookup"], 1);
  EXPECT_EQ(bench.server.calls["domain.get"], 1);
  const int asked = bench.server.calls["keys.lookup"];
  bench.run_for(61min);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  EXPECT_EQ(bench.server.calls["keys.lookup"], asked + 1);
}

TEST(ClientSubmit, a_domain_that_changed_its_op_key_is_asked_again) {
  Bench bench;
  bench.enrol();
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  Domain next = Domain::with(bench.away.name, std::move(bench.away.root), make_pair(bench.drbg), 2);
  bench.server.chains[next.name] = next.chain;
  bench.server.lookups["dan@away.example"] =
      wire::Object{{"binding", sign_binding(next, "dan@away.example", bench.bob.pair.record.id())},
                   {"key", bench.bob.pair.record.value()}};
  bench.client->submit(bench.draft({"dan@away.example"}), bench.now);
  bench.settle();
  EXPECT_EQ(bench.count<Submitted>(), 2);
  EXPECT_EQ(bench.server.calls["domain.get"], 2);
}

TEST(ClientSubmit, a_domain_record_of_lower_seq_replaces_nothing) {
  Bench bench;
  bench.enrol();
  const wire::Value old_chain = bench.away.chain;
  Domain next = Domain::with(bench.away.name, std::move(bench.away.root), make_pair(bench.drbg), 2);
  bench.server.chains[next.name] = next.chain;
  bench.server.lookups[bench.bob.addr] =
      wire::Object{{"binding", sign_binding(next, bench.bob.addr, bench.bob.pair.record.id())},
                   {"key", bench.bob.pair.record.value()}};
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  EXPECT_EQ(bench.count<Submitted>(), 1);
  bench.server.chains[next.name] = old_chain;
  bench.run_for(25h);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  ASSERT_EQ(bench.count<SubmitFailed>(), 1);
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::domain_record);
}

TEST(ClientSubmit, the_same_bytes_go_again_after_a_lost_answer) {
  for (const std::string op : {"blob.put", "mail.submit"}) {
    for (const bool before : {true, false}) {
      Bench bench;
      bench.enrol();
      (before ? bench.server.cut_before : bench.server.cut_after) = op;
      bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
      bench.run_for(10s);
      EXPECT_EQ(bench.count<Submitted>(), 1) << op;
      EXPECT_EQ(bench.server.submissions.size(), 1u) << op;
      EXPECT_EQ(bench.server.connections, 2) << op;
    }
  }
}

TEST(ClientSubmit, temporary_refusals_are_tried_again_until_its_life_is_over) {
  Bench bench;
  bench.enrol();
  int refusals = 3;
  bench.server.hooks["mail.submit"] = [&](const wire::Value&) -> FakeServer::Answer {
    if (refusals-- > 0) return fail(Code::queue_full, "fake");
    return std::nullopt;
  };
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(1min);
  EXPECT_EQ(bench.count<Submitted>(), 1);
  refusals = 1'000'000'000;
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(std::chrono::hours{24 * 5 + 1});
  ASSERT_EQ(bench.count<SubmitFailed>(), 1);
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::undetermined);
}

TEST(ClientSubmit, blobs_the_server_lost_are_put_again) {
  Bench bench;
  bench.enrol();
  bool lose = true;
  bench.server.hooks["mail.submit"] = [&](const wire::Value&) -> FakeServer::Answer {
    if (std::exchange(lose, false)) bench.server.blobs.clear();
    return std::nullopt;
  };
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  EXPECT_EQ(bench.count<Submitted>(), 1);
  EXPECT_EQ(bench.server.calls["blob.put"], 2);
}

TEST(ClientSubmit, a_permanent_refusal_is_told_and_forgotten) {
  Bench bench;
  bench.enrol();
  bench.server.hooks["mail.submit"] = [](const wire::Value&) -> FakeServer::Answer {
    return fail(Code::signature, "fake");
  };
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(1h);
  ASSERT_EQ(bench.count<SubmitFailed>(), 1);
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::signature);
  EXPECT_EQ(bench.server.calls["mail.submit"], 1);
}

TEST(ClientSubmit, a_draft_that_cannot_be_saved_is_not_sent) {
  Bench bench;
  bench.enrol();
  bench.disk.faults().fail_next_commit = true;
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::storage);
  EXPECT_TRUE(bench.server.submissions.empty());
}

TEST(ClientSubmit, a_domain_that_cannot_be_discovered_is_waited_for) {
  Bench bench;
  bench.enrol();
  bench.discovered[bench.away.name] = std::nullopt;
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10min);
  EXPECT_EQ(bench.count<Submitted>() + bench.count<SubmitFailed>(), 0);
  bench.discovered[bench.away.name] = bench.away.discovery();
  bench.run_for(6min);
  EXPECT_EQ(bench.count<Submitted>(), 1);
}

}  // namespace
}  // namespace ams::client::testing
