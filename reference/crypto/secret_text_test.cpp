// Goal: the text of keys is base64url like any other, though it is made without a table.
// Method: against base/bytes.h on every byte value, random keys, and each single wrong character.
#include "crypto/secret_text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ams::crypto {
namespace {

std::string text_of(ByteView secret) {
  std::string out(base64url_size(secret.size()), '?');
  write_secret_text(secret, out.data());
  return out;
}

TEST(SecretText, is_base64url) {
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(text_of(all), to_base64url(all));
  EXPECT_TRUE(rc::check([](const Bytes& bytes) {
    const std::string text = text_of(bytes);
    RC_ASSERT(text == to_base64url(bytes));
    Secret back(bytes.size());
    RC_ASSERT(read_secret_text(text, back));
    RC_ASSERT(to_bytes(back.view()) == bytes);
  }));
}

TEST(SecretText, refuses_what_base64url_refuses) {
  const std::string good = text_of(Bytes(32, 0x9c));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string text = good;
      text[at] = static_cast<char>(c);
      Secret out(32);
      ASSERT_EQ(read_secret_text(text, out), from_base64url(text).has_value()) << at << " " << c;
    }
  }
  Secret out(32);
  EXPECT_FALSE(read_secret_text(good.substr(1), out));
  EXPECT_FALSE(read_secret_text(good + "A", out));
}

}  // namespace
}  // namespace ams::crypto
