// Goal: the audit log holds every call, and any tampering with it shows. Method: calls of each
// outcome, then one change of the rows at a time, also by someone who has the store's key.
#include "keystore/audit.h"

#include <gtest/gtest.h>

#include "keystore/test_bench.h"

namespace ams::keystore {
namespace {

using bench::alice;
using bench::Bench;

struct AuditTest : ::testing::Test {
  Bench b;
  Vault vault{b.store_key, b.disk};
  crypto::Drbg random{Bytes(32, 1)};

  void SetUp() override {
    b.grant(b.member(alice));
    for (int i = 0; i < 5; ++i) (void)b.ask(b.request(alice, ListArgs{}));
  }
  std::vector<wire::Value> log() { return *b.store->audit().entries(0, 1000); }
  static Bytes row(std::int64_t n) {
    Bytes out;
    append_u64(out, static_cast<std::uint64_t>(n));
    return out;
  }
  void put(std::int64_t n, const wire::Value& entry) {
    storage::WriteBatch writes;
    vault.put_value(writes, table_audit, row(n), entry, random);
    b.write(writes);
  }
  Code verdict(const std::optional<AuditHead>& remembered = {}) {
    const auto out = b.store->audit().verify(remembered);
    return out ? Code{} : out.error().code;
  }
};

TEST_F(AuditTest, every_call_is_in_it_with_its_outcome) {
  const auto key = b.create({});
  const auto capability = b.capability(alice, key.id().kid, Purpose::decap);
  const auto before = log().size();
  EXPECT_TRUE(b.decap(alice, key, capability, bench::Stanza(key).enc).has_value());
  EXPECT_FALSE(b.decap(alice, key, {}, bench::Stanza(key).enc).has_value());
  EXPECT_FALSE(b.decap(alice, key, capability, Bytes(31)).has_value());
  EXPECT_FALSE(b.ask(b.request(alice, RevokeArgs{alice})).has_value());
  const auto entries = log();
  ASSERT_EQ(entries.size(), before + 4);
  const std::vector<std::string> expected{"ok", "capability", "unwrap", "not_member"};
  for (std::size_t i = 0; i < 4; ++i) {
    const wire::Value& entry = entries[before + i];
    EXPECT_EQ(entry.find("outcome")->as_string(), expected[i]);
    EXPECT_EQ(entry.find("addr")->as_string(), alice);
    EXPECT_EQ(entry.find("n")->as_integer(), static_cast<std::int64_t>(before + i));
    if (i < 3) {
      EXPECT_EQ(entry.find("kid")->as_string(), to_uuid_text(key.id().kid));
    }
  }
  EXPECT_EQ(verdict(), Code{});
}

TEST_F(AuditTest, a_change_a_gap_and_a_cut_show) {
  const auto entries = log();
  ASSERT_EQ(verdict(), Code{});
  for (std::int64_t n = 0; n < static_cast<std::int64_t>(entries.size()); ++n) {
    wire::Value changed = entries[static_cast<std::size_t>(n)];
    changed.as_object().insert_or_assign("addr", "mallory@corp.example");
    put(n, changed);
    EXPECT_EQ(verdict(), Code::audit_chain) << n;
    put(n, entries[static_cast<std::size_t>(n)]);
    ASSERT_EQ(verdict(), Code{});
    b.write({{}, {{table_audit, row(n)}}});
    EXPECT_EQ(verdict(), Code::audit_chain) << n;
    put(n, entries[static_cast<std::size_t>(n)]);
  }
}

TEST_F(AuditTest, a_log_made_anew_does_not_lead_through_a_head_seen_before) {
  const AuditHead seen = *b.store->audit().head();
  (void)b.ask(b.request(alice, ListArgs{}));
  EXPECT_EQ(verdict(seen), Code{});
  // Someone with the store's key makes a consistent log without the last two entries.
  auto entries = log();
  entries.resize(entries.size() - 2);
  const AuditHead head = *follow_chain({}, entries);
  storage::WriteBatch writes;
  for (const std::int64_t n : {head.size, head.size + 1})
    writes.erases.push_back({table_audit, row(n)});
  vault.put_value(writes, table_head, to_bytes("head"),
                  wire::Object{{"size", head.size}, {"hash", to_base64url(head.hash)}}, random);
  b.write(writes);
  EXPECT_EQ(verdict(), Code{});
  EXPECT_EQ(verdict(seen), Code::audit_chain);
}

TEST_F(AuditTest, rows_of_another_key_do_not_open) {
  const Bytes sealed = **b.disk.get(table_audit, row(1));
  Bytes changed = sealed;
  changed.back() ^= 1;
  b.write({{{table_audit, row(1), changed}}, {}});
  EXPECT_EQ(verdict(), Code::keystore_sealed);
  b.write({{{table_audit, row(2), sealed}}, {}});
  b.write({{{table_audit, row(1), sealed}}, {}});
  EXPECT_EQ(verdict(), Code::keystore_sealed);
}

TEST_F(AuditTest, an_administrator_reads_it_in_pages) {
  Member admin = b.member("carol@corp.example");
  admin.admin = true;
  b.grant(admin);
  AuditHead at;
  const AuditHead end = *b.store->audit().head();
  while (at.size < end.size) {
    const auto ok = b.ask(b.request("carol@corp.example", AuditArgs{3, at.size}));
    ASSERT_TRUE(ok.has_value());
    const auto& page = std::get<AuditPage>(*ok);
    ASSERT_LE(page.entries.size(), 3u);
    EXPECT_GE(page.size, end.size);
    const auto next = follow_chain(at, page.entries);
    ASSERT_TRUE(next.has_value());
    at = *next;
    if (at.size == end.size) {
      EXPECT_EQ(at.hash, end.hash);
      break;
    }
  }
  EXPECT_FALSE(follow_chain({1, {}}, log()).has_value());
}

}  // namespace
}  // namespace ams::keystore
