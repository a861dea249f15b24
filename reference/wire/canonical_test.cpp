// Goal: AMS-CJ gives each value one encoding, and each refused text the one code that the order of
// checks prescribes. Method: tables of texts with their codes, RFC 8785's examples as far as AMS-CJ
// takes them, round trips of random values and random edits, and nlohmann/json as an independent
// judge of what we write.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <nlohmann/json.hpp>

#include "wire/sigform.h"
#include "wire/wire_gen.h"

namespace ams::wire {
namespace {

std::string code_of(std::string_view text) {
  const auto value = decode(as_bytes(text));
  return value ? "ok" : std::string(code_info(value.error().code).name);
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

struct Refusal {
  std::string_view text;
  std::string_view code;
};

void expect_all(const std::vector<Refusal>& table) {
  for (const auto& [text, code] : table) EXPECT_EQ(code_of(text), code) << text;
}

TEST(Decode, takes_canonical_texts) {
  for (const std::string_view text :
       {R"({})", R"([])", R"("")", R"(0)", R"(-1)", R"(true)", R"(false)", R"("a b")",
        R"({"a":1,"b":[{},[],"x"],"b1":2,"b_":3})", R"(9007199254740991)", R"(-9007199254740991)",
        R"("\u0000\u001f\b\t\n\f\r\"\\/")", "\"\x7f\xc2\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\"",
        R"({"a23456789_123456789_123456789_12":1})"}) {
    EXPECT_EQ(code_of(text), "ok") << text;
  }
  EXPECT_EQ(code_of(R"({"b_":4,"b1":3})"), "not_canonical");  // digits sort before the underscore
  EXPECT_EQ(code_of(nested(depth_max)), "ok");
}

TEST(Decode, syntax) {
  expect_all({{"", "json_syntax"},
              {" ", "json_syntax"},
              {"{", "json_syntax"},
              {"[1", "json_syntax"},
              {"[1,]", "json_syntax"},
              {"[,1]", "json_syntax"},
              {R"({"a":1,})", "json_syntax"},
              {R"({"a" 1})", "json_syntax"},
              {R"({"a"})", "json_syntax"},
              {R"({a:1})", "json_syntax"},
              {"{}{}", "json_syntax"},
              {"[]x", "json_syntax"},
              {"01", "json_syntax"},
              {"-01", "json_syntax"},
              {"-", "json_syntax"},
              {"+1", "json_syntax"},
              {"1.", "json_syntax"},
              {".5", "json_syntax"},
              {"1e", "json_syntax"},
              {"1e+", "json_syntax"},
              {"NaN", "json_syntax"},
              {"Infinity", "json_syntax"},
              {"tru", "json_syntax"},
              {"nul", "json_syntax"},
              {"'a'", "json_syntax"},
              {"\"a", "json_syntax"},
              {"\"\\", "json_syntax"},
              {"\"\\x41\"", "json_syntax"},
              {"\"\\u12\"", "json_syntax"},
              {"\"\\u12G4\"", "json_syntax"},
              {"\"a\nb\"", "json_syntax"},
              {"\"\t\"", "json_syntax"},
              {"/**/1", "json_syntax"},
              {std::string_view("\"\0\"", 3), "json_syntax"},
              {std::string_view("1\0", 2), "json_syntax"}});
}

TEST(Decode, encoding_of_characters) {
  expect_all({{"\xef\xbb\xbf{}", "bom"},
              {"\xef\xbb\xbf\xff", "bom"},
              {"\xef\xbb\xbf", "bom"},
              {"\xff\xfe{}", "utf8"},
              {"\"\x80\"", "utf8"},
              {"\"\xc0\xaf\"", "utf8"},
              {"\"\xe0\x80\xaf\"", "utf8"},
              {"\"\xed\xa0\x80\"", "utf8"},
              {"\"\xf0\x80\x80\xaf\"", "utf8"},
              {"\"\xf4\x90\x80\x80\"", "utf8"},
              {"\"\xf5\x80\x80\x80\"", "utf8"},
              {"\"\xe2\x82\"", "utf8"},
              {"\"\xe2\x82", "utf8"},
              {"[1,}\xff", "utf8"},  // utf8 of the whole text comes first
              {R"("\ud800")", "surrogate"},
              {R"("\udc00")", "surrogate"},
              {R"("\ud800x")", "surrogate"},
              {R"("\ud800\n")", "surrogate"},
              {R"("\ud800\ud800")", "surrogate"},
              {R"("\udc00\ud800")", "surrogate"},
              {R"("\ud800\uZZZZ")", "surrogate"},
              {R"("\ud800)", "surrogate"},
              {R"({"\ud800":1})", "surrogate"},
              {R"("\ud83d\ude00")", "not_canonical"}});
}

TEST(Decode, depth_is_counted_from_the_outermost) {
  EXPECT_EQ(code_of(nested(depth_max + 1)), "depth");
  EXPECT_EQ(code_of(std::string(depth_max + 1, '[')), "depth");  // before the missing brackets
  EXPECT_EQ(code_of(std::string(depth_max, '[')), "json_syntax");
  EXPECT_EQ(code_of(std::string(2'000'000, '[')), "depth");
  std::string objects;
  for (int i = 0; i <= depth_max; ++i) objects += "{\"a\":";
  EXPECT_EQ(code_of(objects), "depth");
}

TEST(Decode, members) {
  expect_all({{R"({"a":1,"a":2})", "duplicate_name"},
              {R"({"a":1,"b":1,"a":2})", "duplicate_name"},
              {R"({"b":1,"a":1,"b":2})", "duplicate_name"},
              {R"({"a":1,"\u0061":2})", "duplicate_name"},
              {R"({"a":1,"a")", "duplicate_name"},  // judged when read, before its value
              {R"({"A":1})", "member_name"},
              {R"({"":1})", "member_name"},
              {R"({"1a":1})", "member_name"},
              {R"({"_a":1})", "member_name"},
              {R"({"a-b":1})", "member_name"},
              {R"({"é":1})", "member_name"},
              {R"({"a23456789_123456789_123456789_123":1})", "member_name"},
              {R"({"A":null})", "member_name"},
              {R"({"A":1,"A":2})", "member_name"},
              {R"({"A")", "member_name"},
              {R"({"b":1,"a":2})", "not_canonical"},
              {R"({"\u0061":1})", "not_canonical"}});
}

TEST(Decode, numbers_and_null) {
  expect_all({{"1.0", "number"},
              {"1e2", "number"},
              {"1E+2", "number"},
              {"1e-7", "number"},
              {"-0.0", "number"},
              {"0e0", "number"},
              {"9007199254740992", "number"},
              {"-9007199254740992", "number"},
              {"18446744073709551617", "number"},
              {"99999999999999999999999999999999", "number"},
              {"null", "null_value"},
              {R"({"a":null})", "null_value"},
              {"[null", "null_value"},
              {"-0", "not_canonical"},
              {"[-0]", "not_canonical"}});
}

TEST(Decode, not_canonical_comes_last) {
  expect_all({{" {}", "not_canonical"},
              {"{}\n", "not_canonical"},
              {"[1, 2]", "not_canonical"},
              {R"({"a" :1})", "not_canonical"},
              {R"({"a": 1})", "not_canonical"},
              {"[ ]", "not_canonical"},
              {"{ }", "not_canonical"},
              {R"("\/")", "not_canonical"},
              {R"("\u0041")", "not_canonical"},
              {R"("\u000a")", "not_canonical"},
              {R"("\u001F")", "not_canonical"},
              {R"("\u007f")", "not_canonical"},
              {R"("\u00e9")", "not_canonical"},
              {R"( {"b":1,"a":1.5})", "number"},
              {R"([ 1,null])", "null_value"}});
}

TEST(Decode, the_first_violation_from_the_left_wins) {
  expect_all({{R"([1.5,null])", "number"},
              {R"([null,1.5])", "null_value"},
              {R"([1.5)", "number"},
              {R"(["\ud800",1.5,{"A":1}])", "surrogate"},
              {R"([{"A":1},"\ud800"])", "member_name"},
              {R"([1.5x])", "number"},
              {R"({"a":1.5,"a":null})", "number"},
              {R"({"a":1,"a":1.5})", "duplicate_name"}});
}

TEST(Encode, rfc8785_examples_as_far_as_they_are_values_of_ours) {
  // Section 3.2.2 and 3.2.4: the string member, its escapes, the literals but null.
  const Value value = Object{{"numbers", Array{333333333, 4, 0}},
                             {"string", "\u20ac$\u000f\nA'B\"\\\\\"/"},
                             {"literals", Array{true, false}}};
  const std::string_view text =
      "{\"literals\":[true,false],\"numbers\":[333333333,4,0],"
      "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
  EXPECT_EQ(to_string(encode(value)), text);
  EXPECT_EQ(decode(as_bytes(text)), value);
}

TEST(Encode, leaves_out_one_member) {
  const Value value = Object{{"a", 1}, {"b", Object{{"sig", 3}}}, {"sig", "x"}};
  EXPECT_EQ(to_string(encode_without(value, "sig")), R"({"a":1,"b":{"sig":3}})");
  EXPECT_EQ(to_string(encode_without(value, "a")), R"({"b":{"sig":3},"sig":"x"})");
  EXPECT_EQ(encode_without(value, "none"), encode(value));
}

TEST(Canonical, values_round_trip) {
  EXPECT_TRUE(rc::check([] {
    const Value value = *gen_value(5);
    RC_ASSERT(decode(encode(value)) == value);
  }));
}

TEST(Canonical, nlohmann_reads_and_writes_the_same_bytes) {
  EXPECT_TRUE(rc::check([] {
    const std::string text = to_string(encode(*gen_value(4)));
    RC_ASSERT(nlohmann::json::parse(text).dump() == text);
  }));
}

// Edits of canonical texts: nearly valid input reaches more than random bytes do.
TEST(Canonical, what_is_accepted_is_written_back_byte_for_byte) {
  EXPECT_TRUE(rc::check([] {
    Bytes bytes = encode(*gen_value(4));
    const std::string_view alphabet = "{}[]\",:0123456789-.eE\\u/dD8 \nabtrfnul_\x80\xc3\xff";
    const int edits = *rc::gen::inRange(0, 4);
    for (int i = 0; i < edits; ++i) {
      const auto at =
          static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
      const auto byte = static_cast<std::uint8_t>(*rc::gen::elementOf(std::string(alphabet)));
      const int what = *rc::gen::inRange(0, 3);
      if (what == 0 || static_cast<std::size_t>(at) == bytes.size())
        bytes.insert(bytes.begin() + at, byte);
      else if (what == 1)
        bytes.erase(bytes.begin() + at);
      else
        bytes[static_cast<std::size_t>(at)] = byte;
    }
    const auto value = decode(bytes);
    RC_CLASSIFY(value.has_value());
    if (value) RC_ASSERT(encode(*value) == bytes);
    const bool nlohmann_accepts = nlohmann::json::accept(bytes);
    if (value) RC_ASSERT(nlohmann_accepts);  // we are a subset
  }));
}

}  // namespace
}  // namespace ams::wire
