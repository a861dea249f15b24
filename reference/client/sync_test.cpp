// Receiving against a scripted server: told once, verified, or shown as unreadable.
#include "client/test_bench.h"

namespace ams::client::testing {
namespace {

std::string text_of(const Received& received) { return received.letter.parts.at(0).text; }

TEST(ClientSync, pages_until_all_is_told_once) {
  Bench bench;
  bench.enrol();
  bench.server.page = 3;
  for (int i = 0; i < 10; ++i) bench.deliver(bench.bob, "letter " + std::to_string(i));
  bench.tell_and_settle();
  ASSERT_EQ(bench.count<Received>(), 10);
  EXPECT_EQ(bench.last<SyncDone>()->state, 10);
  EXPECT_EQ(text_of(*bench.last<Received>()), "letter 9");
  bench.crash();
  bench.run_for(1min);
  EXPECT_EQ(bench.count<Received>(), 10) << "a restart tells nothing again";
  EXPECT_EQ(bench.server.calls["directory.get"], 1);
}

TEST(ClientSync, attachments_are_fetched_and_opened) {
  Bench bench;
  bench.enrol();
  const Bytes data(100'000, 42);
  bench.deliver(
      bench.bob, "see attached",
      {{"a.bin", "application/octet-stream", data}, {"b.txt", "text/plain", to_bytes("small")}});
  bench.tell_and_settle();
  ASSERT_EQ(bench.count<Received>(), 1);
  const Received& got = *bench.last<Received>();
  ASSERT_EQ(got.attachments.size(), 2u);
  EXPECT_EQ(got.attachments[0], data);
  EXPECT_EQ(got.attachments[1], to_bytes("small"));
  EXPECT_EQ(got.folder, "inbox");
}

TEST(ClientSync, what_does_not_verify_is_unreadable_and_the_rest_comes) {
  Bench bench;
  bench.enrol();
  const mail::Sealed good = bench.sealed_by(bench.bob, "x");
  const auto spoilt = [&](const std::function<void(wire::Object&)>& spoil) {
    wire::Value message = bench.server.as_message(good, 0, "mail");
    spoil(message.as_object());
    bench.server.add_message(std::move(message));
  };
  spoilt([](wire::Object& m) { m["asig"] = to_base64url(Bytes(64, 1)); });
  spoilt([](wire::Object& m) { m.erase("env"); });
  spoilt([&](wire::Object& m) { m["stanza"].as_object()["wk"] = to_base64url(Bytes(48, 1)); });
  bench.deliver(bench.bob, "good");
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Unreadable>(), 3);
  ASSERT_EQ(bench.count<Received>(), 1);
  EXPECT_EQ(text_of(*bench.last<Received>()), "good");
  std::set<Code> codes;
  for (const Report& report : bench.reports)
    if (const auto* bad = std::get_if<Unreadable>(&report)) codes.insert(bad->why.code);
  EXPECT_EQ(codes, (std::set<Code>{Code::signature, Code::schema, Code::unwrap}));
}

TEST(ClientSync, a_sender_record_of_another_key_is_refused) {
  Bench bench;
  bench.enrol();
  bench.server.records[to_uuid_text(bench.bob.pair.record.id().kid)] =
      bench.carol.pair.record.value();
  bench.deliver(bench.bob, "x");
  bench.tell_and_settle();
  ASSERT_EQ(bench.count<Unreadable>(), 1);
  EXPECT_EQ(bench.last<Unreadable>()->why.code, Code::kid_mismatch);
}

TEST(ClientSync, a_blob_that_is_not_its_hash_is_refused) {
  Bench bench;
  bench.enrol();
  const mail::Sealed sealed = bench.sealed_by(bench.bob, "x");
  bench.server.add_message(bench.server.as_message(sealed, 0, "mail"));
  bench.server.blobs[crypto::sha256(sealed.body)].back() ^= 1;
  bench.tell_and_settle();
  ASSERT_EQ(bench.count<Unreadable>(), 1);
  EXPECT_EQ(bench.last<Unreadable>()->why.code, Code::blob_hash);
}

TEST(ClientSync, what_the_network_withholds_is_asked_again) {
  for (const std::string op : {"directory.get", "blob.get", "domain.get", "mail.sync"}) {
    Bench bench;
    bench.enrol();
    bench.server.cut_before = op;
    bench.deliver(bench.bob, "late");
    bench.tell_and_settle();
    bench.run_for(10s);
    EXPECT_EQ(bench.count<Received>(), 1) << op;
    EXPECT_EQ(bench.count<Unreadable>(), 0) << op;
  }
}

TEST(ClientSync, a_record_still_in_gossip_is_waited_for_a_day) {
  Bench bench;
  bench.enrol();
  bench.server.records.clear();
  bench.deliver(bench.bob, "soon");
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Unreadable>(), 0);
  bench.server.publish(bench.bob.pair.record);
  bench.run_for(10s);
  EXPECT_EQ(bench.count<Received>(), 1);
  bench.server.records.clear();
  const Person eve = Person::make(bench.away, "eve", bench.drbg);
  bench.deliver(eve, "never");
  bench.tell_and_settle();
  bench.run_for(25h);
  ASSERT_EQ(bench.count<Unreadable>(), 1);
  EXPECT_EQ(bench.last<Unreadable>()->why.code, Code::not_found);
}

TEST(ClientSync, notices_of_our_own_domain_only) {
  Bench bench;
  bench.enrol();
  mail::Notice notice;
  notice.addr = bench.bob.addr;
  notice.failed = true;
  notice.code = Code::expired;
  notice.ts = start_ms;
  notice.dkid = bench.home.op.record.id().kid;
  const auto add = [&](const crypto::SigningKey& op) {
    const wire::Value value = mail::make_notice(notice, op).value();
    bench.server.add_message(wire::Object{{"kind", "notice"}, {"notice", value}}, "notices");
  };
  add(bench.home.op.signing);
  add(bench.away.op.signing);
  bench.tell_and_settle();
  ASSERT_EQ(bench.count<NoticeReceived>(), 1);
  EXPECT_EQ(bench.last<NoticeReceived>()->notice.addr, bench.bob.addr);
  ASSERT_EQ(bench.count<Unreadable>(), 1);
  EXPECT_EQ(bench.last<Unreadable>()->why.code, Code::signature);
}

TEST(ClientSync, changes_of_what_is_known_are_not_told_again) {
  Bench bench;
  bench.enrol();
  bench.deliver(bench.bob, "one");
  bench.tell_and_settle();
  bench.server.add_change({{"uid", 1}, {"folder", "archive"}, {"flags", wire::Array{"seen"}}});
  bench.server.add_change({{"uid", 7}, {"folder", "inbox"}, {"flags", wire::Array{}}});
  bench.tell_and_settle();
  bench.server.add_change({{"uid", 1}, {"gone", true}});
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 1);
  EXPECT_EQ(bench.last<SyncDone>()->state, 4);
  EXPECT_FALSE(bench.disk.get(table_mailbox, key_of(std::uint64_t{1})).value());
}

TEST(ClientSync, a_younger_mailbox_is_fetched_anew_and_what_is_held_not_told) {
  Bench bench;
  bench.enrol();
  bench.deliver(bench.bob, "one");
  bench.deliver(bench.bob, "two");
  bench.tell_and_settle();
  bench.server.changes.pop_back();
  bench.client->sync(bench.now);
  bench.settle();
  EXPECT_EQ(bench.count<Received>(), 2);
  EXPECT_EQ(bench.last<SyncDone>()->state, 1);
}

TEST(ClientSync, a_server_that_turns_in_circles_is_told) {
  Bench bench;
  bench.enrol();
  bench.server.hooks["mail.sync"] = [](const wire::Value& args) -> FakeServer::Answer {
    return wire::Value(
        wire::Object{{"state", *args.find("since")}, {"more", true}, {"changes", wire::Array{}}});
  };
  bench.client->sync(bench.now);
  bench.run_for(1h);
  EXPECT_EQ(bench.last<CommandFailed>()->what, "sync");
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::schema);
  EXPECT_LT(bench.server.calls["mail.sync"], 5);
}

TEST(ClientSync, nothing_is_told_before_it_is_durable) {
  Bench bench;
  bench.enrol();
  bench.deliver(bench.bob, "one");
  bench.disk.faults().fail_next_commit = true;
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 0);
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::storage);
  bench.run_for(10s);
  EXPECT_EQ(bench.count<Received>(), 1);
}

}  // namespace
}  // namespace ams::client::testing
