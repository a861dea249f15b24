// Goal: signatures are those of RFC 8032 and RFC 8017, and nothing else verifies.
// Method: known answers, every algorithm's round trip, single changed bits, and bad keys.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <rapidcheck.h>

#include <thread>

#include "crypto/test_data.h"
#include "crypto/test_keys.h"

namespace ams::crypto {
namespace {

using test_data::base64;
using test_data::hex;

SigningKey test_signing_key(SigAlg alg) {
  switch (alg) {
    case SigAlg::ed25519:
      return SigningKey::ed25519_from_seed(Bytes(32, 0x42));
    case SigAlg::rsa2048pss:
      return *SigningKey::from_private(alg, base64(test_keys::rsa2048[0]));
    case SigAlg::rsa3072pss:
      return *SigningKey::from_private(alg, base64(test_keys::rsa3072[0]));
    case SigAlg::rsa4096pss:
      return *SigningKey::from_private(alg, base64(test_keys::rsa4096[0]));
  }
  std::abort();
}

constexpr std::array all_algorithms{SigAlg::ed25519, SigAlg::rsa2048pss, SigAlg::rsa3072pss,
                                    SigAlg::rsa4096pss};

Code refusal(const Result<>& result) {
  EXPECT_FALSE(result);
  return result ? Code{} : result.error().code;
}

TEST(Ed25519, rfc8032_known_answers) {
  struct Case {
    std::string_view seed, public_key, message, signature;
  };
  const std::array<Case, 2> cases{
      {{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b"},
       {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
        "f11d8c387b2eaeb4302aeeb00d291612bb0c00"}}};
  for (const Case& c : cases) {
    const auto key = SigningKey::ed25519_from_seed(hex(c.seed));
    EXPECT_EQ(to_hex(key.public_raw()), c.public_key);
    EXPECT_EQ(to_hex(key.private_raw().view()), c.seed);
    EXPECT_EQ(to_hex(*key.sign(hex(c.message))), c.signature);
    const auto verifier = VerifyKey::from_raw(SigAlg::ed25519, hex(c.public_key));
    EXPECT_TRUE(verifier->verify(hex(c.message), hex(c.signature)));
  }
}

TEST(Sign, every_algorithm_round_trips_and_refuses_any_change) {
  for (const SigAlg alg : all_algorithms) {
    const SigningKey key = test_signing_key(alg);
    EXPECT_EQ(key.alg(), alg);
    const auto verifier = *VerifyKey::from_raw(alg, key.public_raw());
    EXPECT_EQ(verifier.alg(), alg);
    EXPECT_EQ(verifier.raw(), key.public_raw());
    const Bytes message = to_bytes("one message");
    const Bytes signature = *key.sign(message);
    EXPECT_TRUE(verifier.verify(message, signature)) << name(alg);
    EXPECT_EQ(refusal(verifier.verify(as_bytes("one messagf"), signature)), Code::signature);
    for (std::size_t at = 0; at < signature.size(); at += 7) {
      Bytes changed = signature;
      changed[at] ^= static_cast<std::uint8_t>(1 << (at % 8));
      EXPECT_EQ(refusal(verifier.verify(message, changed)), Code::signature) << name(alg) << at;
    }
    Bytes longer = signature;
    longer.push_back(0);
    EXPECT_EQ(refusal(verifier.verify(message, longer)), Code::signature);
    EXPECT_EQ(refusal(verifier.verify(message, ByteView(signature).first(signature.size() - 1))),
              Code::signature);
    EXPECT_EQ(refusal(verifier.verify(message, {})), Code::signature);
  }
}

TEST(Sign, private_forms_round_trip) {
  for (const SigAlg alg : all_algorithms) {
    const SigningKey key = test_signing_key(alg);
    const auto again = SigningKey::from_private(alg, key.private_raw().view());
    ASSERT_TRUE(again) << name(alg);
    EXPECT_EQ(again->public_raw(), key.public_raw());
    const auto verifier = *VerifyKey::from_raw(alg, key.public_raw());
    EXPECT_TRUE(verifier.verify(as_bytes("m"), *again->sign(as_bytes("m"))));
  }
}

TEST(Sign, a_generated_rsa_key_works) {
  const auto key = SigningKey::generate_rsa(SigAlg::rsa2048pss);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->public_raw().size(), 256u);
  const auto verifier = VerifyKey::from_raw(SigAlg::rsa2048pss, key->public_raw());
  EXPECT_TRUE(verifier->verify(as_bytes("m"), *key->sign(as_bytes("m"))));
}

// PSS leaves the salt's length to the signer; the protocol does not (spec SIG).
TEST(RsaPss, a_salt_of_another_length_is_refused) {
  const Bytes der = base64(test_keys::rsa2048[0]);
  const unsigned char* cursor = der.data();
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &cursor, static_cast<long>(der.size()));
  const auto verifier =
      *VerifyKey::from_raw(SigAlg::rsa2048pss, test_signing_key(SigAlg::rsa2048pss).public_raw());
  const Hash digest = sha256(as_bytes("m"));
  for (const int salt_size : {0, 20, 31, 32, 33, 64}) {
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key, nullptr);
    ASSERT_EQ(EVP_PKEY_sign_init(context), 1);
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_signature_md(context, EVP_sha256());
    EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt_size);
    Bytes signature(256);
    std::size_t size = signature.size();
    ASSERT_EQ(EVP_PKEY_sign(context, signature.data(), &size, digest.data(), digest.size()), 1);
    EXPECT_EQ(verifier.verify(as_bytes("m"), signature).has_value(), salt_size == 32) << salt_size;
    EVP_PKEY_CTX_free(context);
  }
  EVP_PKEY_free(key);
}

Code public_refusal(SigAlg alg, ByteView raw) {
  const auto key = VerifyKey::from_raw(alg, raw);
  EXPECT_FALSE(key) << to_hex(raw);
  return key ? Code{} : key.error().code;
}

TEST(VerifyKey, refuses_what_is_no_modulus) {
  const Bytes n = test_signing_key(SigAlg::rsa2048pss).public_raw();
  Bytes even = n;
  even.back() &= 0xfe;
  Bytes low = n;
  low.front() &= 0x7f;
  for (const ByteView raw : {ByteView(even), ByteView(low), ByteView(n).first(255), ByteView{}}) {
    EXPECT_EQ(public_refusal(SigAlg::rsa2048pss, raw), Code::key_material);
  }
  EXPECT_EQ(public_refusal(SigAlg::rsa3072pss, n), Code::key_material);
  Bytes longer{0};
  append(longer, n);
  EXPECT_EQ(public_refusal(SigAlg::rsa2048pss, longer), Code::key_material);
}

TEST(VerifyKey, refuses_weak_and_second_spellings_of_ed25519) {
  const std::array<std::string_view, 8> weak{
      "0100000000000000000000000000000000000000000000000000000000000000",   // order 1
      "0100000000000000000000000000000000000000000000000000000000000080",   // its other spelling
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",   // order 2
      "0000000000000000000000000000000000000000000000000000000000000000",   // order 4
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",   // order 8
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",   // order 8, x negative
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",   // y = p
      "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};  // y = 2^255 - 1
  for (const auto raw : weak)
    EXPECT_EQ(public_refusal(SigAlg::ed25519, hex(raw)), Code::key_material);
  EXPECT_EQ(public_refusal(SigAlg::ed25519, Bytes(31)), Code::key_material);
  EXPECT_EQ(public_refusal(SigAlg::ed25519, Bytes(33, 9)), Code::key_material);
}

TEST(SigningKey, refuses_foreign_private_forms) {
  const auto code = [](SigAlg alg, ByteView raw) {
    const auto key = SigningKey::from_private(alg, raw);
    EXPECT_FALSE(key);
    return key ? Code{} : key.error().code;
  };
  const Bytes der = base64(test_keys::rsa2048[0]);
  EXPECT_EQ(code(SigAlg::rsa3072pss, der), Code::key_material);
  EXPECT_EQ(code(SigAlg::rsa2048pss, ByteView(der).first(der.size() - 1)), Code::key_material);
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_EQ(code(SigAlg::rsa2048pss, longer), Code::key_material);
  EXPECT_EQ(code(SigAlg::rsa2048pss, {}), Code::key_material);
  EXPECT_EQ(code(SigAlg::ed25519, der), Code::key_material);
}

TEST(Sign, one_key_serves_many_threads) {
  for (const SigAlg alg : {SigAlg::ed25519, SigAlg::rsa2048pss}) {
    const SigningKey key = test_signing_key(alg);
    const auto verifier = *VerifyKey::from_raw(alg, key.public_raw());
    std::array<int, 4> good{};
    {
      std::vector<std::thread> threads;
      for (std::size_t t = 0; t < good.size(); ++t) {
        threads.emplace_back([&, t] {
          for (int i = 0; i < 25; ++i) {
            const Bytes message(t + 1, static_cast<std::uint8_t>(i));
            const auto signature = key.sign(message);
            if (signature && verifier.verify(message, *signature)) ++good[t];
          }
        });
      }
      for (auto& thread : threads) thread.join();
    }
    for (const int count : good) EXPECT_EQ(count, 25) << name(alg);
  }
}

}  // namespace
}  // namespace ams::crypto
