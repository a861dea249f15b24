// Goal: when an object that held a secret is gone, so is the secret: from the heap, given back or
// not, from the stack, from static data (spec ALG-4 keeps private forms off the wire; this keeps
// them out of core dumps and swap).
// Method: known secrets, used in every way this room has, then a search of all writable memory. The
// search is shown to find what is left behind.
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/crypto.h"
#include "crypto/test_keys.h"
#include "crypto/test_memory.h"
#include "crypto/vrf.h"

namespace ams::crypto {
namespace {

using testing::Needle;

/// A secret that stands nowhere in the program's data: computed, and wiped by its owner.
Secret secret_of(std::uint8_t number, std::size_t size = 32) {
  Secret out(size);
  for (std::size_t i = 0; i < size; ++i)
    out.data()[i] = static_cast<std::uint8_t>(number + i * 37 + i * i * 11);
  return out;
}

class Memory : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!AMS_MEMORY_CAN_BE_SEARCHED) GTEST_SKIP() << "not under a sanitizer";
  }
};

TEST_F(Memory, the_search_finds_what_is_left_behind) {
  const Needle needle(secret_of(1).view());
  EXPECT_EQ(needle.copies(), 0u);
  {
    Bytes large(5000);
    const Secret secret = secret_of(1);
    std::copy_n(secret.view().begin(), secret.size(), large.begin() + 2000);
    EXPECT_EQ(needle.copies(), 4u);  // both halves of both
  }
  EXPECT_EQ(needle.copies(), 2u);  // given back unwiped
  const std::string text = to_base64url(secret_of(2).view());
  EXPECT_EQ(Needle::base64url_of(secret_of(2).view()).copies(), 2u);
}

TEST_F(Memory, secrets_and_generators) {
  const Needle needle(secret_of(3).view());
  {
    Secret secret = secret_of(3);
    const Secret copy = secret.clone();
    Secret moved = std::move(secret);
    secret = secret_of(4);
    Drbg drbg(copy.view());
    drbg.bytes(1000);
    const Secret adopted = Secret::adopt(to_bytes(copy.view()));
    EXPECT_TRUE(equal_constant_time(moved.view(), adopted.view()));
    EXPECT_GT(needle.copies(), 0u);
  }
  EXPECT_EQ(needle.copies(), 0u);
}

TEST_F(Memory, derived_secrets) {
  const Needle key(secret_of(5).view());
  const Needle derived(hkdf(Bytes(24, 1), secret_of(5).view(), as_bytes("info"), 32).view());
  const Needle prk(hkdf_extract(Bytes(24, 1), secret_of(5).view()).view());
  for (int i = 0; i < 3; ++i) hkdf(Bytes(24, 1), secret_of(5).view(), as_bytes("info"), 32);
  EXPECT_EQ(key.copies(), 0u);
  EXPECT_EQ(prk.copies(), 0u);
  EXPECT_EQ(derived.copies(), 0u);
}

TEST_F(Memory, signing_keys) {
  const Needle needle(secret_of(6).view());
  {
    SigningKey key = SigningKey::ed25519_from_seed(secret_of(6).view());
    const SigningKey moved = std::move(key);
    EXPECT_TRUE(moved.sign(as_bytes("message")));
    EXPECT_EQ(moved.private_raw().size(), 32u);
    EXPECT_GT(needle.copies(), 0u);
  }
  EXPECT_EQ(needle.copies(), 0u);
}

TEST_F(Memory, decryption_keys_and_ephemerals) {
  const Needle key_needle(secret_of(7).view());
  const Needle ephemeral_needle(secret_of(8).view());
  const Needle content_needle(secret_of(9).view());
  {
    const DecryptionKey key = DecryptionKey::x25519_from_seed(secret_of(7).view());
    const auto to = EncryptionKey::from_raw(Kem::x25519, key.public_raw());
    const Ephemeral ephemeral = Ephemeral::from_seed(secret_of(8).view());
    const auto wrapped =
        hpke_seal(*to, Aead::a256gcm, as_bytes("info"), secret_of(9).view(), &ephemeral);
    const auto opened =
        hpke_open(key, Aead::a256gcm, wrapped->enc, as_bytes("info"), wrapped->ciphertext);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(equal_constant_time(key.private_raw().view(), secret_of(7).view()));
    EXPECT_GT(content_needle.copies(), 0u);
  }
  EXPECT_EQ(key_needle.copies(), 0u);
  EXPECT_EQ(ephemeral_needle.copies(), 0u);
  EXPECT_EQ(content_needle.copies(), 0u);
}

TEST_F(Memory, rsa_keys) {
  // The text of the key is in the program; what must go is the key as bytes: 32 bytes of the
  // private exponent and of a prime, wherever PKCS#8 has them.
  const auto part = [](std::size_t at) {
    Bytes der = from_base64url(test_keys::rsa2048[3]).value();
    Needle out(ByteView(der).subspan(at, 32));
    wipe(der.data(), der.size());
    return out;
  };
  const Needle exponent = part(350), prime = part(620);
  {
    const Secret der = Secret::adopt(from_base64url(test_keys::rsa2048[3]).value());
    const auto signing = SigningKey::from_private(SigAlg::rsa2048pss, der.view());
    const auto decryption = DecryptionKey::from_private(Kem::rsa2048kem, der.view());
    ASSERT_TRUE(signing && decryption);
    const Secret again = signing->private_raw();
    EXPECT_TRUE(equal_constant_time(again.view(), der.view()));
    EXPECT_TRUE(signing->sign(as_bytes("message")));
    const auto to = EncryptionKey::from_raw(Kem::rsa2048kem, decryption->public_raw());
    const auto wrapped =
        hpke_seal(*to, Aead::a256gcm, as_bytes("info"), secret_of(10).view(), nullptr);
    EXPECT_TRUE(
        hpke_open(*decryption, Aead::a256gcm, wrapped->enc, as_bytes("info"), wrapped->ciphertext));
    EXPECT_GT(exponent.copies(), 0u);
  }
  EXPECT_EQ(exponent.copies(), 0u);
  EXPECT_EQ(prime.copies(), 0u);
}

TEST_F(Memory, stream_keys_and_plaintext_of_unfinished_streams) {
  const Needle key(secret_of(11).view());
  const Needle plain(secret_of(12, 64).view());
  {
    const Secret secret = secret_of(11);
    Bytes sealed;
    StreamSealer sealer(Aead::a256gcm, secret.view(), as_bytes("context"), Bytes(24, 2));
    sealer.push(secret_of(12, 64).view(), sealed);
    sealer.finish(sealed);
    auto opened = stream_open(Aead::a256gcm, secret.view(), as_bytes("context"), sealed);
    ASSERT_TRUE(opened);
    const Secret owned = Secret::adopt(std::move(*opened));
    sealed.back() ^= 1;
    EXPECT_FALSE(stream_open(Aead::a256gcm, secret.view(), as_bytes("context"), sealed));
  }
  EXPECT_EQ(key.copies(), 0u);
  EXPECT_EQ(plain.copies(), 0u);
}

TEST_F(Memory, vrf_keys) {
  const Needle needle(secret_of(13).view());
  {
    const VrfKey key = VrfKey::from_seed(secret_of(13).view());
    EXPECT_FALSE(key.prove(as_bytes("label")).empty());
  }
  EXPECT_EQ(needle.copies(), 0u);
}

}  // namespace
}  // namespace ams::crypto
