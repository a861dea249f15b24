// Goal: whoever tells of whomever, in any order and with any answers: the bounds of DIR-66 and
// DIR-67 hold, an evicted peer never comes back, nothing but its own failure, eviction or move
// costs a learned peer its place, and nobody is used who did not answer. Method: rapidcheck over
// sequences of inputs, beside a model of what each rule says; then the rules one by one
// (exchange_test.h).
#include "directory/slots.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "directory/exchange_test.h"

namespace ams::directory {
namespace {

using testing::many;
using testing::numbered;

struct Input {
  enum Kind { told, called, reached, answered, failed, bar, trial } kind;
  std::size_t who, by, block, count;
  bool agrees;
};

rc::Gen<Input> inputs() {
  return rc::gen::map(
      rc::gen::tuple(rc::gen::inRange(0, 12), rc::gen::inRange<std::size_t>(0, 60),
                     rc::gen::inRange<std::size_t>(0, 12), rc::gen::inRange<std::size_t>(0, 6),
                     rc::gen::inRange<std::size_t>(1, 20), rc::gen::arbitrary<bool>()),
      [](const auto& t) {
        // Trials most often: they are what brings a name into use.
        constexpr Input::Kind kinds[] = {Input::told,    Input::told,     Input::called,
                                         Input::reached, Input::answered, Input::failed,
                                         Input::bar,     Input::trial,    Input::trial,
                                         Input::trial,   Input::trial,    Input::trial};
        return Input{kinds[std::get<0>(t)], std::get<1>(t), std::get<2>(t),
                     std::get<3>(t),        std::get<4>(t), std::get<5>(t)};
      });
}

/// What the rules say must be so after each input.
struct Model {
  std::set<std::string> answered, barred;

  void check(const Slots& slots, const std::vector<std::string>& configured) const {
    for (const std::string& domain : configured) RC_ASSERT(slots.uses(domain));
    RC_ASSERT(slots.learned().size() <= learned_max);
    RC_ASSERT(slots.in_use().size() == configured.size() + slots.learned().size());
    RC_ASSERT(slots.in_use().size() <= std::max(slots_max, configured.size()));
    std::map<std::string, std::size_t> blocks;
    for (const auto& [domain, one] : slots.learned()) {
      RC_ASSERT(++blocks[one.block] <= learned_block_max);
      RC_ASSERT(answered.contains(domain));
      RC_ASSERT(!barred.contains(domain));
      RC_ASSERT(domain != "self.example");
      RC_ASSERT(one.failures < tries_max);
    }
    RC_ASSERT(slots.waiting() <= candidates_max);
    for (const std::string& domain : slots.in_use())
      RC_ASSERT(slots.waiting_of(domain) <= candidates_told_max);
    RC_ASSERT(slots.waiting_of("") <= candidates_told_max);
  }
};

void apply(Slots& slots, Model& model, const Input& in) {
  const std::string who = numbered("x", in.who), block = numbered("net", in.block);
  const std::string by = in.by < 4 ? numbered("c", in.by) : numbered("x", in.by);
  const auto before = slots.learned();
  std::set<std::string> may_go;  // whose place this input may cost
  switch (in.kind) {
    case Input::told: {
      std::vector<std::string> names;
      for (std::size_t i = 0; i < in.count; ++i) names.push_back(numbered("x", in.who + i));
      names.emplace_back("self.example");
      names.emplace_back("no domain");
      slots.told(by, names);
      break;
    }
    case Input::called:
      slots.called(who);
      break;
    case Input::reached:
      slots.reached(who, block);
      may_go.insert(who);
      break;
    case Input::answered:
      (void)slots.answered(who, in.agrees);
      model.answered.insert(who);
      break;
    case Input::failed:
      slots.failed(who);
      may_go.insert(who);
      break;
    case Input::bar:
      slots.bar(who);
      model.barred.insert(who);
      may_go.insert(who);
      break;
    case Input::trial:
      if (const auto next = slots.next_trial()) {
        RC_ASSERT(!slots.uses(*next));
        RC_ASSERT(!model.barred.contains(*next));
        slots.reached(*next, block);
        if (in.agrees) {
          (void)slots.answered(*next, true);
          model.answered.insert(*next);
        } else {
          slots.failed(*next);
        }
      }
      break;
  }
  for (const auto& [domain, one] : before) RC_ASSERT(slots.uses(domain) || may_go.contains(domain));
}

TEST(Slots, any_inputs_keep_the_bounds) {
  EXPECT_TRUE(rc::check("the bounds of DIR-66 to DIR-69", [] {
    const auto configured = many("c", *rc::gen::inRange<std::size_t>(0, 36));
    const auto sequence = *rc::gen::container<std::vector<Input>>(inputs());
    Slots slots("self.example", configured, true, testing::secret_of("s"));
    Slots twin("self.example", configured, true, testing::secret_of("s"));
    Model model, other;
    for (const Input& in : sequence) {
      apply(slots, model, in);
      apply(twin, other, in);
      model.check(slots, configured);
      RC_ASSERT(slots.in_use() == twin.in_use());  // nothing but inputs decides
    }
  }));
}

TEST(Slots, one_that_learns_nobody_uses_the_configured) {
  Slots slots("self.example", {"b.example", "self.example", "a.example"}, false, Hash{});
  slots.told("a.example", many("x", 8));
  slots.called("y.example");
  EXPECT_FALSE(slots.next_trial());
  EXPECT_FALSE(slots.restore("x0.example", "10.1.0.0/16"));
  EXPECT_EQ(slots.in_use().size(), 2u);
  EXPECT_EQ(slots.waiting(), 0u);
}

/// Whoever has 40 names in one network block gets two of them in, and holds nobody else up: each
/// honest one is tried within so many trials as there are tellers and shares.
TEST(Slots, a_crowd_in_one_block_holds_nobody_up) {
  Slots slots("self.example", {"a.example", "evil.example"}, true, testing::secret_of("s"));
  const auto crowd = many("m", 40), honest = many("h", 8);
  std::size_t trials = 0;
  for (std::size_t round = 0; round < 60; ++round) {
    std::vector<std::string> told;
    for (std::size_t i = 0; i < 16; ++i) told.push_back(crowd[(16 * round + i) % crowd.size()]);
    slots.told("evil.example", told);
    slots.told("a.example", honest);
    const auto next = slots.next_trial();
    if (!next) continue;
    ++trials;
    slots.reached(*next, (*next)[0] == 'm' ? "10.66.0.0/16" : *next);
    (void)slots.answered(*next, (*next)[0] != 'm');
    if (slots.learned().size() == honest.size() + learned_block_max) break;
  }
  std::size_t evil = 0, good = 0;
  for (const auto& [domain, one] : slots.learned()) ++(domain[0] == 'm' ? evil : good);
  EXPECT_EQ(evil, learned_block_max);
  EXPECT_EQ(good, honest.size());
  EXPECT_LE(trials, 2 * honest.size());
}

/// One that had a place once is tried before those of whom only others speak.
TEST(Slots, who_answered_before_is_tried_first) {
  Slots slots = testing::two_known();
  slots.told("a.example", {"x.example"});
  (void)testing::try_all(slots, testing::own_block);
  for (int i = 0; i < tries_max; ++i) slots.failed("x.example");
  slots.told("b.example", many("y", 8));
  EXPECT_EQ(slots.next_trial(), "x.example");
  slots.failed("x.example");
  EXPECT_NE(slots.next_trial(), "x.example");  // not before all who have not failed
}

/// It had a place in another block: in a full one it has none.
TEST(Slots, who_moves_into_a_full_block_leaves) {
  Slots slots = testing::two_known();
  slots.told("a.example", many("x", 3));
  (void)testing::try_all(slots, testing::own_block);
  ASSERT_EQ(slots.learned().size(), 3u);
  slots.reached("x0.example", "10.1.0.0/16");
  slots.reached("x1.example", "10.1.0.0/16");
  EXPECT_EQ(slots.learned().size(), 3u);
  slots.reached("x2.example", "10.1.0.0/16");
  EXPECT_EQ(slots.learned().size(), 2u);
  EXPECT_FALSE(slots.next_trial());
}

TEST(Slots, blocks_of_addresses) {
  EXPECT_EQ(network_block(Bytes{192, 0, 2, 1}), "192.0.0.0/16");
  Bytes v6(16, 0);
  v6[0] = 0x20, v6[1] = 0x01, v6[2] = 0x0d, v6[3] = 0xb8, v6[4] = 0x77;
  EXPECT_EQ(network_block(v6), "2001:db8::/32");
  EXPECT_EQ(network_block({}), block_unknown);
  EXPECT_EQ(network_block(Bytes(5, 1)), block_unknown);
}

TEST(Slots, sixteen_are_learned) { EXPECT_TRUE(testing::sixteen_are_learned()); }
TEST(Slots, two_of_a_block_are_learned) { EXPECT_TRUE(testing::two_of_a_block_are_learned()); }
TEST(Slots, a_mapped_address_is_of_its_block) {
  EXPECT_TRUE(testing::a_mapped_address_is_of_its_block());
}
TEST(Slots, eight_of_a_teller_wait) { EXPECT_TRUE(testing::eight_of_a_teller_wait()); }
TEST(Slots, tellers_have_their_turns) { EXPECT_TRUE(testing::tellers_have_their_turns()); }
TEST(Slots, nobody_knows_the_order_of_trials) {
  EXPECT_TRUE(testing::nobody_knows_the_order_of_trials());
}
TEST(Slots, three_times_no_answer_end_a_place) {
  EXPECT_TRUE(testing::three_times_no_answer_end_a_place());
}
TEST(Slots, the_evicted_stay_away) { EXPECT_TRUE(testing::the_evicted_stay_away()); }

}  // namespace
}  // namespace ams::directory
