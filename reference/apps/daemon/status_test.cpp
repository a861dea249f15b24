// Goal: what a daemon says of itself is the same in all its forms, and well formed whatever the
// numbers are. Method: a status made by hand, with peers and without, with history and without.
#include "daemon/status.h"

#include <gtest/gtest.h>

#include <regex>

namespace ams::daemon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Status busy() {
  Status out;
  out.program = "ams-directory";
  out.domain = "dir.example";
  out.mail = false;
  out.full = true;
  out.started = from_unix_ms(1'900'000'000'000);
  out.now = out.started + hours(3) + minutes(20) + seconds(5);
  out.directory.keys = 1234;
  out.directory.root.fill(0xab);
  out.directory.peers = 3;
  out.directory.peers_agreeing = 2;
  out.directory.agreed_at = out.now - seconds(75);
  out.directory.published = 12;
  out.directory.refused = {{Code::signature, 7}, {Code::publisher, 1}};
  out.server.connections = 5;
  out.driver.accepted = 9;
  return out;
}

TEST(Status, text_for_people) {
  EXPECT_EQ(status_text(status_value(busy())).value(),
            "ams-directory dir.example, up 3 h 20 min\n"
            "keys          1234\n"
            "root          " +
                to_hex(busy().directory.root) +
                "\n"
                "peers         3, 2 with this root at the last gossip\n"
                "gossip lag    1 min 15 s\n"
                "objects       12 published, 0 pulled, 0 pushed\n"
                "refused       1 publisher, 7 signature\n"
                "connections   5");
  Status light;
  light.program = "amsd";
  light.domain = "a.example";
  light.server.queue_depth = 4;
  const std::string text = status_text(status_value(light)).value();
  EXPECT_NE(text.find("keys          0 (a light peer)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("peers         0 that hold all keys\n"), std::string::npos);
  Status alone = busy();
  alone.directory.agreed_at.reset();
  EXPECT_NE(status_text(status_value(alone)).value().find("lag    all peers were never seen to "),
            std::string::npos);
  EXPECT_NE(text.find("refused       none\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("0 submitted, 0 delivered here, 0 elsewhere, 4 waiting")) << text;
  EXPECT_FALSE(status_text(wire::Object{{"ams", "status/1"}}));
}

/// Whose peers were not all named by the operator sees which, and where they stand.
TEST(Status, learned_peers_are_told_apart) {
  Status status = busy();
  status.directory.peers_learned = 1;
  status.directory.in_use = {{"b.example", "", false, true, false},
                             {"c.example", "10.7.0.0/16", true, false, true}};
  const std::string text = status_text(status_value(status)).value();
  EXPECT_NE(text.find("  configured  b.example in -, with this root\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  learned     c.example in 10.7.0.0/16, evicted\n"), std::string::npos);
  const std::string page = status_page(status, {});
  EXPECT_NE(page.find("<th>c.example, learned</th><td>in 10.7.0.0/16, evicted</td>"),
            std::string::npos);
  EXPECT_NE(metrics_text(status).find("\nams_directory_peers_learned 1\n"), std::string::npos);
}

TEST(Status, times_have_their_two_largest_units) {
  EXPECT_EQ(text_of(seconds(0)), "0 s");
  EXPECT_EQ(text_of(seconds(61)), "1 min 1 s");
  EXPECT_EQ(text_of(minutes(60)), "1 h");
  EXPECT_EQ(text_of(hours(50) + seconds(3)), "2 d 2 h");
  EXPECT_EQ(text_of(hours(24) + seconds(3)), "1 d");
  EXPECT_EQ(text_of(seconds(-5)), "0 s");
}

TEST(Status, metrics_are_in_the_form_of_prometheus) {
  const std::string text = metrics_text(busy());
  EXPECT_NE(text.find("\nams_directory_keys 1234\n"), std::string::npos);
  EXPECT_NE(text.find("\nams_directory_refused_total{code=\"signature\"} 7\n"), std::string::npos);
  EXPECT_NE(text.find("\nams_directory_lag_seconds 75\n"), std::string::npos);
  EXPECT_NE(text.find("\nams_accepted_total 9\n"), std::string::npos);
  EXPECT_EQ(text.find("ams_mail_"), std::string::npos);  // it has no mail
  const std::regex comment("# (HELP|TYPE) [a-z_]+ .+"),
      sample(R"re([a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? \d+)re");
  std::string rest = text;
  while (!rest.empty()) {
    const std::string line = rest.substr(0, rest.find('\n'));
    rest.erase(0, line.size() + 1);
    EXPECT_TRUE(std::regex_match(line, comment) || std::regex_match(line, sample)) << line;
  }
}

TEST(Status, the_page_shows_numbers_reasons_and_an_hour) {
  History history;
  Status status = busy();
  for (int n = 0; n < 400; ++n) {
    history.add(status);
    status.now += sample_interval;
    status.directory.keys += 1;
  }
  ASSERT_EQ(history.samples().size(), samples_max);
  EXPECT_EQ(history.samples().back().keys, 1234u + 399u);
  const std::string page = status_page(status, history.samples());
  for (const char* part : {"<h1>ams-directory dir.example</h1>", "2 of 3", "1634",
                           "Keys held: 1633", "signature (", ">7<", "<path class=\"curve\" d=\"M"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_EQ(page.find("<script"), std::string::npos);
  // Curves stay within their plots.
  const std::regex point(R"re([ML](-?[\d.]+) (-?[\d.]+))re");
  int points = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), point), end; at != end; ++at, ++points) {
    EXPECT_GE(std::stod((*at)[1]), 0);
    EXPECT_LE(std::stod((*at)[1]), 320);
    EXPECT_GE(std::stod((*at)[2]), 0);
    EXPECT_LE(std::stod((*at)[2]), 72);
  }
  EXPECT_GT(points, 1'000);
}

TEST(Status, the_page_of_a_new_daemon_is_whole) {
  Status fresh;
  fresh.program = "amsd";
  fresh.domain = "<a&b>";
  const std::string page = status_page(fresh, {});
  EXPECT_NE(page.find("<h1>amsd &lt;a&amp;b>"), std::string::npos);
  EXPECT_NE(page.find("None since the start."), std::string::npos);
  EXPECT_NE(page.find("Mail waiting: unknown"), std::string::npos);
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

}  // namespace
}  // namespace ams::daemon
