// Goal: what an operator writes is read strictly, refused with file, line and field, and what a
// peer says cannot forge a log line or a certificate's names. Method: known answers and refusals; a
// rapidcheck round trip of the hosts file.
#include "net/hosts.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>

#include <fstream>

#include "net/log.h"
#include "net/test_net.h"

namespace ams::net {
namespace {

constexpr std::string_view kid = "01234567-89ab-8def-8101-020304050607";
const std::string fp(64, 'a');
const std::string pin(64, 'b');

std::string error_of(const std::string& text) {
  const auto hosts = Hosts::parse(text, "hosts");
  return hosts ? "no error" : hosts.error();
}

TEST(Hosts, reads_entries_comments_and_blank_lines) {
  const std::string text = "# all of us\n\na.example\tmail.a.example  7747 " + std::string(kid) +
                           " " + fp + "  # first\r\nb.example ::1 1 " + std::string(kid) + " " +
                           fp + " pin=" + pin;
  const auto hosts = Hosts::parse(text, "hosts");
  ASSERT_TRUE(hosts) << hosts.error();
  EXPECT_EQ(hosts->entries().size(), 2u);
  const HostEntry* a = hosts->find("a.example");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->found.host, "mail.a.example");
  EXPECT_EQ(a->found.port, 7747);
  EXPECT_EQ(to_uuid_text(a->found.root.kid), kid);
  EXPECT_EQ(to_hex(a->found.root.fp), fp);
  EXPECT_EQ(a->found.certificate_pin, std::nullopt);
  EXPECT_EQ(to_hex(*hosts->find("b.example")->found.certificate_pin), pin);
  EXPECT_EQ(hosts->find("c.example"), nullptr);
}

TEST(Hosts, says_where_and_what_is_wrong) {
  const std::string k(kid);
  EXPECT_EQ(error_of("\nA.example h 1 " + k + " " + fp),
            "hosts:2: domain: expected a lower-case domain name, found A.example");
  EXPECT_EQ(error_of("a.example h 65536 " + k + " " + fp),
            "hosts:1: port: expected a number from 1 to 65535, found 65536");
  EXPECT_EQ(error_of("a.example h 0 " + k + " " + fp),
            "hosts:1: port: expected a number from 1 to 65535, found 0");
  EXPECT_EQ(error_of("a.example h 1 x " + fp),
            "hosts:1: root_kid: expected a UUID in lower case (8-4-4-4-12), found x");
  EXPECT_EQ(error_of("a.example h 1 " + k + " ab"),
            "hosts:1: root_fp: expected 64 lower-case hexadecimal digits, found ab");
  EXPECT_EQ(error_of("a.example h 1 " + k),
            "hosts:1: root_fp: expected domain host port root_kid root_fp [pin=…], found the end "
            "of the line");
  EXPECT_EQ(error_of("a.example h 1 " + k + " " + fp + " pin=zz"),
            "hosts:1: pin: expected pin= and 64 lower-case hexadecimal digits, found pin=zz");
  EXPECT_EQ(error_of("a.example h 1 " + k + " " + fp + " pin=" + pin + " more"),
            "hosts:1: pin: expected the end of the line, found more");
  const std::string line = "a.example h 1 " + k + " " + fp + "\n";
  EXPECT_EQ(error_of(line + line), "hosts:2: domain: expected each domain once, found a.example");
}

TEST(Hosts, written_lines_are_read_back) {
  EXPECT_TRUE(rc::check([](const Id16& id, const Hash& root, bool pinned, std::uint16_t port) {
    HostEntry entry{"a.example", {"::1", std::max<std::uint16_t>(port, 1), {id, root}, {}}};
    if (pinned) entry.found.certificate_pin = root;
    const auto hosts = Hosts::parse(to_line(entry), "hosts");
    RC_ASSERT(hosts.has_value());
    RC_ASSERT(to_line(*hosts->find("a.example")) == to_line(entry));
  }));
}

TEST(Hosts, a_file_that_cannot_be_read_is_named) {
  const test::Folder folder;
  EXPECT_EQ(Hosts::load(folder.file("none")).error(), folder.file("none") + ": cannot be read");
  EXPECT_FALSE(Hosts::load(folder.file("")));
  std::ofstream(folder.file("empty")).flush();
  EXPECT_TRUE(Hosts::load(folder.file("empty")));
}

TEST(Log, a_value_cannot_forge_a_field_or_a_line) {
  EXPECT_EQ(format_fields({{"a", "plain.text/1"}, {"n", 7u}}), "a=plain.text/1 n=7");
  EXPECT_EQ(format_fields({{"a", "x b=2\n\"\\\xff"}, {"e", ""}}), R"(a="x b=2\x0a\"\\\xff" e="")");
}

TEST(Log, writes_at_its_level_and_above) {
  const test::Folder folder;
  {
    auto log = test::must(Log::open(LogLevel::info, folder.file("log")));
    log.debug("hidden");
    log.warn("shown", {{"why", "{} %n"}});
  }
  std::ifstream in(folder.file("log"));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_NE(text.find("Z warning shown why=\"{} %n\"\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("hidden"), std::string::npos);
  EXPECT_FALSE(Log::open(LogLevel::info, folder.file("")));
  EXPECT_EQ(find_log_level("warn"), LogLevel::warn);
  EXPECT_EQ(find_log_level("loud"), std::nullopt);
}

TEST(Certificate, names_cannot_smuggle_others_in) {
  Loop loop;
  EXPECT_FALSE(make_self_signed(test::for_names(loop, {"a.example,DNS:b.example"})));
  EXPECT_FALSE(make_self_signed(test::for_names(loop, {})));
  EXPECT_FALSE(make_self_signed(test::for_names(loop, {""})));
  EXPECT_TRUE(make_self_signed(test::for_names(loop, {"a.example", "::1"})));
}

TEST(Certificate, files_are_private_and_never_overwritten) {
  Loop loop;
  const test::Folder folder;
  const auto pem = test::must(make_self_signed(test::for_names(loop, {"a.example"})));
  ASSERT_TRUE(write_certificate(pem, folder.file("a.pem"), folder.file("a.key")));
  struct stat info {};
  ASSERT_EQ(::stat(folder.file("a.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_FALSE(write_certificate(pem, folder.file("a.pem"), folder.file("a.key")));
  EXPECT_TRUE(TlsContext::server(folder.file("a.pem"), folder.file("a.key")));
  const auto swapped = TlsContext::server(folder.file("a.key"), folder.file("a.pem"));
  ASSERT_FALSE(swapped);
  EXPECT_NE(swapped.error().find("a.key: not a PEM certificate"), std::string::npos)
      << swapped.error();
  EXPECT_FALSE(TlsContext::client(folder.file("a.key")));
}

}  // namespace
}  // namespace ams::net
