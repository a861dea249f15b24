// Goal: ObjectReader names the first wrong member with the registered code and reads right ones.
// Method: one object with every kind of member, then that object with one thing wrong at a time.
#include <gtest/gtest.h>

#include "wire/value.h"

namespace ams::wire {
namespace {

Object good_members() {
  return {{"ams", "thing/1"},     {"name", "n"},    {"size", 7},
          {"flag", true},         {"key", "AAEC"},  {"id", "01234567-89ab-8def-8101-020304050607"},
          {"items", Array{1, 2}}, {"any", Object{}}};
}

/// Reads the object above; the name of the code that finish() gives, or "ok".
std::string read_code(const Value& value,
                      ObjectReader::Unknown unknown = ObjectReader::Unknown::refuse) {
  ObjectReader in(value, "thing", unknown);
  in.tag("thing/1");
  in.string("name", 4);
  in.integer("size", 1, 9);
  in.boolean("flag");
  in.bytes<3>("key");
  in.uuid("id");
  in.array("items", 2);
  in.any("any");
  in.optional_string("opt_name", 4);
  in.optional_integer("opt_size", 1, 9);
  in.optional_boolean("opt_flag", true);
  in.optional_binary("opt_key", 1, 2);
  in.optional("opt_any");
  const auto result = in.finish();
  EXPECT_EQ(in.ok(), result.has_value() || result.error().code == Code::unknown_member);
  return result ? "ok" : std::string(code_info(result.error().code).name);
}

std::string code_with(std::string name, Value value) {
  Object members = good_members();
  members.insert_or_assign(std::move(name), std::move(value));
  return read_code(members);
}

TEST(ObjectReader, reads_what_is_there) {
  const Value value = good_members();
  ObjectReader in(value, "thing");
  in.tag("thing/1");
  EXPECT_EQ(in.string("name"), "n");
  EXPECT_EQ(in.integer("size"), 7);
  EXPECT_TRUE(in.boolean("flag"));
  EXPECT_EQ(in.bytes<3>("key"), (std::array<std::uint8_t, 3>{0, 1, 2}));
  EXPECT_EQ(in.uuid("id")[15], 7);
  EXPECT_EQ(in.array("items", 2).size(), 2u);
  EXPECT_TRUE(in.any("any").is_object());
  EXPECT_EQ(in.optional_string("absent"), std::nullopt);
  EXPECT_TRUE(in.optional_boolean("absent_too", true));
  EXPECT_EQ(in.optional("absent_as_well"), nullptr);
  EXPECT_TRUE(in.finish());
  EXPECT_EQ(read_code(value), "ok");
}

TEST(ObjectReader, every_member_must_be_there) {
  for (const auto& [name, value] : good_members()) {
    Object members = good_members();
    members.erase(name);
    EXPECT_EQ(read_code(members), "schema") << name;
  }
  EXPECT_EQ(read_code(Array{}), "schema");
}

TEST(ObjectReader, every_member_must_have_its_type) {
  for (const auto& [name, value] : good_members()) {
    if (name == "any") continue;
    const Value other = value.is_bool() ? Value(1) : Value(false);
    EXPECT_EQ(code_with(name, other), "schema") << name;
  }
  for (const char* name : {"opt_name", "opt_size", "opt_key"})
    EXPECT_EQ(code_with(name, false), "schema") << name;
  EXPECT_EQ(code_with("opt_flag", 1), "schema");
}

TEST(ObjectReader, ranges_and_sizes) {
  EXPECT_EQ(code_with("size", 0), "schema");
  EXPECT_EQ(code_with("size", 10), "schema");
  EXPECT_EQ(code_with("opt_size", 10), "schema");
  EXPECT_EQ(code_with("name", "12345"), "object_too_large");
  EXPECT_EQ(code_with("opt_name", "12345"), "object_too_large");
  EXPECT_EQ(code_with("items", Array{1, 2, 3}), "object_too_large");
  EXPECT_EQ(code_with("id", "01234567-89AB-8def-8101-020304050607"), "schema");
}

TEST(ObjectReader, binary_has_one_spelling_and_one_length) {
  for (const char* text : {"AAE", "AAECAw", "AAEC====", "AAE=", "AA+C", "AAE\n", "A", ""})
    EXPECT_EQ(code_with("key", text), "base64url") << text;
  EXPECT_EQ(code_with("opt_key", "AB"), "base64url");  // trailing bits
  EXPECT_EQ(code_with("opt_key", "AA"), "ok");
  EXPECT_EQ(code_with("opt_key", ""), "base64url");
}

TEST(ObjectReader, tag_and_unknown_members) {
  EXPECT_EQ(code_with("ams", "thing/2"), "unknown_ams_tag");
  EXPECT_EQ(code_with("more", 1), "unknown_member");
  EXPECT_EQ(code_with("x_more", 1), "unknown_member");
  Object members = good_members();
  members.emplace("x_more", 1);
  EXPECT_EQ(read_code(members, ObjectReader::Unknown::ignore_x), "ok");
  members.emplace("more", 1);
  EXPECT_EQ(read_code(members, ObjectReader::Unknown::ignore_x), "unknown_member");
}

TEST(ObjectReader, the_first_error_in_reading_order_stays) {
  Object members = good_members();
  members["ams"] = "thing/2";
  members["size"] = 0;
  members["more"] = 1;
  EXPECT_EQ(read_code(members), "unknown_ams_tag");
  members["ams"] = "thing/1";
  EXPECT_EQ(read_code(members), "schema");  // before the unknown member
}

}  // namespace
}  // namespace ams::wire
