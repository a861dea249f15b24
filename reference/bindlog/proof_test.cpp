// Goal: a binding proof shows what the log holds, whoever asks and whatever stands beside it, and
// nothing else; every fault has its code in the spec's order (BLG-1 to BLG-14).
// Method: a log filled by hand or by rapidcheck, against an oracle of plain maps; faults one by
// one.
#include "bindlog/proof.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "bindlog/test_world.h"

namespace ams::bindlog {
namespace {

using testing::alice_addr;
using testing::make_log;
using testing::now_ms;
using testing::now_s;
using testing::Owner;

Code code_of(const Result<Proven>& result) { return result ? Code::bom : result.error().code; }

/// Alice at version 3, Eve at 1.
struct Filled {
  Prover log = make_log();
  Owner alice{alice_addr};
  Owner eve{"eve@home.example"};
  Filled() {
    alice.rotate(log);
    eve.rotate(log);
    log.seal(now_s - 7200);
    alice.rotate(log);
    log.seal(now_s - 3600);
    alice.rotate(log);
    log.seal(now_s);
  }
  Result<Proven> judge(const Proof& proof, std::string_view asked = alice_addr) const {
    return verify_proof(to_value(proof), asked, log.identity());
  }
};

TEST(Entry, is_written_as_it_is_read) {
  Filled world;
  Entry entry = world.alice.latest();
  entry.enc = keys::KeyId{{1}, {2}};
  entry.custody = keys::Custody::corporate;
  EXPECT_EQ(*parse_entry(to_value(entry)), entry);
  entry.enc.reset();
  entry.type = Type::group;
  entry.to = {"bob@away.example", "carol@home.example"};
  EXPECT_EQ(*parse_entry(to_value(entry)), entry);
}

TEST(Entry, types_have_the_targets_that_are_theirs) {
  Entry plain;
  plain.addr = alice_addr;
  const auto judged = [&](Type type, std::vector<std::string> to, bool enc = false) {
    Entry entry = plain;
    entry.type = type;
    entry.to = std::move(to);
    if (enc) entry.enc = keys::KeyId{};
    if (enc) entry.custody = keys::Custody::corporate;
    return parse_entry(to_value(entry)).has_value();
  };
  EXPECT_TRUE(judged(Type::key, {}));
  EXPECT_TRUE(judged(Type::key, {}, true));
  EXPECT_FALSE(judged(Type::key, {"eve@home.example"}));
  EXPECT_TRUE(judged(Type::alias, {"eve@home.example"}));
  EXPECT_FALSE(judged(Type::alias, {"eve@away.example"}));
  EXPECT_FALSE(judged(Type::alias, {alice_addr}));
  EXPECT_FALSE(judged(Type::alias, {}));
  EXPECT_FALSE(judged(Type::alias, {"eve@home.example"}, true));
  EXPECT_TRUE(judged(Type::forward, {"eve@away.example"}));
  EXPECT_FALSE(judged(Type::forward, {"a@away.example", "b@away.example"}));
  EXPECT_TRUE(judged(Type::group, {"a@away.example", "b@home.example"}));
  EXPECT_FALSE(judged(Type::group, {"b@away.example", "a@away.example"}));
  EXPECT_FALSE(judged(Type::group, {"a@away.example", "a@away.example"}));
  EXPECT_FALSE(judged(Type::group, {}));
}

// BLG-11: what the whole argument about the highest version stands on.
TEST(Versions, one_number_is_in_the_lower_ones_gaps_and_the_higher_ones_steps) {
  for (const std::int64_t low : {1L, 2L, 3L, 5L, 8L, 100L, 255L, 256L, 40'000L, 65'534L}) {
    const auto absent = gaps(low);
    EXPECT_TRUE(std::is_sorted(absent.begin(), absent.end()));
    for (std::int64_t high = low + 1; high <= version_max; high += 1 + high / 97) {
      const auto present = steps(high);
      ASSERT_EQ(present.back(), high);
      std::set<std::int64_t> both(absent.begin(), absent.end());
      std::size_t common = 0;
      for (const std::int64_t step : present) common += both.count(step);
      ASSERT_EQ(common, 1u) << low << " and " << high;
    }
    for (const std::int64_t step : steps(low))
      EXPECT_EQ(std::count(absent.begin(), absent.end(), step), 0);
  }
  EXPECT_TRUE(gaps(version_max).empty());
}

TEST(Proof, shows_the_latest_version_and_only_that) {
  Filled world;
  const auto proven = world.judge(world.log.prove(world.alice.latest()));
  ASSERT_TRUE(proven.has_value());
  EXPECT_EQ(proven->entry, world.alice.latest());
  EXPECT_EQ(proven->head.size, 3u);
  EXPECT_EQ(proven->head.epoch.map_size, 4u);
  for (const std::size_t old : {0u, 1u})
    EXPECT_EQ(code_of(world.judge(world.log.prove(world.alice.entries[old]))), Code::proof);
  EXPECT_EQ(code_of(world.judge(world.log.prove_none(alice_addr))), Code::proof);
  const auto none = world.judge(world.log.prove_none("bob@home.example"), "bob@home.example");
  ASSERT_TRUE(none.has_value());
  EXPECT_FALSE(none->entry.has_value());
}

TEST(Proof, is_read_as_it_was_written) {
  Filled world;
  for (const Proof& proof :
       {world.log.prove(world.alice.latest()), world.log.prove_none("bob@home.example")}) {
    const wire::Value value = to_value(proof);
    EXPECT_EQ(to_value(*parse_proof(value)), value);
  }
}

TEST(Proof, each_fault_has_its_code_in_order) {
  Filled world;
  const Proof good = world.log.prove(world.alice.latest());
  ASSERT_TRUE(world.judge(good).has_value());
  EXPECT_EQ(code_of(world.judge(good, "alice@away.example")), Code::domain_mismatch);
  EXPECT_EQ(code_of(world.judge(good, "eve@home.example")), Code::binding_addr);
  Proof bad = good;
  bad.entry->addr = "eve@home.example";
  EXPECT_EQ(code_of(world.judge(bad)), Code::binding_addr);
  bad = good;
  bad.steps.clear();
  EXPECT_EQ(code_of(world.judge(bad)), Code::proof_form);
  bad = good;
  bad.steps[0].value[0] ^= 1;
  EXPECT_EQ(code_of(world.judge(bad)), Code::proof);
  bad = good;
  std::swap(bad.here, bad.next);
  EXPECT_EQ(code_of(world.judge(bad)), Code::vrf_proof);
  bad = good;
  bad.r[0] ^= 1;
  EXPECT_EQ(code_of(world.judge(bad)), Code::proof);
  bad = good;
  bad.entry->key = world.eve.latest().key;  // the wrong key
  EXPECT_EQ(code_of(world.judge(bad)), Code::proof);
  bad = good;
  bad.next = world.log.prove_none("eve@home.example").next;
  EXPECT_EQ(code_of(world.judge(bad)), Code::vrf_proof);
  bad = good;
  bad.head.inclusion.push_back(0);
  EXPECT_EQ(code_of(world.judge(bad)), Code::proof_form);
  bad = good;
  bad.head.checkpoint = world.log.checkpoint().substr(0, 40);
  EXPECT_EQ(code_of(world.judge(bad)), Code::proof_form);
}

// An older epoch under a new checkpoint would show a key that was replaced.
TEST(Proof, of_an_older_epoch_is_refused_under_a_new_checkpoint) {
  Prover log = make_log();
  Owner alice(alice_addr);
  alice.rotate(log);
  log.seal(now_s);
  const Proof old = log.prove(alice.latest());
  alice.rotate(log);
  log.seal(now_s);
  Proof bad = old;
  bad.head.checkpoint = log.prove(alice.latest()).head.checkpoint;
  // Of two leaves each one's proof is the other's hash.
  const Bytes newer = to_bytes(log.prove(alice.latest()).head.epoch);
  bad.head.inclusion = to_bytes(ByteView(verifiable::log_leaf_hash(newer)));
  EXPECT_EQ(code_of(verify_proof(to_value(bad), alice_addr, log.identity())), Code::proof);
  EXPECT_TRUE(verify_proof(to_value(old), alice_addr, log.identity()).has_value());
}

TEST(Proof, of_another_domains_log_is_refused) {
  Filled world;
  Prover other = *Prover::make(testing::home, testing::make_secrets("other"));
  const Proof good = world.log.prove(world.alice.latest());
  EXPECT_EQ(code_of(verify_proof(to_value(good), alice_addr, other.identity())), Code::signature);
  Identity half = world.log.identity();
  half.vrf_public = other.identity().vrf_public;
  EXPECT_EQ(code_of(verify_proof(to_value(good), alice_addr, half)), Code::vrf_proof);
}

TEST(Proof, holds_for_a_day) {
  const verifiable::Epoch epoch{{}, 0, now_s};
  EXPECT_TRUE(holds_at(epoch, now_ms).has_value());
  EXPECT_TRUE(holds_at(epoch, now_ms + 24 * 3'600'000).has_value());
  EXPECT_EQ(holds_at(epoch, now_ms + 24 * 3'600'000 + 1).error().code, Code::binding_stale);
  EXPECT_TRUE(holds_at(epoch, now_ms - 300'000).has_value());
  EXPECT_EQ(holds_at(epoch, now_ms - 300'001).error().code, Code::binding_stale);
  EXPECT_EQ(holds_at({{}, 0, ~std::uint64_t{0}}, now_ms).error().code, Code::binding_stale);
}

TEST(Proof, counts_witnesses) {
  Filled world;
  const auto secret = crypto::SigningKey::ed25519_from_seed(Bytes(32, 7));
  const auto key = *verifiable::NoteKey::make(
      "w.example", verifiable::NoteKeyType::cosignature_v1,
      *crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, secret.public_raw()));
  const std::vector<verifiable::NoteKey> witnesses{key};
  const auto judged = [&] {
    return verify_proof(to_value(world.log.prove(world.alice.latest())), alice_addr,
                        world.log.identity(), {witnesses, 1});
  };
  EXPECT_EQ(code_of(judged()), Code::witnesses);
  auto note = *verifiable::parse_note(world.log.checkpoint());
  note.signatures.push_back(*verifiable::cosign(note.text, "w.example", secret, now_s));
  ASSERT_TRUE(world.log.cosigned(verifiable::format(note)).has_value());
  EXPECT_TRUE(judged().has_value());
  // A newer epoch that nobody has cosigned yet: the one before it will do for what it has.
  world.log.seal(now_s);
  EXPECT_TRUE(judged().has_value());
  EXPECT_EQ(world.log.history(world.alice.entries, true, world.log.size()).head.checkpoint,
            world.log.checkpoint());  // an asker who knows the newer one is shown that
  world.alice.rotate(world.log);
  world.log.seal(now_s);
  EXPECT_EQ(code_of(judged()), Code::witnesses);
  EXPECT_EQ(world.log.prove(world.alice.latest()).head.checkpoint, world.log.checkpoint());
  note.text += "more\n";
  EXPECT_EQ(world.log.cosigned(verifiable::format(note)).error().code, Code::proof);
}

TEST(Proof, is_made_with_a_cosigned_epoch_while_that_is_young) {
  Filled world;
  const auto size_of = [&](const Proof& proof) {
    return open_head(proof.head, world.log.identity())->size;
  };
  const auto cosign = [&](std::uint64_t size, const std::string& name) {
    auto note = *verifiable::parse_note(world.log.offered_at(size));
    note.signatures.push_back(*verifiable::cosign(
        note.text, name, crypto::SigningKey::ed25519_from_seed(Bytes(32, 7)), now_s));
    return world.log.cosigned(verifiable::format(note));
  };
  const std::uint64_t offered = world.log.offer();
  world.log.seal(now_s + 60);  // what is added meanwhile does not outrun the witnesses
  ASSERT_TRUE(cosign(offered, "w.example"));
  ASSERT_TRUE(cosign(offered, "x.example"));
  EXPECT_EQ(size_of(world.log.prove(world.alice.latest())), offered);
  EXPECT_EQ(size_of(world.log.prove_none("nobody@home.example")), offered);
  ASSERT_TRUE(cosign(offered + 1, "w.example"));  // fewer
  EXPECT_EQ(size_of(world.log.prove(world.alice.latest())), offered);
  ASSERT_TRUE(cosign(offered + 1, "x.example"));
  EXPECT_EQ(size_of(world.log.prove(world.alice.latest())), offered + 1);
  world.log.seal(now_s + 120);
  EXPECT_EQ(size_of(world.log.prove(world.alice.latest())), offered + 1);
  world.log.drop_vouched_before(now_s + 61);
  EXPECT_EQ(size_of(world.log.prove(world.alice.latest())), offered + 2);
  EXPECT_EQ(world.log.offered_at(offered + 9), "");
}

TEST(Origin, fits_a_note) {
  EXPECT_EQ(origin_of("home.example"), "ams-bind/home.example");
  const std::string longest = std::string(60, 'a') + "." + std::string(60, 'b') + ".example";
  EXPECT_TRUE(verifiable::is_note_name(origin_of(longest)));
  EXPECT_NE(origin_of(longest), origin_of("b" + longest.substr(1)));
  EXPECT_TRUE(Prover::make(longest, testing::make_secrets("x")).has_value());
}

TEST(Endorsement, each_fault_has_its_code) {
  Filled world;
  const Entry& before = world.alice.entries[1];
  const Entry& entry = world.alice.entries[2];
  const Hash value = world.log.value(before);
  const keys::KeyRecord& old = world.alice.pairs[1].record;
  EXPECT_TRUE(verify_endorsement(entry, before, value, old).has_value());
  EXPECT_EQ(verify_endorsement(entry, before, Hash{}, old).error().code, Code::history_gap);
  EXPECT_EQ(verify_endorsement(entry, world.alice.entries[0], value, old).error().code,
            Code::history_gap);
  EXPECT_EQ(verify_endorsement(entry, before, value, world.eve.pairs[0].record).error().code,
            Code::kid_mismatch);
  Entry bad = entry;
  bad.sig.reset();
  EXPECT_EQ(verify_endorsement(bad, before, value, old).error().code, Code::unendorsed);
  bad = *endorse(entry, world.alice.pairs[2].signing);
  EXPECT_EQ(verify_endorsement(bad, before, value, old).error().code, Code::signature);
  bad.at = now_ms + 400 * testing::day_ms;
  EXPECT_EQ(verify_endorsement(bad, before, value, old).error().code, Code::key_expired);
}

// The log against an oracle: any additions, in any order, over any epochs. After each epoch every
// address's latest version is proven, every older one and every stranger refused, and a log that
// was restored from what had been stored is the same log.
RC_GTEST_PROP(Log, is_a_map_of_addresses_to_their_versions, ()) {
  Prover log = make_log();
  std::vector<Owner> owners;
  for (const char* local : {"a", "b", "c"})
    owners.emplace_back(std::string(local) + "@home.example");
  std::vector<Leaf> leaves;
  std::vector<Bytes> epochs;
  const auto rounds = *rc::gen::inRange(1, 4);
  for (int round = 0; round < rounds; ++round) {
    for (const int who : *rc::gen::container<std::vector<int>>(3, rc::gen::inRange(0, 3))) {
      Owner& owner = owners[static_cast<std::size_t>(who)];
      const Entry entry = owner.next(log);
      leaves.push_back(*log.add(entry));
      RC_ASSERT(log.add(entry).error().code == Code::version_conflict);
      owner.entries.push_back(entry);
    }
    epochs.push_back(log.seal(now_s).epoch);
    Prover again = make_log();
    RC_ASSERT(again.restore(leaves, epochs, log.checkpoint()).has_value());
    for (const Owner& owner : owners) {
      const Proof proof =
          owner.entries.empty() ? again.prove_none(owner.addr) : again.prove(owner.latest());
      const auto proven = verify_proof(to_value(proof), owner.addr, log.identity());
      RC_ASSERT(proven.has_value());
      RC_ASSERT(proven->entry.has_value() == !owner.entries.empty());
      if (owner.entries.size() > 1)
        RC_ASSERT(
            !verify_proof(to_value(again.prove(owner.entries[0])), owner.addr, log.identity()));
    }
  }
}

TEST(Log, takes_successors_only) {
  Prover log = make_log();
  Owner alice(alice_addr);
  Entry first = alice.next(log);
  Entry third = first;
  third.version = 3;
  third.prev = log.value(first);
  EXPECT_EQ(log.add(third).error().code, Code::version_conflict);
  ASSERT_TRUE(log.add(first).has_value());
  alice.entries.push_back(first);
  Entry second = alice.next(log);
  second.prev = Hash{};
  EXPECT_EQ(log.add(second).error().code, Code::history_gap);
  second.prev = log.value(first);
  EXPECT_TRUE(log.add(second).has_value());
  EXPECT_EQ(log.add(second).error().code, Code::version_conflict);
  log.seal(now_s);
  EXPECT_EQ(log.add(second).error().code, Code::version_conflict);
}

TEST(Log, that_lost_a_leaf_does_not_come_back) {
  Prover log = make_log();
  Owner alice(alice_addr);
  alice.rotate(log);
  const Sealed sealed = log.seal(now_s);
  Prover again = make_log();
  const std::vector<Bytes> epochs{sealed.epoch};
  EXPECT_EQ(again.restore({}, epochs, sealed.checkpoint).error().code, Code::storage);
}

}  // namespace
}  // namespace ams::bindlog
