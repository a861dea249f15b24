// Goal: of what anyone can put into DNS exactly the form of DOM-8 to DOM-11 counts. Method: known
// records and one fault at a time; rapidcheck round trips; the distribution of RFC 2782 by count.
#include "discovery/records.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>

#include "discovery/test_dns.h"

namespace ams::discovery {
namespace {

using test::root_of;

const keys::KeyId root = root_of(0xab);
const std::string k = "k=" + to_uuid_text(root.kid);
const std::string fp = "fp=" + to_hex(root.fp);

std::string code_of(std::string_view record) {
  const auto read = parse_record(record);
  return read ? "accepted" : std::string(code_info(read.error().code).name);
}
std::string code_of(const std::vector<std::string>& records) {
  const auto read = parse_records(records);
  return read ? "accepted" : std::string(code_info(read.error().code).name);
}

TEST(TxtRecord, names_the_root_key) {
  for (const std::string& record :
       {"v=ams1; " + k + "; " + fp, "v=ams1;" + k + ";" + fp + ";", " v=ams1 ;\t" + fp + " ; " + k,
        "v=ams1; x=1; " + k + "; note_2=p=~!; " + fp}) {
    const auto read = parse_record(record);
    ASSERT_TRUE(read) << record;
    EXPECT_EQ(*read, root);
  }
  EXPECT_EQ(to_record(root), "v=ams1; " + k + "; " + fp);
}

TEST(TxtRecord, each_fault_is_refused) {
  const std::string good = "v=ams1; " + k + "; " + fp;
  for (const std::string& record : {std::string(),
                                    std::string("v=ams1"),
                                    "v=ams1; " + k,
                                    "v=ams1; " + fp,
                                    k + "; " + fp,
                                    k + "; v=ams1; " + fp,
                                    "v=ams2; " + k + "; " + fp,
                                    "v=AMS1; " + k + "; " + fp,
                                    good + "; " + k,
                                    good + "; x=1; x=2",
                                    good + "; v=ams1",
                                    good + ";;",
                                    good + "; x",
                                    good + "; X=1",
                                    good + "; x=",
                                    good + "; x=a b",
                                    good + "; x=\xc3\xa9",
                                    good + "; =1",
                                    good + "; " + std::string(33, 'a') + "=1",
                                    "v=ams1; k=1; " + fp,
                                    "v=ams1; " + k + "; fp=" + std::string(64, 'G'),
                                    "v=ams1; " + k + "; fp=ab",
                                    good + "; x=" + std::string(record_size_max, 'a')}) {
    EXPECT_EQ(code_of(record), "discovery_form") << record;
  }
  EXPECT_EQ(code_of("v=ams1; k=" + to_uuid_text(root_of(1).kid) + "; " + fp), "kid_mismatch");
}

TEST(TxtRecord, exactly_one_of_version_1_must_stand_there) {
  const std::string good = to_record(root), other = to_record(root_of(1));
  EXPECT_EQ(code_of(std::vector<std::string>{"v=spf1 -all", good, "v=ams2; k=new"}), "accepted");
  EXPECT_EQ(code_of(std::vector<std::string>{good, other}), "discovery_ambiguous");
  EXPECT_EQ(code_of(std::vector<std::string>{good, good}), "discovery_ambiguous");
  EXPECT_EQ(code_of(std::vector<std::string>{good, "v=ams1; torn"}), "discovery_ambiguous");
  EXPECT_EQ(code_of(std::vector<std::string>{"v=spf1 -all"}), "not_found");
  EXPECT_EQ(code_of(std::vector<std::string>{}), "not_found");
}

TEST(TxtRecord, what_is_written_is_read_back) {
  EXPECT_TRUE(rc::check([](const Hash& digest) {
    const keys::KeyId id{keys::kid_of(digest), digest};
    RC_ASSERT(parse_record(to_record(id)).value() == id);
  }));
}

std::string order_of(std::vector<Service> services, std::uint8_t seed = 1) {
  Hash seed32;
  seed32.fill(seed);
  crypto::Drbg drbg(seed32);
  std::string text;
  for (const Service& s : in_order(std::move(services), drbg))
    text += (text.empty() ? "" : " ") + s.target + ':' + std::to_string(s.port);
  return text;
}

TEST(Services, lower_priority_values_come_first) {
  EXPECT_EQ(order_of({{20, 9, 3, "c.example"}, {10, 0, 2, "B.Example."}, {5, 0, 1, "a.example"}}),
            "a.example:1 b.example:2 c.example:3");
}

TEST(Services, what_is_no_server_is_left_out) {
  EXPECT_EQ(order_of({{0, 0, 7747, "."}}), "");
  EXPECT_EQ(order_of({{0, 0, 0, "a.example"}, {0, 0, 1, "-.example"}, {0, 0, 1, "127.0.0.1:5"}}),
            "");
  std::vector<Service> many;
  for (std::uint16_t n = 1; n <= 40; ++n) many.push_back({n, 0, n, "a.example"});
  EXPECT_EQ(order_of(many).substr(0, 24), "a.example:1 a.example:2 ");
  EXPECT_TRUE(order_of(many).ends_with("a.example:16"));
}

TEST(Services, weights_share_the_first_trial) {
  const std::vector<Service> services{
      {0, 30, 1, "a.example"}, {0, 10, 2, "b.example"}, {0, 0, 3, "c.example"}};
  Hash seed32{};
  crypto::Drbg drbg(seed32);
  std::map<std::uint16_t, int> first;
  for (int n = 0; n < 4100; ++n) ++first[in_order(services, drbg).at(0).port];
  // Expected 3,000, 1,000 and 100 (RFC 2782: 41 draws, the first of them for weight 0).
  EXPECT_NEAR(first[1], 3000, 150);
  EXPECT_NEAR(first[2], 1000, 150);
  EXPECT_NEAR(first[3], 100, 50);
}

TEST(Services, every_usable_one_is_tried_once) {
  EXPECT_TRUE(rc::check([](const Hash& seed, const std::vector<std::uint16_t>& weights) {
    std::vector<Service> services;
    for (std::size_t n = 0; n < std::min(weights.size(), services_max); ++n)
      services.push_back({0, weights[n], static_cast<std::uint16_t>(n + 1), "a.example"});
    crypto::Drbg drbg(seed);
    std::map<std::uint16_t, int> seen;
    for (const Service& service : in_order(services, drbg)) ++seen[service.port];
    RC_ASSERT(seen.size() == services.size());
  }));
}

}  // namespace
}  // namespace ams::discovery
