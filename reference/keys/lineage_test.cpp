// Goal: whatever objects of a key two holders took in whatever order, they agree once they have
// merged; nothing erased or revoked comes back; only the key's own signature counts. Method: one
// owner who signs everything twice, sequences drawn by rapidcheck, laws of a join semilattice.
// What each object's own checks say is in vectors/keys (events, revocations, cards, entries).
#include "keys/lineage.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace ams::keys::lineage {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t start_ms = 1'900'000'000'000;

KeyPair new_pair(std::uint8_t seed) {
  return make_modern(Bytes(80, seed), {.nbf = start_ms, .exp = start_ms + 9 * day_ms}).value();
}

const KeyPair& owner() {
  static const KeyPair pair = new_pair(1);
  return pair;
}
const KeyPair& other() {
  static const KeyPair pair = new_pair(2);
  return pair;
}

wire::Value event(std::int64_t seq, const Hash& prev, EventType type = EventType::supersede,
                  std::int64_t at = start_ms) {
  return make_event(owner(), seq, prev, {type, at, std::nullopt}).value();
}
wire::Value after(const wire::Value& before, std::int64_t at,
                  EventType type = EventType::supersede) {
  const KeyEvent parsed = KeyEvent::parse(before, owner().record).value();
  return event(parsed.seq + 1, parsed.hash, type, at);
}
wire::Value card(std::int64_t cseq, std::optional<std::string> name) {
  Card out;
  out.cseq = cseq;
  out.salt = Id16{7};
  out.name = std::move(name);
  return make_card(owner(), out).value();
}

wire::Value stub(const wire::Value& card) {
  return Card::parse(card, owner().record).value().stub().value;
}

/// A tree of events that forks at every depth, cards of equal and of rising numbers, a revocation.
std::vector<wire::Value> everything() {
  std::vector<wire::Value> out;
  std::vector<wire::Value> level{event(1, owner().record.id().fp)};
  level.push_back(event(1, owner().record.id().fp, EventType::tombstone));
  level.push_back(event(1, owner().record.id().fp, EventType::supersede, start_ms + 1));
  for (int depth = 0; depth < 3; ++depth) {
    std::vector<wire::Value> next;
    for (const wire::Value& before : level) {
      out.push_back(before);
      if (*before.find("type") == wire::Value("tombstone")) continue;
      next.push_back(after(before, start_ms + 2 + depth));
      next.push_back(after(before, start_ms + 9 + depth));
    }
    level = std::move(next);
  }
  for (const char* name : {"A", "B", "C"})
    for (const std::int64_t cseq : {1, 2}) out.push_back(card(cseq, name));
  for (const std::int64_t cseq : {1, 2}) out.push_back(stub(card(cseq, "B")));
  out.push_back(card(2, std::nullopt));
  out.push_back(make_revocation(owner()).value());
  return out;
}

const std::vector<wire::Value>& pool() {
  static const std::vector<wire::Value> objects = everything();
  return objects;
}

/// An entry that took what it could of the objects with these numbers.
Entry entry_of(const std::vector<std::size_t>& numbers) {
  Entry out(owner().record);
  for (const std::size_t number : numbers) (void)out.add(pool()[number]);
  return out;
}

Entry any_entry() {
  const auto number = rc::gen::inRange<std::size_t>(0, pool().size());
  const auto count = *rc::gen::inRange<std::size_t>(0, 20);
  return entry_of(*rc::gen::container<std::vector<std::size_t>>(count, number));
}

Entry joined(Entry left, const Entry& right) {
  left.merge(right);
  return left;
}

bool same(const Entry& a, const Entry& b) {
  return a.objects() == b.objects() && a.value() == b.value() && a.state() == b.state();
}

RC_GTEST_PROP(Entry, merge_is_commutative_associative_idempotent, ()) {
  const Entry a = any_entry(), b = any_entry(), c = any_entry();
  RC_ASSERT(same(joined(a, b), joined(b, a)));
  RC_ASSERT(same(joined(joined(a, b), c), joined(a, joined(b, c))));
  RC_ASSERT(same(joined(a, a), a));
  Entry twice = joined(a, b);
  RC_ASSERT(!twice.merge(b));
  RC_ASSERT(!twice.merge(a));
}

// What is equal by value is equal in all that counts, so that peers of one root hold one set.
RC_GTEST_PROP(Entry, value_tells_entries_apart, ()) {
  const Entry a = any_entry(), b = any_entry();
  RC_ASSERT((a.value() == b.value()) == (a.objects() == b.objects()));
}

RC_GTEST_PROP(Entry, objects_rebuild_it, ()) {
  const Entry a = any_entry();
  Entry again(owner().record);
  for (const wire::Value& object : a.objects()) RC_ASSERT(again.add(object).has_value());
  RC_ASSERT(same(again, a));
  RC_ASSERT(a.events().size() <= 17u);
}

RC_GTEST_PROP(Entry, taking_in_never_loses_what_dominates, ()) {
  Entry a = any_entry();
  const bool revoked = a.revoked();
  const std::int64_t cseq = a.card() ? a.card()->cseq : 0;
  const bool erased = a.card() && a.card()->erased();
  const std::size_t number = *rc::gen::inRange<std::size_t>(0, pool().size());
  const Hash before = a.value();
  const auto taken = a.add(pool()[number]);
  RC_ASSERT(a.revoked() >= revoked);
  RC_ASSERT((a.card() ? a.card()->cseq : 0) >= cseq);
  if (erased && a.card()->cseq == cseq) RC_ASSERT(a.card()->erased());
  RC_ASSERT((taken && *taken) == (a.value() != before));
}

TEST(Entry, states) {
  Entry entry(owner().record);
  EXPECT_EQ(entry.state(), KeyState::active);
  EXPECT_TRUE(entry.usable());
  EXPECT_EQ(entry.value(), Entry::bare_value(owner().record.id().fp));
  EXPECT_EQ(entry.next()->seq, 1);
  const wire::Value one = make_event(owner(), 1, owner().record.id().fp,
                                     {EventType::supersede, start_ms, other().record.id()})
                              .value();
  EXPECT_TRUE(*entry.add(one));
  EXPECT_FALSE(*entry.add(one));
  EXPECT_EQ(entry.state(), KeyState::superseded);
  EXPECT_EQ(entry.successor(), other().record.id());
  EXPECT_TRUE(entry.usable());
  const auto next = entry.next();
  EXPECT_TRUE(*entry.add(event(next->seq, next->prev, EventType::tombstone)));
  EXPECT_EQ(entry.usable().error().code, Code::key_retired);
  EXPECT_FALSE(entry.next());
  EXPECT_TRUE(*entry.add(event(1, owner().record.id().fp)));
  EXPECT_EQ(entry.usable().error().code, Code::key_conflict);
  EXPECT_EQ(entry.events().size(), 2u);
  EXPECT_FALSE(entry.next());
  EXPECT_TRUE(*entry.add(make_revocation(owner()).value()));
  EXPECT_EQ(entry.usable().error().code, Code::key_revoked);
  for (const KeyState state : {KeyState::active, KeyState::superseded, KeyState::retired,
                               KeyState::conflict, KeyState::revoked, KeyState::quarantined})
    EXPECT_FALSE(name(state).empty());
}

TEST(Entry, sixteen_events_and_no_more) {
  Entry entry(owner().record);
  while (const auto next = entry.next()) EXPECT_TRUE(*entry.add(event(next->seq, next->prev)));
  EXPECT_EQ(entry.events().size(), 16u);
  EXPECT_EQ(entry.add(event(17, entry.events().back().hash)).error().code, Code::schema);
}

TEST(Entry, another_keys_objects_are_refused) {
  Entry entry(owner().record);
  for (const wire::Value& object : {make_event(other(), 1, other().record.id().fp, {}).value(),
                                    make_revocation(other()).value(),
                                    make_card(other(), Card{}).value(), other().record.value()})
    EXPECT_EQ(entry.add(object).error().code, Code::kid_mismatch);
  EXPECT_EQ(entry.objects().size(), 1u);
}

// Nobody can make two records of one kid (2^61 work): the second is given as if it were of the kid.
TEST(Entry, two_fingerprints_quarantine_for_good) {
  const KeyPair third = new_pair(3);
  std::vector<const KeyRecord*> order{&owner().record, &other().record, &third.record};
  std::sort(order.begin(), order.end());
  std::vector<Hash> values;
  do {
    Entry entry(*order[0]);
    if (order[0] == &owner().record) {
      EXPECT_TRUE(*entry.add(make_revocation(owner()).value()));
      EXPECT_TRUE(*entry.add(card(1, "A")));
    }
    EXPECT_TRUE(entry.add(*order[1]));
    EXPECT_FALSE(entry.add(*order[0]));
    entry.add(*order[2]);
    EXPECT_EQ(entry.state(), KeyState::quarantined);
    EXPECT_EQ(entry.usable().error().code, Code::kid_quarantined);
    EXPECT_EQ(entry.add(card(3, "A")).error().code, Code::kid_quarantined);
    EXPECT_FALSE(entry.next());
    EXPECT_EQ(entry.objects().size(), 2u);
    values.push_back(entry.value());
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(std::count(values.begin(), values.end(), values[0]), 6);
}

TEST(Card, an_erasure_has_no_salt_and_no_hash) {
  const wire::Value value = card(2, std::nullopt);
  EXPECT_EQ(value.find("salt"), nullptr);
  const Card erased = Card::parse(value, owner().record).value();
  EXPECT_TRUE(erased.erased());
  EXPECT_EQ(erased.hash, Hash{});
  const Card named = Card::parse(card(2, "A"), owner().record).value();
  EXPECT_TRUE(erased.beats(named));
  EXPECT_FALSE(named.beats(erased));
}

// CRD-9: what another peer holds in full is not seen in the map, and the stub is never preferred.
TEST(Card, a_stub_has_the_value_of_its_card_and_gives_way_to_it) {
  Entry full(owner().record), dropped(owner().record);
  ASSERT_TRUE(full.add(card(3, "Alice")));
  ASSERT_TRUE(dropped.add(card(3, "Alice")));
  dropped.drop_card();
  EXPECT_TRUE(dropped.card()->dropped);
  EXPECT_FALSE(dropped.card()->erased());
  EXPECT_EQ(dropped.card()->name, std::nullopt);
  EXPECT_EQ(dropped.value(), full.value());
  EXPECT_FALSE(*full.add(dropped.objects().back()));
  EXPECT_FALSE(full.merge(dropped));
  EXPECT_EQ(full.card()->name, "Alice");
  EXPECT_TRUE(dropped.merge(full));
  EXPECT_EQ(dropped.card()->name, "Alice");
  Entry erased(owner().record);
  ASSERT_TRUE(erased.add(card(1, std::nullopt)));
  erased.drop_card();
  EXPECT_TRUE(erased.card()->erased());
}

}  // namespace
}  // namespace ams::keys::lineage
