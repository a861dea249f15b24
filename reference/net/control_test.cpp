// Goal: an operator's line reaches the daemon and its answer comes back, on paths of any length and
// past a dead process's socket; what is no line is dropped; strangers' users stay out.
// Method: both ends in one process, the asking one on its own thread.
#include "net/control.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "net/test_net.h"

namespace ams::net {
namespace {

/// Asks from another thread while the loop runs here.
tl::expected<std::string, std::string> ask(Loop& loop, const std::string& path,
                                           const std::string& line) {
  tl::expected<std::string, std::string> answer;
  std::thread other([&] {
    answer = ask_control(path, line);
    loop.stop();
  });
  test::run(loop);
  other.join();
  return answer;
}

TEST(Control, answers_now_or_later) {
  Loop loop;
  const test::Folder folder;
  const std::string deep = folder.file(std::string(150, 'd'));
  std::filesystem::create_directory(deep);
  const std::string path = deep + "/control";
  std::ofstream(path) << "left by a dead process";
  const auto control =
      test::must(listen_control(loop, path, [&](std::string_view line, ControlReply reply) {
        if (line == "now") return reply("at once");
        loop.post([reply, text = std::string(line)] { reply("later: " + text); });
      }));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(ask(loop, path, "now").value_or("nothing"), "at once");
  EXPECT_EQ(ask(loop, path, "hm").value_or("nothing"), "later: hm");
}

TEST(Control, drops_what_is_no_line) {
  Loop loop;
  const test::Folder folder;
  const std::string path = folder.file("control");
  const auto control = test::must(listen_control(
      loop, path, [](std::string_view, const ControlReply&) { FAIL() << "a line came"; }));
  const auto answer = ask(loop, path, std::string(control_line_size_max, 'x'));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), path + ": no answer from the daemon");
}

TEST(Control, nobody_listens) {
  const test::Folder folder;
  const std::string path = folder.file("control");
  EXPECT_EQ(ask_control(path, "x").error(), "");
  {
    Loop loop;
    const auto control =
        test::must(listen_control(loop, path, [](std::string_view, const ControlReply&) {}));
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  const auto refused = listen_control(*std::make_unique<Loop>(), folder.file("no/control"), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), folder.file("no/control") + ": its folder cannot be opened");
}

}  // namespace
}  // namespace ams::net
