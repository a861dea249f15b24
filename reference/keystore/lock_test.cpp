// Goal: a lock opens with its own secret alone, and what it says in clear cannot be changed.
// Method: both kinds of secret, every member changed by itself.
#include "keystore/lock.h"

#include <gtest/gtest.h>

#include "wire/value.h"

namespace ams::keystore {
namespace {

const crypto::ScryptCost cheap{scrypt_n_min, 8, 1};

Unlock passphrase(std::string_view text) {
  return {Unlock::Kind::passphrase, crypto::Secret::copy_of(as_bytes(text))};
}
Unlock key_file(std::uint8_t fill) {
  return {Unlock::Kind::file, crypto::Secret::copy_of(Bytes(32, fill))};
}
Code verdict(ByteView text, const Unlock& unlock) {
  const auto opened = open_lock(text, unlock);
  return opened ? Code{} : opened.error().code;
}

TEST(Lock, opens_with_its_own_secret_alone) {
  const Bytes store_key(32, 0x21);
  const LockHead head{"corp.example", "/lib/module.so", "token"};
  const auto by_words =
      make_lock(head, store_key, passphrase("correct horse"), Bytes(32, 1), cheap);
  const auto by_file = make_lock(head, store_key, key_file(7), Bytes(32, 1));
  ASSERT_TRUE(by_words.has_value() && by_file.has_value());
  const auto opened = open_lock(*by_words, passphrase("correct horse"));
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(to_bytes(opened->store_key.view()), store_key);
  EXPECT_EQ(opened->head.domain, "corp.example");
  EXPECT_EQ(opened->head.module, "/lib/module.so");
  EXPECT_EQ(verdict(*by_words, passphrase("correct hors")), Code::keystore_sealed);
  EXPECT_EQ(verdict(*by_words, key_file(7)), Code::keystore_sealed);
  EXPECT_EQ(verdict(*by_file, key_file(7)), Code{});
  EXPECT_EQ(verdict(*by_file, key_file(8)), Code::keystore_sealed);
  EXPECT_EQ(as_text(*by_words).find("correct horse"), std::string_view::npos);
}

TEST(Lock, what_stands_in_clear_is_bound) {
  const auto lock =
      make_lock({"corp.example", {}, {}}, Bytes(32, 2), passphrase("p"), Bytes(32, 1), cheap);
  const wire::Value value = *wire::decode(*lock);
  const auto with = [&](const char* name, wire::Value other) {
    wire::Value changed = value;
    changed.as_object().insert_or_assign(name, std::move(other));
    return verdict(wire::encode(changed), passphrase("p"));
  };
  EXPECT_EQ(with("domain", "corq.example"), Code::keystore_sealed);
  EXPECT_EQ(with("n", 32'768), Code::keystore_sealed);
  EXPECT_EQ(with("p", 2), Code::keystore_sealed);
  EXPECT_EQ(with("salt", to_base64url(Bytes(16))), Code::keystore_sealed);
  EXPECT_EQ(with("sealed", to_base64url(Bytes(60))), Code::keystore_sealed);
  // Costs that would be no protection, or no memory left, are no lock.
  EXPECT_EQ(with("n", 1024), Code::schema);
  EXPECT_EQ(with("n", 16'385), Code::schema);
  EXPECT_EQ(with("n", 1 << 25), Code::schema);
  EXPECT_EQ(with("token", "alone"), Code::schema);
  EXPECT_EQ(with("kdf", "none"), Code::schema);
  EXPECT_EQ(with("more", 1), Code::unknown_member);
  EXPECT_EQ(verdict(Bytes(lock_size_max + 1, ' '), passphrase("p")), Code::object_too_large);
}

}  // namespace
}  // namespace ams::keystore
