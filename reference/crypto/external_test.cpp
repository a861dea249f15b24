// Goal: an operation whose private half is done elsewhere gives what the whole gives, and a wrong
// half is refused. Method: every KEM, with the whole operation of crypto.h as the oracle; RFC
// 7914's known answers.
#include "crypto/external.h"

#include <gtest/gtest.h>

#include "crypto/test_keys.h"

namespace ams::crypto {
namespace {

DecryptionKey key_of(Kem kem) {
  if (kem == Kem::x25519) return DecryptionKey::x25519_from_seed(Bytes(32, 7));
  const auto text = kem == Kem::rsa2048kem   ? test_keys::rsa2048[0]
                    : kem == Kem::rsa3072kem ? test_keys::rsa3072[0]
                                             : test_keys::rsa4096[0];
  return std::move(*DecryptionKey::from_private(kem, *from_base64url(text)));
}

TEST(External, a_shared_secret_from_elsewhere_opens_what_the_key_opens) {
  const Bytes content_key(32, 9);
  const Ephemeral ephemeral = Ephemeral::from_seed(Bytes(32, 8));
  for (const Kem kem : {Kem::x25519, Kem::rsa2048kem, Kem::rsa3072kem, Kem::rsa4096kem}) {
    const DecryptionKey key = key_of(kem);
    const auto to = EncryptionKey::from_raw(kem, key.public_raw());
    const auto wrapped = hpke_seal(*to, Aead::a256gcm, as_bytes("info"), content_key, &ephemeral);
    const auto shared = kem_decap(key, wrapped->enc);
    ASSERT_TRUE(shared.has_value());
    ASSERT_EQ(shared->size(), shared_secret_size);
    const auto opened =
        hpke_open_shared(kem, Aead::a256gcm, shared->view(), as_bytes("info"), wrapped->ciphertext);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(to_bytes(opened->view()), content_key);
    Bytes lie = to_bytes(shared->view());
    lie[0] ^= 1;
    for (const Bytes& wrong : {lie, Bytes(31), Bytes(33), Bytes()}) {
      const auto refused =
          hpke_open_shared(kem, Aead::a256gcm, wrong, as_bytes("info"), wrapped->ciphertext);
      ASSERT_FALSE(refused.has_value());
      EXPECT_EQ(refused.error().code, Code::unwrap);
    }
  }
}

TEST(External, scrypt_known_answers) {
  const auto short_one = scrypt({}, {}, {16, 1, 1}, 64);
  ASSERT_TRUE(short_one.has_value());
  EXPECT_EQ(to_hex(short_one->view()),
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
            "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
  const auto longer = scrypt(as_bytes("password"), as_bytes("NaCl"), {1024, 8, 16}, 64);
  ASSERT_TRUE(longer.has_value());
  EXPECT_EQ(to_hex(longer->view()),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

TEST(External, scrypt_refuses_costs_that_are_none) {
  for (const ScryptCost cost : {ScryptCost{3, 8, 1}, ScryptCost{1, 8, 1}, ScryptCost{0, 8, 1},
                                ScryptCost{1ULL << 40, 8, 1}}) {
    const auto key = scrypt(as_bytes("p"), as_bytes("s"), cost, 32);
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().code, Code::schema);
  }
}

}  // namespace
}  // namespace ams::crypto
