// Goal: a member of a group reads what was written to the group and nothing that was written to
// another; her stored mail moves to a rotated key's successor, opens there, and survives whatever
// breaks on the way. Method: the key store machine, and a scripted server that keeps stanzas.
#include "client/test_vault.h"

namespace ams::client::testing {
namespace {

struct Member : Corporate {
  keys::KeyRecord sales = vault.create({std::nullopt, "sales"}, now);
  int rewraps = 0;

  Member() {
    vault.act(keystore::GrantArgs{{alice,
                                   false,
                                   {keystore::device_of(device)},
                                   to_unix_ms(now) + 90 * day_ms,
                                   {"sales"},
                                   {keystore::Purpose::decap, keystore::Purpose::sign}}},
              now);
    server.hooks["mail.rewrap"] = [this](const wire::Value& args) { return rewrap(args); };
    enrol();
  }
  FakeServer::Answer rewrap(const wire::Value& args) {
    ++rewraps;
    wire::Array results;
    for (const wire::Value& item : args.find("items")->as_array()) {
      for (wire::Value& change : server.changes) {
        if (*change.find("uid") != *item.find("uid")) continue;
        wire::Object& message = change.as_object().at("message").as_object();
        message.erase("stanza");
        message.insert_or_assign("rewrapped", *item.find("stanza"));
      }
      results.push_back(wire::Object{});
    }
    const auto state = static_cast<std::int64_t>(server.changes.size());
    return Result<wire::Value>(wire::Object{{"results", std::move(results)}, {"state", state}});
  }
  keys::KeyRecord rotate(const keys::KeyRecord& key) {
    const std::int64_t ms = to_unix_ms(now);
    const auto made =
        vault.act(keystore::RotateArgs{ms + 100 * day_ms, key.id().kid, ms - day_ms}, now);
    return keys::KeyRecord::parse(std::get<keystore::Made>(made).record).value();
  }
  keys::KeyId sealed_to(std::size_t i) {
    const wire::Value& message = *server.changes.at(i).find("message");
    const wire::Value* fresh = message.find("rewrapped");
    return mail::parse_stanza(fresh ? *fresh : *message.find("stanza")).value().to;
  }
};

TEST(ClientGroup, reads_what_was_written_to_the_group) {
  Member bench;
  bench.write_to("sales@home.example", bench.sales);
  bench.tell_and_settle();
  ASSERT_EQ(bench.count<Received>(), 1);
  EXPECT_EQ(bench.last<Received>()->letter.deliver_to,
            std::vector<std::string>{"sales@home.example"});
}

TEST(ClientGroup, a_group_speaks_for_no_other_address) {
  Member bench;
  bench.write_to("staff@home.example", bench.sales);
  bench.write_to("sales@home.example", bench.shared);
  bench.write_to("sales@away.example", bench.sales);
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 0);
  ASSERT_EQ(bench.count<Unreadable>(), 3);
  EXPECT_EQ(bench.last<Unreadable>()->why.code, Code::deliver_to);
}

TEST(ClientRewrap, stored_mail_moves_to_the_keys_that_followed) {
  Member bench;
  for (int i = 0; i < 3; ++i) bench.write_to("sales@home.example", bench.sales);
  bench.deliver_to(bench.shared, "of the domain's key");
  bench.tell_and_settle();
  ASSERT_EQ(bench.count<Received>(), 4);
  const keys::KeyRecord after = bench.rotate(bench.sales);
  bench.client->rewrap(bench.now);
  bench.settle();
  ASSERT_EQ(bench.count<MailRewrapped>(), 1);
  EXPECT_EQ(bench.last<MailRewrapped>()->count, 3);
  EXPECT_EQ(bench.last<MailRewrapped>()->failed, 0);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(bench.sealed_to(i), after.id());
  EXPECT_EQ(bench.sealed_to(3), bench.shared.id()) << "what was not rotated stays";
  bench.client->rewrap(bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<MailRewrapped>()->count, 0) << "done is done";
  EXPECT_EQ(bench.rewraps, 1);
  bench.expect_private_keys_at_home();
}

TEST(ClientRewrap, what_is_rewrapped_opens_and_is_rewrapped_again) {
  Member bench;
  bench.write_to("sales@home.example", bench.sales);
  const keys::KeyRecord second = bench.rotate(bench.sales);
  bench.client->rewrap(bench.now);
  bench.settle();
  const keys::KeyRecord third = bench.rotate(second);
  bench.client->rewrap(bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<MailRewrapped>()->count, 1);
  EXPECT_EQ(bench.sealed_to(0), third.id());
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 1);
  EXPECT_EQ(bench.count<Unreadable>(), 0);
}

TEST(ClientRewrap, a_stanza_that_the_store_does_not_open_stays) {
  Member bench;
  bench.write_to("sales@home.example", bench.sales);
  bench.write_to("sales@home.example", bench.sales);
  auto& message = bench.server.changes.at(0).as_object().at("message").as_object();
  message.at("stanza").as_object().at("wk") = to_base64url(Bytes(48, 1));
  const keys::KeyRecord after = bench.rotate(bench.sales);
  bench.client->rewrap(bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<MailRewrapped>()->count, 1);
  EXPECT_EQ(bench.last<MailRewrapped>()->failed, 1);
  EXPECT_EQ(bench.sealed_to(0), bench.sales.id());
  EXPECT_EQ(bench.sealed_to(1), after.id());
}

TEST(ClientRewrap, a_cut_a_crash_and_a_store_that_is_down_only_mean_asking_again) {
  Member bench;
  bench.write_to("sales@home.example", bench.sales);
  const keys::KeyRecord after = bench.rotate(bench.sales);
  bench.up = false;
  bench.client->rewrap(bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::keystore_unreachable);
  bench.up = true;
  bench.server.cut_after = "mail.rewrap";
  bench.client->rewrap(bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<CommandFailed>()->what, "rewrap");
  bench.crash();
  bench.run_for(1min);
  bench.client->rewrap(bench.now);
  bench.run_for(1min);
  ASSERT_EQ(bench.count<MailRewrapped>(), 1);
  EXPECT_EQ(bench.sealed_to(0), after.id());
  bench.tell_and_settle();
  EXPECT_EQ(bench.count<Received>(), 1);
}

TEST(ClientRewrap, a_member_who_left_gets_nothing_rewrapped) {
  Member bench;
  bench.write_to("sales@home.example", bench.sales);
  bench.vault.act(keystore::RevokeArgs{bench.alice}, bench.now);
  bench.rotate(bench.sales);
  bench.client->rewrap(bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::not_member);
  EXPECT_EQ(bench.rewraps, 0);
}

}  // namespace
}  // namespace ams::client::testing
