// Goal: whom a draft reaches is decided anew each time that its keys are looked for, from what its
// writer wrote, and no domain can make that go on for long (BLG-31). Method: aliases and groups in
// a domain's log, some of whose look-ups fail for a while.
#include "client/test_bindings.h"

namespace ams::client::testing {
namespace {

using Addresses = std::vector<std::string>;

struct RetrySender : LedSender {
  std::string slow;                  // its look-up fails for now
  std::map<std::string, int> asked;  // look-ups, by address
  RetrySender() {
    server.hooks["keys.lookup"] = [this](const wire::Value& args) -> FakeServer::Answer {
      const std::string& addr = args.find("addr")->as_string();
      ++asked[addr];
      if (addr == slow) return fail(Code::peer_unreachable, "fake");
      return addr == alice ? look_up_alice() : std::nullopt;
    };
  }
  static std::string at(const std::string& name, int i) {
    return name + std::to_string(i) + "@away.example";
  }
  static Addresses many(const std::string& name, int count) {
    Addresses out;
    for (int i = 0; i < count; ++i) out.push_back(at(name, 100 + i));  // in order, as `to` is
    return out;
  }
  /// An address with bob's key.
  void bind(const std::string& addr) {
    const keys::KeyRecord& key = bob.pair.record;
    const bindlog::Entry entry = entry_of(addr, key.id());
    ASSERT_TRUE(away_log.add(entry).has_value());
    server.lookups[addr] =
        wire::Object{{"binding", sign_binding(away, addr, key.id())}, {"key", key.value()}};
    away_log.seal(now_s());
    server.lookups[addr].as_object().insert_or_assign("proof",
                                                      bindlog::to_value(away_log.prove(entry)));
  }
  int asked_of_away() const {
    int out = 0;
    for (const auto& [addr, times] : asked) out += addr == alice ? 0 : times;
    return out;
  }
};

TEST(ClientRedirects, the_way_is_counted_from_its_beginning_at_each_attempt) {
  RetrySender bench;
  bench.enrol();
  for (int i = 1; i < 5; ++i) bench.lead(bench.at("f", i), {bench.at("f", i + 1)});
  bench.lead(bench.at("f", 5), {bench.bob.addr});
  bench.slow = bench.at("f", 5);
  EXPECT_EQ(bench.sent_to(bench.at("f", 1)), Addresses{});
  EXPECT_EQ(bench.count<SubmitFailed>(), 0) << "it waits";
  bench.slow.clear();
  bench.run_for(10min);
  EXPECT_TRUE(bench.server.submissions.empty());
  ASSERT_EQ(bench.count<SubmitFailed>(), 1);
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::binding_depth);
}

TEST(ClientRedirects, a_loop_is_refused_however_many_attempts_it_takes_to_see_it) {
  RetrySender bench;
  bench.enrol();
  bench.lead("a@away.example", {"b@away.example"});
  bench.lead("b@away.example", {"a@away.example"});
  bench.slow = "b@away.example";
  EXPECT_EQ(bench.sent_to("a@away.example"), Addresses{});
  bench.slow.clear();
  bench.run_for(10min);
  ASSERT_EQ(bench.count<SubmitFailed>(), 1);
  EXPECT_EQ(bench.last<SubmitFailed>()->why.code, Code::binding_loop);
  EXPECT_LE(bench.asked["a@away.example"], bench.asked["b@away.example"]);
}

TEST(ClientRedirects, who_left_a_group_between_attempts_gets_nothing) {
  RetrySender bench;
  bench.enrol();
  const std::string list = "list@away.example", gone = "gone@away.example";
  bench.bind(gone);
  bench.lead(list, {bench.bob.addr, gone, "slow@away.example"}, bindlog::Type::group);
  bench.bind("slow@away.example");
  bench.slow = "slow@away.example";
  EXPECT_EQ(bench.sent_to(list), Addresses{});
  bindlog::Entry before = LogBench::entry_of(list, bench.carol.pair.record.id());
  before.type = bindlog::Type::group;
  before.to = {bench.bob.addr, gone, "slow@away.example"};
  bindlog::Entry after = before;
  after.version = 2;
  after.to = {bench.bob.addr, "slow@away.example"};
  after.prev = bench.away_log.value(before);
  ASSERT_TRUE(bench.away_log.add(after).has_value());
  bench.away_log.seal(bench.now_s());
  bench.server.lookups[list] =
      wire::Object{{"proof", bindlog::to_value(bench.away_log.prove(after))}};
  bench.slow.clear();
  bench.run_for(10min);
  Addresses sent = bench.reached();
  std::sort(sent.begin(), sent.end());
  EXPECT_EQ(sent, (Addresses{bench.bob.addr, "slow@away.example"}));
}

TEST(ClientRedirects, all_that_is_reached_counts_though_it_leads_to_few) {
  RetrySender bench;
  bench.enrol();
  bench.lead("list@away.example", {bench.bob.addr, "one@away.example", "way@away.example"},
             bindlog::Type::group);
  bench.lead("one@away.example", bench.many("p", 60), bindlog::Type::group);
  bench.lead("way@away.example", {"two@away.example"});
  bench.lead("two@away.example", bench.many("q", 60), bindlog::Type::group);
  for (const std::string name : {"p", "q"})
    for (const std::string& addr : bench.many(name, 60)) bench.lead(addr, {bench.bob.addr});
  EXPECT_EQ(bench.refused_to("list@away.example"), Code::binding_depth);
  EXPECT_EQ(bench.asked_of_away(), 101) << "the list, and a hundred that it leads to";
}

TEST(ClientRedirects, the_writers_own_recipients_do_not_count) {
  RetrySender bench;
  bench.enrol();
  Addresses to = bench.many("p", 100);
  for (const std::string& addr : to) bench.bind(addr);
  bench.lead("old@away.example", {bench.bob.addr});
  to.push_back("old@away.example");
  bench.client->submit(bench.draft(to), bench.now);
  bench.run_for(10s);
  EXPECT_EQ(bench.count<SubmitFailed>(), 0);
  EXPECT_EQ(bench.count<Submitted>(), 1);
}

TEST(ClientRedirects, what_is_reached_in_two_ways_is_asked_for_once) {
  RetrySender bench;
  bench.enrol();
  bench.lead("list@away.example", {"x@away.example", "y@away.example"}, bindlog::Type::group);
  bench.lead("x@away.example", {"team@away.example"});
  bench.lead("y@away.example", {"z@away.example"});
  bench.lead("z@away.example", {"team@away.example"});
  bench.lead("team@away.example", {bench.bob.addr}, bindlog::Type::group);
  EXPECT_EQ(bench.sent_to("list@away.example"), Addresses{bench.bob.addr});
  EXPECT_EQ(bench.asked["team@away.example"], 1);
}

// Neither way into the loop leads round it alone.
TEST(ClientRedirects, a_loop_that_two_ways_close_is_refused) {
  RetrySender bench;
  bench.enrol();
  bench.lead("list@away.example", {"a@away.example", "b@away.example", bench.bob.addr},
             bindlog::Type::group);
  bench.lead("a@away.example", {"b@away.example"});
  bench.lead("b@away.example", {"a@away.example"});
  EXPECT_EQ(bench.refused_to("list@away.example"), Code::binding_loop);
  EXPECT_EQ(bench.asked["a@away.example"], 1);
}

}  // namespace
}  // namespace ams::client::testing
