// Goal: every op of a client's session answers what the spec says, and each refusal has its code.
// Method: one wrong thing at a time against an otherwise valid request.
#include <gtest/gtest.h>

#include "keys/lineage.h"
#include "server/tables.h"
#include "server/world_test.h"

namespace ams::server::testing {
namespace {

constexpr std::int64_t hour_ms = 3'600'000;

struct OpsTest : ::testing::Test {
  World world;
  Node& a = world.add("a.example");
  Node& b = world.add("b.example");
  Account alice{world, "alice@a.example"};
  Account anna{world, "anna@a.example"};
  Account bob{world, "bob@b.example"};
  void SetUp() override {
    alice.create();
    anna.create();
    bob.create();
  }
  Code submitted(Account& from, wire::Object args) {
    return code_of(from.device.call("mail.submit", std::move(args)));
  }
  wire::Object with(const Letter& letter, std::string_view name, wire::Value value) {
    wire::Object args = letter.args;
    args.insert_or_assign(std::string(name), std::move(value));
    return args;
  }
};

wire::Value lookup_args(std::string_view addr) { return wire::Object{{"addr", addr}}; }

// --- sessions and accounts
// ---------------------------------------------------------------------------

TEST_F(OpsTest, a_device_that_is_not_enrolled_may_only_enrol) {
  Device stranger(world, "alice@a.example", "stolen");
  stranger.connect("a.example");
  ASSERT_TRUE(stranger.open());
  for (const char* op : {"mail.sync", "mail.submit", "keys.lookup", "domain.get", "directory.head"})
    EXPECT_EQ(code_of(stranger.call(op, wire::Object{})), Code::auth_key) << op;
  EXPECT_EQ(code_of(stranger.put(Bytes(10, 1))), Code::auth_key);
}

TEST_F(OpsTest, a_token_enrols_one_device_of_its_address_once) {
  const wire::Value token = wire::Object{{"token", to_base64url(alice.token)}};
  EXPECT_TRUE(alice.device.call("account.enrol", token)) << "asked again after a lost answer";
  Device second(world, "alice@a.example", "second");
  second.connect("a.example");
  EXPECT_EQ(code_of(second.call("account.enrol", token)), Code::enrol_token) << "used";
  EXPECT_EQ(code_of(second.call("account.enrol", wire::Object{{"token", to_base64url(Hash{})}})),
            Code::enrol_token);
  Account carol(world, "carol@a.example");
  const NewAccount fresh{carol.addr, Id16{9}, carol.token, start_ms};
  ASSERT_TRUE(a.storage.apply(*account_rows(a.options, a.storage, fresh)));
  EXPECT_EQ(
      code_of(second.call("account.enrol", wire::Object{{"token", to_base64url(carol.token)}})),
      Code::enrol_token)
      << "of another address";
  world.advance(std::chrono::hours{24 * 31});
  carol.connect();
  EXPECT_EQ(code_of(carol.enrol()), Code::enrol_token) << "expired";
}

TEST_F(OpsTest, an_address_has_one_account) {
  const auto again = account_rows(a.options, a.storage, {"alice@a.example", Id16{1}, Hash{}, 0});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::address_taken);
  const auto foreign = account_rows(a.options, a.storage, {"alice@b.example", Id16{1}, Hash{}, 0});
  EXPECT_EQ(foreign.error().code, Code::not_local);
}

TEST_F(OpsTest, ops_have_their_roles_and_names) {
  EXPECT_EQ(code_of(alice.device.call("relay.deliver", wire::Object{})), Code::wrong_role);
  EXPECT_EQ(code_of(alice.device.call("relay.status", wire::Object{})), Code::wrong_role);
  EXPECT_EQ(code_of(alice.device.call("mail.read", wire::Object{})), Code::unsupported);
  EXPECT_EQ(code_of(alice.device.call("mail.sync", wire::Object{{"seed", "x"}})),
            Code::private_key_refused);
}

TEST_F(OpsTest, connections_beyond_the_limit_are_closed) {
  a.options.connections_max = 2;
  a.crash();
  a.start();
  world.run();
  Device one(world, "alice@a.example", "1"), two(world, "alice@a.example", "2"),
      three(world, "alice@a.example", "3");
  one.connect("a.example");
  two.connect("a.example");
  three.connect("a.example");
  EXPECT_TRUE(one.open());
  EXPECT_TRUE(two.open());
  EXPECT_FALSE(three.open());
}

TEST_F(OpsTest, a_server_going_down_takes_no_new_requests) {
  a.hold_commits = true;
  const Letter letter = write_letter(alice, {&anna}, "late");
  const std::int64_t put = alice.device.session->put_blob(
      letter.sealed.header.find("body") ? crypto::sha256(letter.sealed.body) : Hash{},
      letter.sealed.body);
  alice.device.pump();
  world.run();
  a.server->shut_down(world.now);
  a.drain();
  world.run();
  ASSERT_TRUE(alice.device.open()) << "it still owes an answer";
  EXPECT_EQ(code_of(alice.device.call("mail.sync", wire::Object{{"since", 0}})),
            Code::shutting_down);
  a.hold_commits = false;
  a.settle_commits();
  a.drain();
  world.run();
  EXPECT_TRUE(alice.device.answers.at(put));
  EXPECT_FALSE(alice.device.open());
  EXPECT_FALSE(anna.device.open());
}

// --- keys
// --------------------------------------------------------------------------------------------

TEST_F(OpsTest, associate_judges_record_custody_and_version) {
  EXPECT_EQ(code_of(alice.associate(1)), Code::version_conflict);
  EXPECT_EQ(code_of(alice.associate(3)), Code::version_conflict);
  const auto args = [](const wire::Value& record, std::int64_t version) {
    return wire::Object{{"record", record}, {"version", version}};
  };
  const keys::KeyPair corporate = make_key("corporate", keys::Custody::corporate);
  EXPECT_EQ(code_of(alice.device.call("keys.associate", args(corporate.record.value(), 2))),
            Code::key_origin);
  wire::Value forged = alice.pair.record.value();
  forged.as_object().insert_or_assign("nonce", to_base64url(Id16{}));
  EXPECT_EQ(code_of(alice.device.call("keys.associate", args(forged, 2))), Code::signature);
  const keys::KeyPair next = make_key("alice 2");
  const auto answer = alice.device.call("keys.associate", args(next.record.value(), 2));
  ASSERT_TRUE(answer);
  const auto binding = keys::parse_binding(*answer->find("binding")).value();
  EXPECT_EQ(binding.version, 2);
  EXPECT_EQ(binding.key, next.record.id());
}

TEST_F(OpsTest, lookup_gives_binding_and_key_of_both_domains) {
  for (const Account* account : {&anna, &bob}) {
    const auto found = alice.device.call("keys.lookup", lookup_args(account->addr));
    ASSERT_TRUE(found) << code_info(found.error().code).name;
    Node& home = world.node(account->domain);
    const auto chain =
        keys::verify_chain(home.options.chain, account->domain, home.root.record.id()).value();
    const auto binding = keys::verify_binding(*found->find("binding"), chain);
    ASSERT_TRUE(binding);
    EXPECT_EQ(binding->addr, account->addr);
    EXPECT_TRUE(keys::KeyRecord::parse_as(*found->find("key"), binding->key));
  }
}

TEST_F(OpsTest, lookup_refuses_what_is_not_there) {
  EXPECT_EQ(code_of(alice.device.call("keys.lookup", lookup_args("nobody@a.example"))),
            Code::no_such_address);
  EXPECT_EQ(code_of(alice.device.call("keys.lookup", lookup_args("nobody@b.example"))),
            Code::no_such_address);
  EXPECT_EQ(code_of(alice.device.call("keys.lookup", lookup_args("x@nowhere.example"))),
            Code::peer_unreachable);
  EXPECT_EQ(code_of(alice.device.call("keys.lookup", lookup_args("no address"))),
            Code::address_syntax);
  Account carol(world, "carol@a.example");
  ASSERT_TRUE(
      a.storage.apply(*account_rows(a.options, a.storage, {carol.addr, Id16{9}, carol.token, 0})));
  EXPECT_EQ(code_of(alice.device.call("keys.lookup", lookup_args(carol.addr))), Code::not_found)
      << "no key yet";
}

TEST_F(OpsTest, a_revoked_key_is_given_to_nobody_and_signs_nothing) {
  const Letter letter = write_letter(alice, {&bob}, "signed by a key that is ended");
  ASSERT_TRUE(put_blobs(alice, letter));
  const wire::Value revocation = keys::make_revocation(alice.pair).value();
  const auto published =
      alice.device.call("directory.publish", wire::Object{{"records", wire::Array{revocation}}});
  ASSERT_TRUE(published);
  ASSERT_FALSE(published->find("results")->as_array().at(0).find("code"));
  EXPECT_EQ(code_of(anna.device.call("keys.lookup", lookup_args(alice.addr))), Code::key_revoked);
  EXPECT_EQ(code_of(bob.device.call("keys.lookup", lookup_args(alice.addr))), Code::key_revoked);
  EXPECT_EQ(code_of(submit(alice, letter)), Code::key_revoked);
  EXPECT_EQ(code_of(alice.associate(2)), Code::key_revoked) << "the same key again";
  EXPECT_TRUE(alice.device.call("keys.lookup", lookup_args(alice.addr))) << "its owner's own";
  const keys::KeyPair next = make_key("alice after the end");
  EXPECT_TRUE(alice.device.call("keys.associate",
                                wire::Object{{"record", next.record.value()}, {"version", 2}}));
  const auto found = anna.device.call("keys.lookup", lookup_args(alice.addr));
  ASSERT_TRUE(found);
  EXPECT_EQ(keys::parse_binding(*found->find("binding"))->key, next.record.id());
}

TEST_F(OpsTest, the_association_is_kept_encrypted) {
  std::size_t rows = 0;
  const Bytes addr = to_bytes(as_bytes("alice@a.example"));
  ASSERT_TRUE(a.storage.scan(table_binding, {}, {}, [&](ByteView key, ByteView value) {
    ++rows;
    EXPECT_EQ(key.size(), 32u);
    EXPECT_EQ(value.size(), 8u + 12u + 512u + 16u);
    EXPECT_EQ(std::search(value.begin(), value.end(), addr.begin(), addr.end()), value.end());
    return true;
  }));
  EXPECT_EQ(rows, 2u);
}

TEST_F(OpsTest, domain_get_brings_the_chain) {
  for (Node* node : {&a, &b}) {
    const auto answer = alice.device.call("domain.get", wire::Object{{"domain", node->domain}});
    ASSERT_TRUE(answer);
    EXPECT_TRUE(keys::verify_chain(*answer->find("chain"), node->domain, node->root.record.id()));
  }
  const auto nowhere = alice.device.call("domain.get", wire::Object{{"domain", "nowhere.example"}});
  EXPECT_EQ(code_of(nowhere), Code::peer_unreachable);
  EXPECT_EQ(code_of(alice.device.call("domain.get", wire::Object{{"domain", "x"}})),
            Code::address_syntax);
}

TEST_F(OpsTest, the_directory_holds_what_was_associated) {
  const auto found = alice.device.call(
      "directory.get", wire::Object{{"kid", to_uuid_text(anna.pair.record.id().kid)}});
  ASSERT_TRUE(found);
  EXPECT_EQ(*found->find("record"), anna.pair.record.value());
  const auto head = alice.device.call("directory.head", wire::Object{});
  ASSERT_TRUE(head);
  EXPECT_EQ(head->find("count")->as_integer(), 2);
  EXPECT_TRUE(alice.device.call("directory.range", wire::Object{{"prefix", ""}}));
  const keys::KeyPair extra = make_key("extra");
  EXPECT_TRUE(alice.device.call("directory.publish",
                                wire::Object{{"records", wire::Array{extra.record.value()}}}));
}

// --- submission
// --------------------------------------------------------------------------------------

TEST_F(OpsTest, submit_refuses_each_fault_with_its_code) {
  const Letter letter = write_letter(alice, {&anna}, "faults");
  EXPECT_EQ(submitted(alice, letter.args), Code::missing_blob);
  ASSERT_TRUE(put_blobs(alice, letter));
  EXPECT_EQ(submitted(anna, letter.args), Code::auth_key) << "another account's key";
  EXPECT_EQ(submitted(alice, with(letter, "asig", to_base64url(Bytes(64, 1)))), Code::signature);
  EXPECT_EQ(submitted(alice, with(letter, "head", to_base64url(Bytes(100, 1)))), Code::blob_hash);
  EXPECT_EQ(submitted(alice, with(letter, "rcpts", wire::Array{})), Code::schema);
  const auto to = [](std::string_view addr, int stanza) {
    return wire::Value(wire::Object{{"addr", addr}, {"stanza", stanza}});
  };
  EXPECT_EQ(submitted(alice, with(letter, "rcpts", wire::Array{to("anna@a.example", 2)})),
            Code::schema);
  EXPECT_EQ(submitted(alice, with(letter, "rcpts", wire::Array{to("Anna@a.example", 0)})),
            Code::address_syntax);
  const wire::Value twice = wire::Array{to("anna@a.example", 0), to("anna@a.example", 0)};
  EXPECT_EQ(submitted(alice, with(letter, "rcpts", twice)), Code::schema);
  EXPECT_EQ(submitted(alice, with(letter, "rcpts", wire::Array(101, to("anna@a.example", 0)))),
            Code::too_many_stanzas);
  EXPECT_EQ(submitted(alice, with(letter, "sent", 0)), Code::schema)
      << "not the sender's own stanza";
  EXPECT_EQ(submitted(alice, with(letter, "more", 0)), Code::unknown_member);
  EXPECT_EQ(folder(anna, "inbox").size(), 0u);
  EXPECT_TRUE(alice.device.call("mail.submit", with(letter, "x_more", 0)));
}

TEST_F(OpsTest, submit_judges_times) {
  const Letter old =
      write_letter(alice, {&anna}, "old", {.life_ms = hour_ms, .ts_offset_ms = -2 * hour_ms});
  EXPECT_EQ(code_of(submit(alice, old)), Code::expired);
  const Letter early = write_letter(alice, {&anna}, "early", {.ts_offset_ms = hour_ms});
  EXPECT_EQ(code_of(submit(alice, early)), Code::not_yet_valid);
  const Letter skewed = write_letter(alice, {&anna}, "skewed", {.ts_offset_ms = 9 * 60'000});
  EXPECT_TRUE(submit(alice, skewed)) << "inside the tolerance";
}

TEST_F(OpsTest, submit_refuses_another_domains_header) {
  Letter letter = write_letter(alice, {&anna}, "sdom");
  wire::Value env = letter.sealed.header;
  env.as_object().insert_or_assign("sdom", "b.example");
  ASSERT_TRUE(put_blobs(alice, letter));
  wire::Object args = with(letter, "env", env);
  args.insert_or_assign("asig", to_base64url(*mail::sign_header(env, alice.pair.signing)));
  EXPECT_EQ(submitted(alice, args), Code::domain_mismatch);
}

TEST_F(OpsTest, a_second_submission_is_answered_but_not_delivered_again) {
  const Letter letter = write_letter(alice, {&anna, &bob}, "twice");
  ASSERT_TRUE(submit(alice, letter));
  const auto again = submit(alice, letter);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->find("ehash")->as_string(), to_base64url(letter.ehash));
  EXPECT_EQ(folder(anna, "inbox").size(), 1u);
  EXPECT_EQ(folder(bob, "inbox").size(), 1u);
  EXPECT_EQ(a.server->stats().submitted, 1u);
}

TEST_F(OpsTest, a_full_queue_refuses_and_keeps_nothing) {
  a.options.queue_max = 1;
  a.crash();
  a.start();
  b.reachable = false;
  alice.connect();
  const Letter first = write_letter(alice, {&bob}, "1"), second = write_letter(alice, {&bob}, "2");
  ASSERT_TRUE(submit(alice, first));
  EXPECT_EQ(code_of(submit(alice, second)), Code::queue_full);
  EXPECT_EQ(a.server->stats().queue_depth, 1u);
}

TEST_F(OpsTest, blobs_go_to_parties_only) {
  const Letter letter = write_letter(alice, {&bob}, "party");
  ASSERT_TRUE(submit(alice, letter));
  const Hash body = crypto::sha256(letter.sealed.body);
  EXPECT_TRUE(alice.device.get(body)) << "who put it";
  EXPECT_TRUE(bob.device.get(body)) << "who received it";
  const auto stranger = anna.device.get(body);
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error().code, Code::not_found);
}

// --- mailbox
// -----------------------------------------------------------------------------------------

TEST_F(OpsTest, sync_is_exact_over_flags_and_deletion) {
  for (int i = 0; i < 70; ++i)
    ASSERT_TRUE(submit(alice, write_letter(alice, {&anna}, "m" + std::to_string(i))));
  const auto first = anna.device.call("mail.sync", wire::Object{{"since", 0}});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->find("changes")->as_array().size(), 64u);
  EXPECT_TRUE(first->find("more")->as_bool());
  std::map<std::int64_t, wire::Value> replica;
  const auto apply = [&](const std::vector<wire::Value>& changes) {
    for (const wire::Value& change : changes) {
      const std::int64_t uid = change.find("uid")->as_integer();
      if (change.find("gone")) {
        replica.erase(uid);
        continue;
      }
      wire::Value& held = replica[uid];
      const wire::Value* message = change.find("message");
      const wire::Value kept = message ? *message : *held.find("message");
      held = change;
      held.as_object().insert_or_assign("message", kept);
    }
  };
  apply(sync_all(anna));
  ASSERT_TRUE(anna.device.call("mail.flag",
                               wire::Object{{"uid", 3}, {"flags", wire::Array{"read", "star"}}}));
  ASSERT_TRUE(anna.device.call("mail.delete", wire::Object{{"uid", 5}}));
  ASSERT_TRUE(submit(alice, write_letter(alice, {&anna}, "new")));
  apply(sync_all(anna, 70));
  const auto incremental = replica;
  replica.clear();
  apply(sync_all(anna));
  EXPECT_EQ(incremental, replica);
  EXPECT_EQ(replica.size(), 70u);
  EXPECT_EQ(code_of(anna.device.call("mail.sync", wire::Object{{"since", 74}})), Code::sync_token);
}

TEST_F(OpsTest, flags_and_deletion_judge_their_args) {
  ASSERT_TRUE(submit(alice, write_letter(alice, {&anna}, "one")));
  const auto flag = [&](std::int64_t uid, wire::Array flags) {
    return anna.device.call("mail.flag", wire::Object{{"uid", uid}, {"flags", std::move(flags)}});
  };
  EXPECT_EQ(code_of(flag(1, {"b", "a"})), Code::schema);
  EXPECT_EQ(code_of(flag(1, {"a", "a"})), Code::schema);
  EXPECT_EQ(code_of(flag(1, {1})), Code::schema);
  EXPECT_EQ(code_of(flag(2, {"a"})), Code::not_found);
  ASSERT_TRUE(anna.device.call("mail.delete", wire::Object{{"uid", 1}}));
  EXPECT_EQ(code_of(flag(1, {"a"})), Code::not_found);
  EXPECT_EQ(code_of(anna.device.call("mail.delete", wire::Object{{"uid", 1}})), Code::not_found);
}

TEST_F(OpsTest, deletion_gives_back_the_blobs_of_the_last_party) {
  const Letter letter = write_letter(alice, {&bob}, "gone");
  ASSERT_TRUE(submit(alice, letter));
  const Hash body = crypto::sha256(letter.sealed.body);
  EXPECT_TRUE(*b.storage.get(table_blob, body));
  ASSERT_TRUE(bob.device.call("mail.delete", wire::Object{{"uid", 1}}));
  EXPECT_FALSE(*b.storage.get(table_blob, body));
  EXPECT_TRUE(*a.storage.get(table_blob, body)) << "put, until the sweep";
  world.advance(std::chrono::hours{25});
  EXPECT_FALSE(*a.storage.get(table_blob, body));
}

TEST_F(OpsTest, changes_are_pushed_to_the_other_sessions) {
  Account second(world, "anna@a.example", "phone");
  ASSERT_TRUE(
      a.storage.apply({{{table_device,
                         key_of({as_bytes(second.addr), key_zero, second.device.key.public_raw()}),
                         {}}},
                       {}}));
  second.connect();
  ASSERT_TRUE(submit(alice, write_letter(alice, {&anna}, "push")));
  ASSERT_EQ(anna.device.events.size(), 1u);
  EXPECT_EQ(anna.device.events[0].event, "mail.changed");
  EXPECT_EQ(anna.device.events[0].data.find("state")->as_integer(), 1);
  ASSERT_EQ(second.device.events.size(), 1u);
  ASSERT_TRUE(
      anna.device.call("mail.flag", wire::Object{{"uid", 1}, {"flags", wire::Array{"read"}}}));
  EXPECT_EQ(anna.device.events.size(), 1u) << "its own change";
  EXPECT_EQ(second.device.events.size(), 2u);
}

}  // namespace
}  // namespace ams::server::testing
