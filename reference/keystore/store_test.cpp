// Goal: a key is used by whom the access list in force allows, for what it is for, and every use is
// in the log. Method: a store on a disk in memory; one broken rule at a time, with the code that
// the spec gives it; beside each refusal the same request unbroken.
#include "keystore/store.h"

#include <gtest/gtest.h>

#include "crypto/external.h"
#include "keystore/test_bench.h"

namespace ams::keystore {
namespace {

using bench::alice;
using bench::Bench;
using bench::bob;
using bench::carol;
using bench::day_ms;
using bench::start_ms;

#define EXPECT_CODE(result, expected)                                            \
  do {                                                                           \
    const auto& each = (result);                                                 \
    ASSERT_FALSE(each.has_value());                                              \
    EXPECT_EQ(code_info(each.error().code).name, code_info(Code::expected).name) \
        << each.error().where;                                                   \
  } while (false)

struct StoreTest : ::testing::Test {
  Bench b;
  std::optional<keys::KeyRecord> shared, sales, own;

  void SetUp() override {
    b.grant(b.member(alice, {"sales"}));
    b.grant(b.member(bob));
    Member admin = b.member(carol);
    admin.admin = true;
    b.grant(admin);
    shared = b.create({}, true);
    sales = b.create({{}, "sales"});
    own = b.create({alice, {}});
  }
  std::optional<Capability> cap(const std::string& addr, const keys::KeyRecord& key,
                                Purpose purpose = Purpose::decap) {
    return b.capability(addr, key.id().kid, purpose);
  }
  std::vector<wire::Value> log() { return *b.store->audit().entries(0, 1000); }
  std::string last_outcome() { return log().back().find("outcome")->as_string(); }
};

TEST_F(StoreTest, members_open_with_the_shared_key_and_it_never_leaves) {
  const bench::Stanza stanza(*shared);
  for (const std::string& addr : {alice, bob}) {
    const auto ok = b.decap(addr, *shared, cap(addr, *shared), stanza.enc);
    ASSERT_TRUE(ok.has_value()) << ok.error().where;
    const auto content_key = crypto::hpke_open_shared(crypto::Kem::x25519, crypto::Aead::a256gcm,
                                                      std::get<Shared>(*ok).shared.view(),
                                                      stanza.info(shared->id()), stanza.wk);
    ASSERT_TRUE(content_key.has_value());
    EXPECT_EQ(to_bytes(content_key->view()), stanza.content_key);
  }
}

TEST_F(StoreTest, an_address_signs_with_its_own_key) {
  const auto ok = b.ask(b.request(alice, SignArgs{own->id().kid, bench::header_text()},
                                  cap(alice, *own, Purpose::sign)),
                        &*own);
  ASSERT_TRUE(ok.has_value()) << ok.error().where;
  EXPECT_TRUE(own->signing().verify(bench::header_text(), std::get<Signed>(*ok).sig).has_value());
}

TEST_F(StoreTest, nobody_signs_with_a_shared_key) {
  EXPECT_FALSE(cap(alice, *shared, Purpose::sign).has_value());
  // Even with a capability that the store itself would have to have made.
  Capability forged{alice,
                    b.request(alice, ListArgs{}).device,
                    shared->id().kid,
                    {},
                    Purpose::sign,
                    start_ms + day_ms,
                    {}};
  forged.mac = capability_mac(Vault(b.store_key, b.disk).capability_key(), forged);
  EXPECT_CODE(b.ask(b.request(alice, SignArgs{shared->id().kid, bench::header_text()}, forged)),
              key_purpose);
}

TEST_F(StoreTest, only_texts_that_an_account_signs_are_signed) {
  const auto capability = cap(alice, *own, Purpose::sign);
  const auto sign = [&](Bytes text) {
    return b.ask(b.request(alice, SignArgs{own->id().kid, std::move(text)}, capability), &*own);
  };
  EXPECT_TRUE(sign(bench::header_text("seal/1")).has_value());
  for (const char* tag : {"key/1", "domain/1", "bind/1", "ks-req/1", "env/2", ""})
    EXPECT_CODE(sign(bench::header_text(tag)), sign_form);
  Bytes longer = bench::header_text();
  longer.push_back(0);
  EXPECT_CODE(sign(longer), sign_form);
  Bytes shorter = bench::header_text();
  shorter.pop_back();
  EXPECT_CODE(sign(shorter), sign_form);
  EXPECT_CODE(sign(to_bytes("I owe you 100")), sign_form);
}

TEST_F(StoreTest, each_flaw_of_a_capability_has_its_code) {
  const bench::Stanza stanza(*shared);
  const Capability good = *cap(alice, *shared);
  const auto with = [&](const std::optional<Capability>& capability) {
    return b.decap(alice, *shared, capability, stanza.enc);
  };
  ASSERT_TRUE(with(good).has_value());
  EXPECT_CODE(with(std::nullopt), capability);
  EXPECT_CODE(with(cap(bob, *shared)), capability);
  EXPECT_CODE(with(cap(alice, *sales)), capability);
  EXPECT_CODE(with(cap(alice, *shared, Purpose::export_key)), capability);
  Capability changed = good;
  changed.exp += 1;
  EXPECT_CODE(with(changed), capability);
  changed = good;
  changed.mac[31] ^= 1;
  EXPECT_CODE(with(changed), capability);
  changed = good;
  changed.purpose = Purpose::sign;
  EXPECT_CODE(with(changed), capability);
  b.now = from_unix_ms(good.exp - 1);
  EXPECT_TRUE(with(good).has_value());
  b.now = from_unix_ms(good.exp);
  EXPECT_CODE(with(good), capability_expired);
}

TEST_F(StoreTest, a_member_who_leaves_loses_access_at_once) {
  const bench::Stanza stanza(*sales);
  const auto capability = cap(alice, *sales);
  ASSERT_TRUE(b.decap(alice, *sales, capability, stanza.enc).has_value());
  const auto revoked = b.ask(b.request(carol, RevokeArgs{alice}));
  ASSERT_TRUE(revoked.has_value());
  std::vector<Id16> kids{shared->id().kid, sales->id().kid};
  EXPECT_EQ(std::get<Revoked>(*revoked).kids, kids);
  EXPECT_CODE(b.decap(alice, *sales, capability, stanza.enc), not_member);
  EXPECT_CODE(b.ask(b.request(alice, ListArgs{})), not_member);
  // And comes back when granted again.
  b.grant(b.member(alice, {"sales"}));
  EXPECT_TRUE(b.decap(alice, *sales, capability, stanza.enc).has_value());
}

TEST_F(StoreTest, the_access_list_in_force_decides_not_the_capability) {
  const bench::Stanza stanza(*sales);
  const auto capability = cap(alice, *sales);
  b.grant(b.member(alice, {"support"}));
  EXPECT_CODE(b.decap(alice, *sales, capability, stanza.enc), not_member);
  Member narrow = b.member(alice, {"sales"});
  narrow.purposes = {Purpose::sign};
  b.grant(narrow);
  EXPECT_CODE(b.decap(alice, *sales, capability, stanza.enc), not_member);
  Member brief = b.member(alice, {"sales"});
  brief.exp = start_ms + 1;
  b.grant(brief);
  EXPECT_TRUE(b.decap(alice, *sales, capability, stanza.enc).has_value());
  b.now = from_unix_ms(start_ms + 1);
  EXPECT_CODE(b.decap(alice, *sales, capability, stanza.enc), not_member);
}

TEST_F(StoreTest, keys_of_others_are_neither_listed_nor_used) {
  const auto listed = b.ask(b.request(bob, ListArgs{}));
  ASSERT_TRUE(listed.has_value());
  const auto& keys = std::get<Listed>(*listed).keys;
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].record, shared->value());
  Capability forged{bob,
                    b.request(bob, ListArgs{}).device,
                    sales->id().kid,
                    "sales",
                    Purpose::decap,
                    start_ms + day_ms,
                    {}};
  forged.mac = capability_mac(Vault(b.store_key, b.disk).capability_key(), forged);
  EXPECT_CODE(b.decap(bob, *sales, forged, bench::Stanza(*sales).enc), not_member);
  forged.kid = own->id().kid;
  forged.purpose = Purpose::sign;
  forged.mac = capability_mac(Vault(b.store_key, b.disk).capability_key(), forged);
  EXPECT_CODE(b.ask(b.request(bob, SignArgs{own->id().kid, bench::header_text()}, forged)),
              not_member);
}

TEST_F(StoreTest, strangers_are_told_alike_and_never_logged) {
  const auto before = log().size();
  EXPECT_CODE(b.ask(b.request("eve@corp.example", ListArgs{})), member_signature);
  Request other_device = b.request(alice, ListArgs{});
  other_device.device = b.request("eve@corp.example", ListArgs{}).device;
  EXPECT_CODE(
      judge_answer(other_device, b.tell(*sign_request(other_device, b.device("eve@corp.example"))),
                   nullptr),
      member_signature);
  const Request good = b.request(alice, ListArgs{});
  auto value = *wire::decode(b.bytes_of(good));
  value.as_object().insert_or_assign("ts", good.ts + 1);
  EXPECT_CODE(judge_answer(good, b.tell(wire::encode(value)), nullptr), member_signature);
  EXPECT_EQ(log().size(), before);
  EXPECT_EQ(b.store->strangers(), 3u);
}

TEST_F(StoreTest, requests_are_fresh) {
  Request request = b.request(alice, ListArgs{});
  for (const auto& [shift, fine] :
       {std::pair{-clock_skew_ms_max, true}, std::pair{clock_skew_ms_max, true}}) {
    request.ts = to_unix_ms(b.now) + shift;
    EXPECT_EQ(b.ask(request).has_value(), fine);
  }
  request.ts = to_unix_ms(b.now) - clock_skew_ms_max - 1;
  EXPECT_CODE(b.ask(request), expired);
  request.ts = to_unix_ms(b.now) + clock_skew_ms_max + 1;
  EXPECT_CODE(b.ask(request), not_yet_valid);
}

TEST_F(StoreTest, a_change_asked_twice_is_made_once) {
  const Bytes rotate =
      b.bytes_of(b.request(carol, RotateArgs{start_ms + 200 * day_ms, shared->id().kid, start_ms}));
  const Bytes first = b.tell(rotate);
  EXPECT_EQ(b.tell(rotate), first);
  b.start();  // the answer outlives the process
  EXPECT_EQ(b.tell(rotate), first);
  const auto listed = b.ask(b.request(bob, ListArgs{}));
  EXPECT_EQ(std::get<Listed>(*listed).keys.size(), 2u);
  // Kept answers go when their requests are too old to be asked again.
  b.now += std::chrono::milliseconds(2 * clock_skew_ms_max + 1000);
  EXPECT_TRUE(b.ask(b.request(carol, RevokeArgs{bob})).has_value());
  std::size_t kept = 0;
  ASSERT_TRUE(b.disk.scan(table_done, {}, {}, [&](ByteView, ByteView) { return ++kept < 99; }));
  EXPECT_EQ(kept, 1u);
}

TEST_F(StoreTest, rotation_keeps_the_old_key_for_reading_alone) {
  const bench::Stanza stanza(*own);
  const auto decap = cap(alice, *own);
  const auto sign = cap(alice, *own, Purpose::sign);
  const auto made =
      b.ask(b.request(carol, RotateArgs{start_ms + 200 * day_ms, own->id().kid, start_ms}));
  ASSERT_TRUE(made.has_value());
  const auto successor = keys::KeyRecord::parse(std::get<Made>(*made).record);
  ASSERT_TRUE(successor.has_value());
  EXPECT_EQ(successor->custody(), keys::Custody::corporate);
  EXPECT_TRUE(b.decap(alice, *own, decap, stanza.enc).has_value());
  EXPECT_CODE(b.ask(b.request(alice, SignArgs{own->id().kid, bench::header_text()}, sign)),
              key_rotated);
  EXPECT_TRUE(b.ask(b.request(alice, SignArgs{successor->id().kid, bench::header_text()},
                              cap(alice, *successor, Purpose::sign)),
                    &*successor)
                  .has_value());
  EXPECT_CODE(b.ask(b.request(carol, RotateArgs{start_ms + 200 * day_ms, own->id().kid, start_ms})),
              key_rotated);
}

TEST_F(StoreTest, signing_keeps_to_the_life_of_the_key) {
  const auto capability = cap(alice, *own, Purpose::sign);
  b.now = from_unix_ms(own->exp());
  b.grant(b.member(alice));
  const auto fresh = b.capability(alice, own->id().kid, Purpose::sign);
  EXPECT_CODE(b.ask(b.request(alice, SignArgs{own->id().kid, bench::header_text()}, fresh)),
              key_expired);
  EXPECT_TRUE(b.decap(alice, *own, cap(alice, *own), bench::Stanza(*own).enc).has_value());
}

TEST_F(StoreTest, rewrap_moves_content_keys_to_the_successor_and_nowhere_else) {
  const bench::Stanza stanza(*sales);
  const auto made =
      b.ask(b.request(carol, RotateArgs{start_ms + 200 * day_ms, sales->id().kid, start_ms}));
  const auto successor = keys::KeyRecord::parse(std::get<Made>(*made).record);
  RewrapArgs args{{{crypto::Aead::a256gcm, stanza.enc, stanza.h0, stanza.wk},
                   {crypto::Aead::a256gcm, stanza.enc, Hash{}, stanza.wk}},
                  sales->id().kid,
                  successor->id().kid};
  for (const std::string& who : {carol, alice}) {
    const auto capability = who == carol ? std::nullopt : cap(alice, *sales);
    const auto ok = b.ask(b.request(who, args, capability));
    ASSERT_TRUE(ok.has_value()) << who << ok.error().where;
    const auto& items = std::get<Rewrapped>(*ok).items;
    EXPECT_EQ(std::get<std::string>(items[1]), "unwrap");
    const auto& moved = std::get<Rewrapped::Stanza>(items[0]);
    const auto shared_secret = b.decap(alice, *successor, cap(alice, *successor), moved.enc);
    ASSERT_TRUE(shared_secret.has_value());
    const auto opened = crypto::hpke_open_shared(crypto::Kem::x25519, crypto::Aead::a256gcm,
                                                 std::get<Shared>(*shared_secret).shared.view(),
                                                 stanza.info(successor->id()), moved.wk);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(to_bytes(opened->view()), stanza.content_key);
  }
  EXPECT_CODE(b.ask(b.request(bob, args)), capability);
  args.to = shared->id().kid;
  EXPECT_CODE(b.ask(b.request(carol, args)), key_purpose);
  args.to = sales->id().kid;
  EXPECT_CODE(b.ask(b.request(carol, args)), key_rotated);
}

TEST_F(StoreTest, exports_are_for_the_device_and_where_the_key_allows) {
  const auto request =
      b.request(alice, ExportArgs{shared->id().kid}, cap(alice, *shared, Purpose::export_key));
  const auto ok = b.ask(request);
  ASSERT_TRUE(ok.has_value()) << ok.error().where;
  const auto& exported = std::get<Exported>(*ok);
  const auto key = open_export(exported, *shared, b.device(alice));
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->public_raw(), shared->encryption().raw());
  EXPECT_CODE(open_export(exported, *shared, b.device(bob)), unwrap);
  EXPECT_CODE(open_export(exported, *sales, b.device(alice)), unwrap);

  EXPECT_FALSE(cap(alice, *sales, Purpose::export_key).has_value());
  Capability forged{
      alice, request.device, sales->id().kid, "sales", Purpose::export_key, start_ms + day_ms, {}};
  forged.mac = capability_mac(Vault(b.store_key, b.disk).capability_key(), forged);
  EXPECT_CODE(b.ask(b.request(alice, ExportArgs{sales->id().kid}, forged)), not_exportable);
  Member plain = b.member(alice, {"sales"});
  plain.devices[0].ek.reset();
  b.grant(plain);
  EXPECT_CODE(b.ask(b.request(alice, ExportArgs{shared->id().kid}, request.capability)),
              not_exportable);
}

TEST_F(StoreTest, administration_is_for_administrators) {
  const std::vector<Args> all{
      CreateArgs{{{}, "new"}, start_ms + day_ms, false, start_ms, Profile::modern},
      RotateArgs{start_ms + day_ms, shared->id().kid, start_ms}, AuditArgs{1, 0},
      GrantArgs{b.member("dave@corp.example")}, RevokeArgs{bob}};
  for (const Args& args : all) EXPECT_CODE(b.ask(b.request(alice, args)), not_member);
  for (const Args& args : all) EXPECT_TRUE(b.ask(b.request(carol, args)).has_value());
}

TEST_F(StoreTest, administration_refuses_what_does_not_fit) {
  const auto create = [&](Scope scope, std::int64_t exp) {
    return b.ask(
        b.request(carol, CreateArgs{std::move(scope), exp, false, start_ms, Profile::modern}));
  };
  EXPECT_CODE(create({}, start_ms + day_ms), version_conflict);
  EXPECT_CODE(create({"x@other.example", {}}, start_ms + day_ms), not_local);
  EXPECT_CODE(create({{}, "new"}, start_ms), schema);
  EXPECT_CODE(create({{}, "new"}, start_ms + 399 * day_ms), schema);
  EXPECT_CODE(b.ask(b.request(carol, GrantArgs{b.member("x@other.example")})), not_local);
  Member late = b.member("dave@corp.example");
  late.exp = start_ms;
  EXPECT_CODE(b.ask(b.request(carol, GrantArgs{late})), expired);
  EXPECT_CODE(b.ask(b.request(carol, RevokeArgs{"nobody@corp.example"})), not_found);
  EXPECT_CODE(b.ask(b.request(carol, RotateArgs{start_ms + day_ms, Id16{}, start_ms})), not_found);
}

TEST_F(StoreTest, the_operator_manages_keys_and_uses_none) {
  EXPECT_CODE(b.act(DecapArgs{bench::Stanza(*shared).enc, shared->id().kid}), not_member);
  EXPECT_CODE(b.act(SignArgs{own->id().kid, bench::header_text()}), not_member);
  EXPECT_CODE(b.act(ExportArgs{shared->id().kid}), not_member);
  EXPECT_EQ(last_outcome(), "not_member");  // what is refused is logged as well
  EXPECT_TRUE(b.act(RevokeArgs{bob}).has_value());
  EXPECT_EQ(log().back().find("addr")->as_string(), "operator");
}

TEST_F(StoreTest, limits) {
  b.options.keys_max = 3;
  b.options.members_max = 3;
  b.options.calls_per_minute_max = 5;
  b.start();
  EXPECT_CODE(b.act(CreateArgs{{{}, "new"}, start_ms + day_ms, false, start_ms, Profile::modern}),
              keystore_full);
  EXPECT_CODE(b.act(GrantArgs{b.member("dave@corp.example")}), keystore_full);
  EXPECT_TRUE(b.act(GrantArgs{b.member(bob)}).has_value());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(b.ask(b.request(bob, ListArgs{})).has_value());
  const auto entries = log().size();
  EXPECT_CODE(b.ask(b.request(bob, ListArgs{})), rate);
  EXPECT_EQ(log().size(), entries);
  EXPECT_TRUE(b.ask(b.request(alice, ListArgs{})).has_value());
  b.now += std::chrono::minutes(1);
  EXPECT_TRUE(b.ask(b.request(bob, ListArgs{})).has_value());
  EXPECT_EQ(b.tell(Bytes(message_size_max + 1, '{')), encode_error({}, Code::object_too_large));
}

TEST_F(StoreTest, long_lists_come_in_pages) {
  for (int i = 0; i < 30; ++i) b.create({"u" + std::to_string(i) + "@corp.example", {}});
  std::size_t seen = 0;
  ListArgs args;
  for (int page = 0; page < 5; ++page) {
    const auto listed = b.ask(b.request(carol, args));
    ASSERT_TRUE(listed.has_value());
    const auto& got = std::get<Listed>(*listed);
    seen += got.keys.size();
    if (!got.more) break;
    ASSERT_EQ(got.keys.size(), list_max);
    args.after = keys::KeyRecord::parse(got.keys.back().record)->id().kid;
  }
  EXPECT_EQ(seen, 33u);
}

TEST_F(StoreTest, rsa_keys_open_and_sign_too) {
  const auto key = b.create({bob, {}}, true, Profile::rsa2048);
  const bench::Stanza stanza(key);
  const auto ok = b.decap(bob, key, cap(bob, key), stanza.enc);
  ASSERT_TRUE(ok.has_value());
  const auto opened = crypto::hpke_open_shared(crypto::Kem::rsa2048kem, crypto::Aead::a256gcm,
                                               std::get<Shared>(*ok).shared.view(),
                                               stanza.info(key.id()), stanza.wk);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(b.ask(b.request(bob, SignArgs{key.id().kid, bench::header_text()},
                              cap(bob, key, Purpose::sign)),
                    &key)
                  .has_value());
  const auto exported =
      b.ask(b.request(bob, ExportArgs{key.id().kid}, cap(bob, key, Purpose::export_key)));
  ASSERT_TRUE(exported.has_value());
  EXPECT_TRUE(open_export(std::get<Exported>(*exported), key, b.device(bob)).has_value());
}

TEST_F(StoreTest, a_store_opens_with_its_key_and_domain_alone) {
  EXPECT_TRUE(b.store->check().has_value());
  EXPECT_CODE(b.store->init(b.now, b.entropy()), version_conflict);
  b.store_key[0] ^= 1;
  b.start();
  EXPECT_CODE(b.store->check(), keystore_sealed);
  b.store_key[0] ^= 1;
  b.options.domain = "other.example";
  b.start();
  EXPECT_CODE(b.store->check(), domain_mismatch);
  store::MemoryStorage empty;
  const Store none(b.options, b.store_key, empty, b.ring);
  EXPECT_CODE(none.check(), not_found);
}

TEST_F(StoreTest, rows_show_nothing_and_do_not_move) {
  const crypto::Secret handle =
      *Vault(b.store_key, b.disk).get(table_private, shared->id().kid).value();
  const auto secret = handle.view().subspan(4, 32);
  for (const storage::Table table : {table_meta, table_members, table_keys, table_private,
                                     table_current, table_done, table_audit, table_head}) {
    ASSERT_TRUE(b.disk.scan(table, {}, {}, [&](ByteView key, ByteView value) {
      for (const ByteView part : {key, value}) {
        const auto text = as_text(part);
        EXPECT_EQ(text.find("alice"), std::string_view::npos);
        EXPECT_EQ(text.find(as_text(secret)), std::string_view::npos);
      }
      return true;
    }));
  }
  // bob's row put in alice's place: a capability of sales is not bob's to take over.
  const auto bobs = *b.disk.get(table_private, own->id().kid);
  b.write({{{table_private, to_bytes(ByteView(shared->id().kid)), **&bobs}}, {}});
  EXPECT_CODE(b.decap(alice, *shared, cap(alice, *shared), bench::Stanza(*shared).enc),
              keystore_sealed);
}

TEST_F(StoreTest, a_full_disk_undoes_the_request) {
  const Bytes rotate =
      b.bytes_of(b.request(carol, RotateArgs{start_ms + 200 * day_ms, shared->id().kid, start_ms}));
  const Outcome outcome = b.store->handle(rotate, b.now, b.entropy());
  ASSERT_TRUE(b.disk.apply(outcome.writes).has_value());
  b.disk.faults().fail_next_commit = true;
  ASSERT_FALSE(b.disk.commit().has_value());
  EXPECT_EQ(std::get<Listed>(*b.ask(b.request(bob, ListArgs{}))).keys.size(), 1u);
  EXPECT_TRUE(judge_answer(*parse_request(*wire::decode(rotate)), b.tell(rotate), nullptr));
  EXPECT_TRUE(b.store->audit().verify({}).has_value());
}

}  // namespace
}  // namespace ams::keystore
