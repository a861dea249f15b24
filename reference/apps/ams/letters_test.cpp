// Goal: what a stranger wrote cannot command the reader's terminal or file system, and what was
// received is shown again. Method: hostile texts and names; rows written and read over memory.
#include "ams_cli/letters.h"

#include <gtest/gtest.h>

#include "store/memory.h"

namespace ams::cli {
namespace {

TEST(Printable, drops_what_commands_a_terminal) {
  EXPECT_EQ(printable("a\x1b[2Jb", true), "a?[2Jb");
  EXPECT_EQ(printable("a\x1b[2Jb", false), "a [2Jb");
  EXPECT_EQ(printable("a\xc2\x9b", true), "a?");  // CSI as one character
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f", true), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(printable("one\r\ntwo\tx\x7f", true), "one\ntwo\tx?");
  EXPECT_EQ(printable("one\ntwo", false), "one two") << "a subject stays on its line";
}

TEST(FileName, stays_in_the_folder_and_in_sight) {
  EXPECT_EQ(file_name("../../etc/passwd", 0), "_.._etc_passwd");
  EXPECT_EQ(file_name(".bashrc", 0), "bashrc");
  EXPECT_EQ(file_name("-rf", 0), "rf");
  EXPECT_EQ(file_name("", 3), "attachment-3");
  EXPECT_EQ(file_name("..", 1), "attachment-1");
  EXPECT_EQ(file_name("plan.pdf", 0), "plan.pdf");
  EXPECT_EQ(file_name(std::string(500, 'a'), 0).size(), 200u);
}

TEST(Letters, are_shown_as_received) {
  client::Received received;
  received.uid = 7;
  received.folder = "inbox";
  received.letter.from = "bob@b.example";
  received.letter.to = {"alice@a.example", "carol@a.example"};
  received.letter.date = 1'700'000'000'000;
  received.letter.subject = "Plans\nBcc: eve@e.example";
  received.letter.parts = {{"text/plain", "Nine o'clock."}, {"text/html", "<p>Nine</p>"}};
  received.letter.attachments.emplace_back();
  received.letter.attachments[0].name = "../plan.pdf";
  received.letter.attachments[0].size = 3;
  received.attachments = {to_bytes("pdf")};
  store::MemoryStorage disk;
  ASSERT_TRUE(disk.apply(letter_rows(std::move(received))));
  const auto letter = find_letter(disk, 7);
  ASSERT_TRUE(letter);
  const std::string text = render(*letter);
  EXPECT_NE(text.find("From: bob@b.example\nTo: alice@a.example, carol@a.example\n"), text.npos);
  EXPECT_NE(text.find("Date: 2023-11-14 22:13 UTC\nSubject: Plans Bcc: eve@e.example\n"),
            text.npos);
  EXPECT_NE(text.find("\nNine o'clock.\n"), text.npos);
  EXPECT_NE(text.find("[text/html]\n<p>Nine</p>\n"), text.npos);
  EXPECT_NE(text.find("Attachment 0: _plan.pdf"), text.npos);
  EXPECT_EQ(find_attachment(disk, 7, 0), to_bytes("pdf"));
  EXPECT_FALSE(find_attachment(disk, 7, 1));
  EXPECT_FALSE(find_letter(disk, 8));
}

TEST(Letters, say_what_does_not_verify_and_what_failed) {
  store::MemoryStorage disk;
  ASSERT_TRUE(disk.apply(letter_rows(client::Unreadable{1, {}, Error{Code::signature, ""}})));
  mail::Notice notice;
  notice.addr = "bob@b.example";
  notice.failed = true;
  notice.code = Code::mailbox_full;
  ASSERT_TRUE(disk.apply(letter_rows(client::NoticeReceived{2, notice})));
  std::vector<std::string> lines;
  each_letter(disk, [&](std::int64_t uid, const wire::Value& letter) {
    lines.push_back(summary(uid, letter));
  });
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find("does not verify: signature"), std::string::npos);
  EXPECT_NE(lines[1].find("failed to bob@b.example: mailbox_full"), std::string::npos);
  EXPECT_NE(render(*find_letter(disk, 2)).find("failed to bob@b.example"), std::string::npos);
}

TEST(Letters, a_date_that_no_calendar_holds_is_a_number) {
  client::Received received;
  received.letter.date = wire::integer_max;
  store::MemoryStorage disk;
  ASSERT_TRUE(disk.apply(letter_rows(std::move(received))));
  EXPECT_NE(render(*find_letter(disk, 0)).find(std::to_string(wire::integer_max)),
            std::string::npos);
}

}  // namespace
}  // namespace ams::cli
