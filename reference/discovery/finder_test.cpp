// Goal: a domain is found when DNS says so, for as long as it says so; wrong, missing and late
// answers are forgotten soon and never taken for a key. Method: answers by hand, exact virtual
// time.
#include "discovery/finder.h"

#include <gtest/gtest.h>

#include "discovery/test_dns.h"

namespace ams::discovery {
namespace {

using namespace std::chrono_literals;
using test::absent;
using test::Bench;
using test::root_of;
using test::server;
using test::text;

TEST(Finder, asks_both_records_and_tells_site_and_root) {
  Bench bench;
  const auto asked = bench.find();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].name, "_ams._tcp.a.example");
  EXPECT_EQ(asked[1].name, "_ams.a.example");
  EXPECT_TRUE(bench.find().empty());  // one question for all who wait
  const Outcome& outcome = bench.answer(asked, server(300), text(300, root_of(7)));
  ASSERT_TRUE(outcome.site) << outcome.why;
  EXPECT_EQ(outcome.site->root, root_of(7));
  ASSERT_EQ(outcome.site->servers.size(), 1u);
  EXPECT_EQ(outcome.site->servers[0].host, "mx.host.example");
  EXPECT_EQ(outcome.site->servers[0].port, 7747);
  EXPECT_EQ(outcome.site->servers[0].certificate_name, "a.example");
}

TEST(Finder, keeps_an_answer_for_its_least_ttl) {
  Bench bench;
  bench.answer(bench.find(), server(300), text(120, root_of(7)));
  bench.now += 119'999ms;
  EXPECT_TRUE(bench.knows());
  EXPECT_TRUE(bench.last->site);
  bench.now += 1ms;
  EXPECT_FALSE(bench.knows());
  bench.drain();
}

TEST(Finder, a_ttl_of_zero_serves_once_and_a_long_one_an_hour) {
  Bench bench;
  EXPECT_TRUE(bench.answer(bench.find(), server(0), text(0, root_of(7))).site);
  EXPECT_FALSE(bench.knows());
  Bench weeks;
  weeks.answer(weeks.find(), server(2'000'000), text(2'000'000, root_of(7)));
  weeks.now += 1h - 1ms;
  EXPECT_TRUE(weeks.knows());
  weeks.now += 1ms;
  EXPECT_FALSE(weeks.knows());
}

TEST(Finder, absence_is_kept_for_a_minute_at_most) {
  const std::pair<Answer, Answer> missing[] = {
      {absent(3600), text(3600, root_of(7))},
      {server(3600), absent(3600)},
      {test::servers(3600, {{0, 0, 7747, "."}}), text(3600, root_of(7))},
      {server(3600), {Answer::Status::found, 3600, {}, {"v=ams1; k=broken"}}}};
  for (const auto& [services, texts] : missing) {
    Bench bench;
    const Outcome& outcome = bench.answer(bench.find(), services, texts);
    EXPECT_FALSE(outcome.site);
    EXPECT_FALSE(outcome.why.empty());
    bench.now += 60s - 1ms;
    EXPECT_TRUE(bench.knows());
    EXPECT_FALSE(bench.last->site);
    bench.now += 1ms;
    EXPECT_FALSE(bench.knows());
  }
  Bench brief;
  brief.answer(brief.find(), absent(5), absent(20));
  brief.now += 5s;
  EXPECT_FALSE(brief.knows());
}

TEST(Finder, a_dead_name_server_is_asked_again_after_ten_seconds) {
  Bench bench;
  const auto asked = bench.find();
  bench.finder.handle_answer(asked[0].id, server(300), bench.now);
  ASSERT_EQ(bench.finder.timeout(), bench.now + 8s);
  bench.now += 8s;
  bench.finder.handle_timeout(bench.now);
  bench.drain();
  ASSERT_TRUE(bench.last);
  EXPECT_FALSE(bench.last->site);
  EXPECT_EQ(bench.finder.timeout(), std::nullopt);
  bench.finder.handle_answer(asked[1].id, text(300, root_of(7)), bench.now);  // late: ignored
  EXPECT_TRUE(bench.knows());
  bench.now += 10s;
  const auto again = bench.find();
  ASSERT_EQ(again.size(), 2u);
  EXPECT_FALSE(bench.answer(again, {}, text(300, root_of(7))).site);  // SERVFAIL
}

TEST(Finder, a_doubted_answer_is_asked_for_again_but_not_at_once) {
  Bench bench;
  bench.answer(bench.find(), server(3600), text(3600, root_of(7)));
  bench.now += 10s - 1ms;
  bench.finder.doubt("a.example", bench.now);
  EXPECT_TRUE(bench.knows());
  bench.now += 1ms;
  bench.finder.doubt("a.example", bench.now);
  const auto asked = bench.find();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(bench.answer(asked, server(3600), text(3600, root_of(8))).site->root, root_of(8));
}

TEST(Finder, strangers_cannot_make_it_grow) {
  FinderOptions options;
  options.asking_max = 3;
  options.known_domains_max = 2;
  Bench bench(options);
  for (int n = 0; n < 5; ++n) bench.find("d" + std::to_string(n) + ".example");
  EXPECT_EQ(bench.last->domain, "d4.example");
  EXPECT_EQ(bench.last->why, "too many domains asked for");
  bench.now += 8s;
  bench.finder.handle_timeout(bench.now);
  bench.drain();
  EXPECT_EQ(bench.finder.known_count(), 2u);
  EXPECT_FALSE(bench.find("e.example").empty());
  for (const std::string& name : {std::string("A.example"), std::string("example"),
                                  std::string(60, 'a') + '.' + std::string(60, 'a') + '.' +
                                      std::string(60, 'a') + '.' + std::string(62, 'a')}) {
    EXPECT_TRUE(bench.find(name).empty());
    EXPECT_EQ(bench.last->why, "no name that DNS could have") << name;
  }
}

}  // namespace
}  // namespace ams::discovery
