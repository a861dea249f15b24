// Goal: an owner who checks finds every version of her address, or finds that the log was rewritten
// (BLG-16 to BLG-18); what a lying server can be shown to have done is shown (BLG-19 to BLG-24).
// Method: honest logs and logs that lie in each way that the spec names, judged from both ends.
#include "bindlog/history.h"

#include <gtest/gtest.h>

#include "bindlog/proof.h"
#include "bindlog/test_world.h"
#include "bindlog/witness.h"

namespace ams::bindlog {
namespace {

using testing::alice_addr;
using testing::make_log;
using testing::now_ms;
using testing::now_s;
using testing::Owner;

struct Watched {
  Prover log = make_log();
  Owner alice{alice_addr};
  Seen seen;
  Watched() {
    alice.rotate(log);
    log.seal(now_s);
  }
  std::span<const Entry> since(std::int64_t version) const {
    return std::span(alice.entries).subspan(static_cast<std::size_t>(version) - 1);
  }
  History history(std::int64_t from = 1) const { return log.history(since(from), true, seen.size); }
  Result<Checked> judge(const History& history) const {
    return verify_history(to_value(history), alice_addr, log.identity(), seen);
  }
};

Code code_of(const Result<Checked>& result) { return result ? Code::bom : result.error().code; }

TEST(History, shows_all_versions_since_the_last_check) {
  Watched world;
  auto first = world.judge(world.history());
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->complete);
  EXPECT_EQ(first->entries.size(), 1u);
  world.seen = first->seen;
  for (int i = 0; i < 4; ++i) {
    world.alice.rotate(world.log);
    world.log.seal(now_s);
  }
  const auto second = world.judge(world.history());
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->entries.size(), 5u);
  EXPECT_EQ(second->seen.version, 5);
  EXPECT_EQ(second->entries, world.alice.entries);
  EXPECT_EQ(to_value(*parse_history(to_value(world.history()))), to_value(world.history()));
}

TEST(History, comes_in_pages) {
  Watched world;
  for (int i = 0; i < 3; ++i) world.alice.rotate(world.log);
  world.log.seal(now_s);
  const auto page = world.judge(world.log.history(world.since(1).first(2), false, 0));
  ASSERT_TRUE(page.has_value());
  EXPECT_FALSE(page->complete);
  world.seen = page->seen;
  const auto rest = world.judge(world.history(2));
  ASSERT_TRUE(rest.has_value());
  EXPECT_TRUE(rest->complete);
  EXPECT_EQ(rest->seen.version, 4);
}

TEST(History, each_fault_has_its_code) {
  Watched world;
  world.seen = world.judge(world.history())->seen;
  for (int i = 0; i < 2; ++i) world.alice.rotate(world.log);
  world.log.seal(now_s);
  const History good = world.history();
  ASSERT_TRUE(world.judge(good).has_value());
  History bad = good;
  bad.items.erase(bad.items.begin());
  EXPECT_EQ(code_of(world.judge(bad)), Code::history_gap);
  bad = good;
  bad.items.erase(bad.items.begin() + 1);
  EXPECT_EQ(code_of(world.judge(bad)), Code::history_gap);
  bad = good;
  bad.items[1].entry.at += 1;  // its value is not the prev of what follows
  EXPECT_EQ(code_of(world.judge(bad)), Code::history_gap);
  bad = good;
  bad.items[0].r[0] ^= 1;
  EXPECT_EQ(code_of(world.judge(bad)), Code::log_rewritten);
  bad = good;
  bad.items.back().r[0] ^= 1;
  EXPECT_EQ(code_of(world.judge(bad)), Code::proof);
  bad = good;
  bad.above.pop_back();
  EXPECT_EQ(code_of(world.judge(bad)), Code::proof_form);
  bad = good;
  std::swap(bad.above[0], bad.above[1]);
  EXPECT_EQ(code_of(world.judge(bad)), Code::vrf_proof);
  bad = good;
  bad.consistency.clear();
  EXPECT_EQ(code_of(world.judge(bad)), Code::proof);
  bad = good;
  bad.addr = "eve@home.example";
  EXPECT_EQ(code_of(world.judge(bad)), Code::binding_addr);
}

// The attack: the server puts a version far above the owner's into its map, shows it to a sender,
// and answers the owner as if there was none. Whatever number it picks, and whichever leaves it
// leaves out, not both can be convinced by one map.
TEST(History, no_hidden_version_convinces_a_sender) {
  Prover honest = make_log();
  Owner alice(alice_addr);
  for (int i = 0; i < 5; ++i) alice.rotate(honest);
  std::vector<Leaf> own;
  for (const Entry& entry : alice.entries)
    own.push_back({honest.label(alice_addr, entry.version), honest.value(entry)});
  for (const std::int64_t evil : {6, 7, 8, 11, 13, 96}) {
    Entry entry = alice.entries.back();
    entry.version = evil;
    const auto path = steps(evil);
    for (std::size_t kept = 0; kept < std::size_t{1} << (path.size() - 1); ++kept) {
      std::vector<Leaf> leaves = own;
      leaves.push_back({honest.label(alice_addr, evil), honest.value(entry)});
      for (std::size_t i = 0; i + 1 < path.size(); ++i)
        if ((kept >> i & 1) != 0 && path[i] > 5)
          leaves.push_back({honest.label(alice_addr, path[i]), Hash{1}});
      const Prover liar = testing::make_liar(std::move(leaves));
      const bool sender =
          verify_proof(to_value(liar.prove(entry)), alice_addr, liar.identity()).has_value();
      const auto owner = verify_history(to_value(liar.history(alice.entries, true, 0)), alice_addr,
                                        liar.identity(), Seen{});
      EXPECT_FALSE(sender && owner.has_value()) << evil << " " << kept;
      if (kept + 1 == std::size_t{1} << (path.size() - 1)) {
        EXPECT_TRUE(sender);
        EXPECT_EQ(code_of(owner), Code::proof);
      }
    }
  }
}

TEST(History, a_log_that_lost_an_epoch_is_found_out) {
  Watched world;
  world.alice.rotate(world.log);
  world.log.seal(now_s);
  world.seen = world.judge(world.history())->seen;
  Prover forked = make_log();
  Owner other(alice_addr);
  other.rotate(forked);
  forked.seal(now_s);
  other.rotate(forked, false);
  forked.seal(now_s);
  forked.seal(now_s + 1);
  const auto judged =
      verify_history(to_value(forked.history(std::span(other.entries).subspan(1), true, 2)),
                     alice_addr, world.log.identity(), world.seen);
  EXPECT_EQ(code_of(judged), Code::log_rewritten);  // the version that she saw is another
  Seen same_version = world.seen;
  same_version.value = forked.value(other.entries[1]);
  EXPECT_EQ(
      code_of(verify_history(to_value(forked.history(std::span(other.entries).subspan(1), true, 2)),
                             alice_addr, world.log.identity(), same_version)),
      Code::proof);  // nor is the log the one that she knew
}

// --- lies ----------------------------------------------------------------------------------------

/// What came of a file: lies are carried as bytes.
Result<> judged(const Lie& lie, const Identity& log, const keys::Chain* chain = nullptr) {
  const Bytes file = wire::encode(to_value(lie));
  auto parsed = parse_lie(*wire::decode(file));
  if (!parsed) return tl::unexpected<Error>(parsed.error());
  return verify_lie(*parsed, log, chain);
}

TEST(Lie, two_faces_are_a_fork) {
  Watched one;
  Prover two = make_log();
  two.seal(now_s);
  const std::string notes = *verifiable::make_equivocation(one.log.checkpoint(), two.checkpoint(),
                                                           one.log.identity().log);
  const Lie lie{testing::home, Fork{notes}};
  EXPECT_TRUE(judged(lie, one.log.identity()).has_value());
  const Lie elsewhere{"away.example", Fork{notes}};
  EXPECT_EQ(judged(elsewhere, one.log.identity()).error().code, Code::domain_mismatch);
}

TEST(Lie, a_version_that_vanished_is_a_rewrite) {
  Watched world;
  world.alice.rotate(world.log, false);  // the wrong key, shown to a sender
  world.log.seal(now_s);
  const Hash shown = world.log.value(world.alice.latest());
  const Id16 label = world.log.label(alice_addr, 2);
  const Sighting before = world.log.sight(alice_addr, 2, shown);
  Prover later = make_log();  // as if it had never been
  Owner alice(alice_addr);
  alice.rotate(later);
  for (int i = 0; i < 3; ++i) later.seal(now_s);
  const Sighting after = later.sight(alice_addr, 2, std::nullopt);
  const Lie lie = *make_rewrite(testing::home, label, before, after);
  EXPECT_TRUE(judged(lie, world.log.identity()).has_value());
  EXPECT_EQ(
      judged(Lie{testing::home, Rewrite{label, after, before}}, world.log.identity()).error().code,
      Code::schema);  // nothing was there before
  world.log.seal(now_s);
  EXPECT_EQ(
      judged(Lie{testing::home, Rewrite{label, world.log.sight(alice_addr, 2, shown), before}},
             world.log.identity())
          .error()
          .code,
      Code::no_lie);  // sizes shrink
  EXPECT_EQ(
      judged(Lie{testing::home, Rewrite{label, before, world.log.sight(alice_addr, 2, shown)}},
             world.log.identity())
          .error()
          .code,
      Code::no_lie);  // it is still there
}

struct Signed {
  keys::KeyPair root = testing::make_key("root"), op = testing::make_key("op");
  keys::Chain chain;
  Signed() : chain(make()) {}
  keys::Chain make() const {
    keys::DomainRecord record;
    record.domain = testing::home;
    record.root = root.record.id();
    record.op = op.record.id();
    const auto value = *keys::make_domain_record(record, root.signing);
    return *keys::verify_chain(keys::chain_value(value, root.record, op.record), testing::home,
                               root.record.id());
  }
  wire::Value bind(const keys::KeyId& key, std::int64_t version) const {
    keys::Binding binding;
    binding.addr = alice_addr;
    binding.key = key;
    binding.version = version;
    binding.dkid = op.record.id().kid;
    return *keys::make_binding(binding, op.signing);
  }
};

TEST(Lie, a_statement_against_the_log_is_a_contradiction) {
  Watched world;
  Signed domain;
  const wire::Value proof = to_value(world.log.prove(world.alice.latest()));
  const keys::KeyId wrong = testing::make_key("mallory").record.id();
  const auto code = [&](const keys::KeyId& key, std::int64_t version, bool chain = true) {
    const auto out = judged(Lie{testing::home, Contradiction{domain.bind(key, version), proof}},
                            world.log.identity(), chain ? &domain.chain : nullptr);
    return out ? Code::bom : out.error().code;
  };
  EXPECT_EQ(code(wrong, 1), Code::bom);  // it holds
  EXPECT_EQ(code(wrong, 2), Code::no_lie);
  EXPECT_EQ(code(world.alice.latest().key, 1), Code::no_lie);
  EXPECT_EQ(code(wrong, 1, false), Code::domain_record);
}

TEST(Lie, a_key_that_its_owner_disowns_is_a_denial) {
  Watched world;
  world.alice.rotate(world.log, false);
  world.log.seal(now_s);
  const Hash value = world.log.value(world.alice.latest());
  Denial denial{to_value(world.log.history(world.alice.entries, false, 0)),
                world.alice.pairs[0].record.value(),
                *make_denial(world.alice.latest(), value, world.alice.pairs[0].signing)};
  EXPECT_TRUE(judged(Lie{testing::home, denial}, world.log.identity()).has_value());
  Denial forged = denial;
  forged.deny = *make_denial(world.alice.latest(), value, world.alice.pairs[1].signing);
  EXPECT_EQ(judged(Lie{testing::home, forged}, world.log.identity()).error().code, Code::signature);
  forged = denial;
  forged.deny = *make_denial(world.alice.entries[0], value, world.alice.pairs[0].signing);
  EXPECT_EQ(judged(Lie{testing::home, forged}, world.log.identity()).error().code, Code::no_lie);
  Watched honest;
  honest.alice.rotate(honest.log);
  honest.log.seal(now_s);
  denial = {to_value(honest.log.history(honest.alice.entries, false, 0)),
            honest.alice.pairs[0].record.value(),
            *make_denial(honest.alice.latest(), honest.log.value(honest.alice.latest()),
                         honest.alice.pairs[0].signing)};
  EXPECT_EQ(judged(Lie{testing::home, denial}, honest.log.identity()).error().code, Code::no_lie);
}

// --- witnesses -----------------------------------------------------------------------------------

TEST(Witness, cosigns_only_what_adds) {
  Watched world;
  Witness witness(world.log.identity().log);
  const Instant now = from_unix_ms(now_ms);
  const auto judge = [&]() -> Result<> {
    AMS_TRY(const auto opened,
            verifiable::open_checkpoint(world.log.checkpoint(), world.log.identity().log));
    return witness.judge(opened.checkpoint);
  };
  const Leaf first{world.log.label(alice_addr, 1), world.log.value(world.alice.entries[0])};
  const Bytes epoch = world.log.prove(world.alice.latest()).head.epoch;
  EXPECT_EQ(witness.feed(epoch, {}, now).error().code, Code::proof);
  ASSERT_TRUE(witness.feed(epoch, std::span(&first, 1), now).has_value());
  ASSERT_TRUE(judge().has_value());
  EXPECT_EQ(witness.feed(epoch, std::span(&first, 1), now).error().code, Code::log_rewritten);
  const Bytes early = world.log.seal(now_s + 301).epoch;
  EXPECT_EQ(judge().error().code, Code::proof);
  EXPECT_EQ(witness.feed(early, {}, now).error().code, Code::binding_stale);
  EXPECT_TRUE(witness.feed(early, {}, from_unix_ms(now_ms + 60'000)).has_value());
  EXPECT_TRUE(judge().has_value());
  const verifiable::Epoch back{verifiable::decode_epoch(early)->map_root, 1, now_s};
  EXPECT_EQ(witness.feed(encode(back), {}, now).error().code, Code::binding_stale);
}

}  // namespace
}  // namespace ams::bindlog
