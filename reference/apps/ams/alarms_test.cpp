// Goal: what a domain shows cannot fill its victim's disk, nor take the place of what convicts it.
// Method: alarms that differ in one thing each, and the files that a real folder has afterwards.
#include "ams_cli/alarms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "ams_cli/files.h"

namespace ams::cli {
namespace {

namespace fs = std::filesystem;

class Alarms : public ::testing::Test {
 protected:
  Alarms() : folder_(made()), home_(Home::create(folder_, {"alice@a.example", "", ""})) {}
  ~Alarms() override { fs::remove_all(folder_); }

  static std::string made() {
    std::string name = (fs::temp_directory_path() / "ams-alarms-XXXXXX").string();
    return mkdtemp(name.data()) ? name : std::string();
  }
  static client::Alarm alarm(const std::string& shown, bool convicts,
                             Code code = Code::binding_contradiction,
                             const std::string& addr = "bob@b.example") {
    client::Alarm out{addr, Error{code, "keys.lookup"}, wire::Object{{"answer", shown}}, {}};
    if (convicts) out.lie = wire::Object{{"lie", shown}};
    return out;
  }
  /// The warning.
  std::string tell(const client::Alarm& alarm) { return warn_of(*home_, alarm); }
  /// What the files of alarms hold, in order.
  std::vector<std::string> held() const {
    std::vector<std::string> out;
    for (const auto& each : fs::directory_iterator(folder_)) {
      if (!each.path().filename().string().starts_with("alarm-")) continue;
      const auto text = read_some(each.path().string(), 1000);
      out.push_back(text ? to_string(*text) : "unreadable");
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  std::string folder_;
  tl::expected<Home, std::string> home_;
};

TEST_F(Alarms, an_address_and_a_code_have_one_file_of_what_was_answered) {
  ASSERT_TRUE(home_.has_value());
  const std::string first = tell(alarm("one", false));
  EXPECT_NE(first.find("-answer.json"), std::string::npos);
  EXPECT_EQ(tell(alarm("two", false)), first);
  EXPECT_EQ(held(), std::vector<std::string>{"{\"answer\":\"two\"}\n"});
  tell(alarm("three", false, Code::history_gap));
  tell(alarm("four", false, Code::history_gap, "carol@b.example"));
  EXPECT_EQ(held().size(), 3u);
}

TEST_F(Alarms, no_answer_takes_the_place_of_what_convicts) {
  ASSERT_TRUE(home_.has_value());
  const std::string told = tell(alarm("one", true));
  EXPECT_NE(told.find("ams keys evidence"), std::string::npos);
  tell(alarm("two", false));
  EXPECT_EQ(held(), (std::vector<std::string>{"{\"answer\":\"two\"}\n", "{\"lie\":\"one\"}\n"}));
  tell(alarm("three", true));
  EXPECT_EQ(held(), (std::vector<std::string>{"{\"answer\":\"two\"}\n", "{\"lie\":\"three\"}\n"}));
}

TEST_F(Alarms, nothing_shown_is_no_file) {
  ASSERT_TRUE(home_.has_value());
  client::Alarm silent = alarm("", false, Code::not_found);
  silent.shown = wire::Value();
  EXPECT_EQ(tell(silent),
            "WARNING: b.example does not show the address's history (bob@b.example: not_found)");
  EXPECT_TRUE(held().empty());
}

// A group can lead to as many addresses as its domain likes to invent.
TEST_F(Alarms, a_folder_holds_so_many) {
  ASSERT_TRUE(home_.has_value());
  for (std::size_t i = 0; i < alarm_files_max; ++i)
    std::ofstream(folder_ + "/alarm-" + std::to_string(i) + "-answer.json") << "old";
  EXPECT_NE(tell(alarm("one", false)).find("is not kept"), std::string::npos);
  EXPECT_EQ(held().size(), alarm_files_max);
  EXPECT_EQ(tell(alarm("two", true)).find("is not kept"), std::string::npos)
      << "answers leave the room that is for what convicts";
  EXPECT_EQ(held().size(), alarm_files_max + 1);
}

TEST_F(Alarms, a_file_without_end_is_no_evidence) {
  ASSERT_TRUE(home_.has_value());
  EXPECT_EQ(keys_evidence(folder_, "/dev/zero"), exit_bad_input);
  EXPECT_EQ(keys_evidence(folder_, folder_), exit_bad_input);
  const auto some = read_some("/dev/zero", 10);
  ASSERT_TRUE(some.has_value());
  EXPECT_EQ(*some, Bytes(10, 0));
}

}  // namespace
}  // namespace ams::cli
