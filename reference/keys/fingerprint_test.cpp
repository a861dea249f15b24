// Goal: every form of a fingerprint reads back as itself, the words are those of the spec, and a
// mistyped word is told from another key. Method: known answers made by hand from the published
// alphabet, all forms of random fingerprints, every single changed letter.
#include "keys/fingerprint.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ams::keys {
namespace {

Hash hash_of(std::uint8_t first) {
  Hash out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(first + i);
  return out;
}

// 127.0.0.1 is lusab-babad in the article that made proquints.
TEST(Fingerprint, words_are_proquints) {
  Hash fp{};
  fp[0] = 127;
  fp[3] = 1;
  EXPECT_EQ(fingerprint_words(fp).substr(0, 12), "lusab-babad-");
  fp[0] = 63, fp[1] = 84, fp[2] = 220, fp[3] = 193;
  EXPECT_EQ(fingerprint_words(fp).substr(0, 12), "gutih-tugad-");
}

RC_GTEST_PROP(Fingerprint, every_form_reads_back, (const Hash& fp)) {
  const std::string words = fingerprint_words(fp);
  RC_ASSERT(words.size() == 12u * 5 + 11);
  const auto said = read_fingerprint(words);
  RC_ASSERT(said.has_value());
  RC_ASSERT(said->matches(fp));
  RC_ASSERT(said->bytes.size() == words_covered);
  for (const std::string& text : {fingerprint_code(fp), to_hex(fp), to_base64url(fp)}) {
    const auto read = read_fingerprint(text);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->bytes == to_bytes(ByteView(fp)));
  }
}

TEST(Fingerprint, how_people_type_it_does_not_matter) {
  const Hash fp = hash_of(7);
  std::string words = fingerprint_words(fp);
  for (char& c : words) c = c == '-' ? '\n' : static_cast<char>(c - 'a' + 'A');
  EXPECT_TRUE(read_fingerprint("  " + words + "\n\n")->matches(fp));
  std::string pairs;
  for (const char c : to_hex(fp)) pairs += std::string(pairs.size() % 3 == 2 ? ":" : "") + c;
  EXPECT_TRUE(read_fingerprint(pairs)->matches(fp));
  EXPECT_TRUE(read_fingerprint(" " + to_base64url(fp) + "\n")->matches(fp));
}

TEST(Fingerprint, a_changed_letter_is_a_typing_mistake_and_no_other_key) {
  const Hash fp = hash_of(3);
  const std::string words = fingerprint_words(fp);
  int mistaken = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == '-') continue;
    for (char c = 'a'; c <= 'z'; ++c) {
      if (c == words[i]) continue;
      std::string typed = words;
      typed[i] = c;
      const auto read = read_fingerprint(typed);
      if (read) continue;  // one of 65,536: counted below
      EXPECT_TRUE(read.error().code == Code::fp_words || read.error().code == Code::schema);
      mistaken += read.error().code == Code::fp_words ? 1 : 0;
    }
  }
  EXPECT_EQ(mistaken, 12 * (3 * 15 + 2 * 3));
}

TEST(Fingerprint, another_key_is_another_fingerprint) {
  const auto read = read_fingerprint(fingerprint_words(hash_of(3)));
  EXPECT_FALSE(read->matches(hash_of(4)));
  Hash near = hash_of(3);
  near[21] ^= 1;  // the last byte that the words cover
  EXPECT_FALSE(read->matches(near));
  EXPECT_FALSE(read_fingerprint(to_hex(hash_of(3)))->matches(near));
  EXPECT_FALSE(PartialFingerprint{}.matches(Hash{}));
}

TEST(Fingerprint, what_is_none_is_told) {
  for (const char* text :
       {"", "lusab", "lusab-babad", "zz", "AMS1-FP:", "not a fingerprint at all",
        "aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-aaaaa"}) {
    const auto read = read_fingerprint(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::schema) << text;
  }
  EXPECT_FALSE(read_fingerprint(to_hex(hash_of(1)).substr(1)));
  EXPECT_FALSE(read_fingerprint(to_hex(hash_of(1)) + "00"));
}

}  // namespace
}  // namespace ams::keys
