// Goal: the conversions every room leans on are strict inverses of each other.
// Method: known answers, refusals, and rapidcheck round trips.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"

namespace ams {
namespace {

TEST(Base64url, known_answers) {
  EXPECT_EQ(to_base64url({}), "");
  EXPECT_EQ(to_base64url(as_bytes("f")), "Zg");
  EXPECT_EQ(to_base64url(as_bytes("foob")), "Zm9vYg");
  EXPECT_EQ(to_base64url(Bytes{0xfb, 0xff}), "-_8");
}

TEST(Base64url, refuses_what_has_a_second_spelling) {
  EXPECT_FALSE(from_base64url("Zg=="));
  EXPECT_FALSE(from_base64url("Zh"));  // trailing bits not zero
  EXPECT_FALSE(from_base64url("Z"));
  EXPECT_FALSE(from_base64url("Zm9v\n"));
  EXPECT_FALSE(from_base64url("+/8"));
}

TEST(Base64url, round_trip) {
  EXPECT_TRUE(rc::check(
      [](const Bytes& bytes) { RC_ASSERT(from_base64url(to_base64url(bytes)) == bytes); }));
}

TEST(Hex, round_trip_and_refusals) {
  EXPECT_TRUE(rc::check([](const Bytes& bytes) { RC_ASSERT(from_hex(to_hex(bytes)) == bytes); }));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0G"));
  EXPECT_FALSE(from_hex("AB"));
}

TEST(Uuid, text_form_is_strict) {
  const Id16 id{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x8d, 0xef, 0x81, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(to_uuid_text(id), "01234567-89ab-8def-8101-020304050607");
  EXPECT_EQ(from_uuid_text(to_uuid_text(id)), id);
  EXPECT_FALSE(from_uuid_text("01234567-89AB-8def-8101-020304050607"));
  EXPECT_FALSE(from_uuid_text("0123456789ab8def8101020304050607"));
  EXPECT_FALSE(from_uuid_text("01234567-89ab-8def-8101-02030405060-"));
}

TEST(Integers, are_big_endian) {
  Bytes out;
  append_u32(out, 0x01020304);
  append_u64(out, 0x05060708090a0b0cULL);
  EXPECT_EQ(to_hex(out), "0102030405060708090a0b0c");
  EXPECT_EQ(read_u32(out), 0x01020304u);
  EXPECT_EQ(read_u64(ByteView(out).subspan(4)), 0x05060708090a0b0cULL);
}

TEST(ConstantTime, compares_by_value) {
  EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
}

TEST(Instant, unix_milliseconds_round_trip) {
  EXPECT_EQ(to_unix_ms(from_unix_ms(1'900'000'000'123)), 1'900'000'000'123);
  EXPECT_EQ(to_unix_ms(from_unix_ms(5) + std::chrono::microseconds(999)), 5);
  EXPECT_EQ(to_day(from_unix_ms(86'400'000)), 1);
}

// Regression: the container's fuzzer wrote the year 2283 into a header, and nanoseconds overflowed.
TEST(Instant, saturates_instead_of_overflowing) {
  EXPECT_EQ(from_unix_ms(9'908'000'000'000), Instant::max());
  EXPECT_EQ(from_unix_ms((std::int64_t{1} << 53) - 1), Instant::max());
  EXPECT_EQ(from_unix_ms(-(std::int64_t{1} << 53) + 1), Instant::min());
  EXPECT_EQ(to_unix_ms(from_unix_ms(9'223'372'036'854)), 9'223'372'036'854);
}

TEST(Codes, every_code_has_a_name_that_finds_it) {
  for (const CodeInfo& info : code_table) {
    EXPECT_EQ(find_code(info.name)->code, info.code);
    EXPECT_EQ(code_info(info.code).phase, info.phase);
  }
  EXPECT_EQ(find_code("no_such_code"), nullptr);
}

}  // namespace
}  // namespace ams
