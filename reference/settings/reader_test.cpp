// Goal: a wrong file is refused with file, line, field and what was expected, all problems at once;
// a right one is read exactly.
// Method: known files and the exact texts that the user would see.
#include "settings/reader.h"

#include <gtest/gtest.h>

namespace ams::settings {
namespace {

TEST(Reader, reads_every_kind_of_field) {
  auto reader = Reader::parse(R"(name = "x"
count = -3
share = 0.5
whole = 2
on = true
words = ["a", "b"]
[inner]
port = 1
[[item]]
n = 1
[[item]]
n = 2
)",
                              "f.toml");
  ASSERT_TRUE(reader) << reader.error();
  Section root = reader->root();
  EXPECT_EQ(root.text("name", not_empty()), "x");
  EXPECT_EQ(root.integer("count", {-5, 5}), -3);
  EXPECT_EQ(root.number("share", 0, 1), 0.5);
  EXPECT_EQ(root.number("whole", 0, 5), 2);
  EXPECT_TRUE(root.boolean("on"));
  EXPECT_EQ(root.texts("words", one_of({"a", "b"})), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(root.section("inner").integer("port", {1, 65535}), 1);
  std::vector<std::int64_t> items;
  for (Section& item : root.sections("item")) items.push_back(item.integer("n", {0, 9}));
  EXPECT_EQ(items, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(root.text("absent", not_empty(), "default"), "default");
  EXPECT_EQ(root.section("none").integer("n", {0, 9}, 7), 7);
  EXPECT_TRUE(root.texts("nobody", not_empty()).empty());
  EXPECT_TRUE(root.has("on"));
  EXPECT_FALSE(root.has("off"));
  EXPECT_EQ(root.section("inner").names(), std::vector<std::string>{"port"});
  const auto ok = reader->finish();
  EXPECT_TRUE(ok) << ok.error();
}

TEST(Reader, lists_all_problems_in_the_order_of_the_lines) {
  auto reader = Reader::parse(R"(typo = 1
name = ""
port = 65536
share = "much"
words = ["a", 3]
[inner]
other = true
[[item]]
n = 1
extra = 2
)",
                              "f.toml");
  ASSERT_TRUE(reader) << reader.error();
  Section root = reader->root();
  EXPECT_EQ(root.integer("port", {1, 65535}, 25), 25);
  (void)root.text("name", not_empty());
  (void)root.number("share", 0, 1);
  (void)root.texts("words", one_of({"a", "b"}));
  (void)root.text("missing", not_empty());
  (void)root.section("inner").boolean("needed");
  for (Section& item : root.sections("item")) {
    (void)item.integer("n", {0, 9});
    item.refuse("n", "an even number");
  }
  const auto ok = reader->finish();
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error(), R"(f.toml: missing: is missing; expected a text
f.toml:1: typo: expected no such field
f.toml:2: name: expected a text, found ""
f.toml:3: port: expected an integer from 1 to 65535, found 65536
f.toml:4: share: expected a number from 0 to 1, found "much"
f.toml:5: words: expected a list, each item one of a, b, found 3
f.toml:6: inner.needed: is missing; expected true or false
f.toml:7: inner.other: expected no such field
f.toml:9: item[0].n: expected an even number, found 1
f.toml:10: item[0].extra: expected no such field)");
}

TEST(Reader, a_table_where_none_belongs_and_the_other_way_round) {
  auto reader = Reader::parse("inner = 1\n[item]\nn = 1\n", "f.toml");
  ASSERT_TRUE(reader);
  (void)reader->root().section("inner").integer("n", {0, 9}, 1);
  EXPECT_TRUE(reader->root().sections("item").empty());
  const auto ok = reader->finish();
  ASSERT_FALSE(ok);
  EXPECT_NE(ok.error().find("f.toml:1: inner: expected a table, found 1"), std::string::npos);
  EXPECT_NE(ok.error().find("f.toml:2: item: expected tables, [[item]], found a table"),
            std::string::npos)
      << ok.error();
}

TEST(Reader, says_where_a_file_is_no_toml_or_cannot_be_read) {
  const auto broken = Reader::parse("a = 1\nb = = 2\n", "f.toml");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().substr(0, 20), "f.toml:2: not TOML: ");
  const auto missing = Reader::load("no/such/file.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), "no/such/file.toml: cannot be read");
  EXPECT_FALSE(Reader::load("."));
}

}  // namespace
}  // namespace ams::settings
