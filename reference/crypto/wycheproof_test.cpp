// Goal: no known trick of Project Wycheproof's collection passes our forms of the primitives.
// Method: each vector's verdict against ours; a count shows that the file was really read.
#include <gtest/gtest.h>

#include "crypto/evp.h"
#include "crypto/kem.h"
#include "crypto/test_data.h"

namespace ams::crypto {
namespace {

using test_data::hex;
using test_data::own;

template <class Check>
int each_vector(const nlohmann::json& file, Check check) {
  int count = 0;
  for (const auto& group : file.at("testGroups")) {
    for (const auto& vector : group.at("tests")) {
      SCOPED_TRACE("tcId " + std::to_string(vector.at("tcId").get<int>()));
      if (check(group, vector)) ++count;
    }
  }
  return count;
}

bool valid(const nlohmann::json& vector) { return vector.at("result") == "valid"; }

bool flagged(const nlohmann::json& vector, std::string_view flag) {
  const auto& flags = vector.at("flags");
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

TEST(Wycheproof, ed25519) {
  AMS_THIRD_PARTY(file, "wycheproof/ed25519_test.json");
  const int count = each_vector(*file, [](const auto& group, const auto& vector) {
    const auto key = VerifyKey::from_raw(SigAlg::ed25519, hex(group.at("publicKey").at("pk")));
    const bool good = key && key->verify(hex(vector.at("msg")), hex(vector.at("sig")));
    EXPECT_EQ(good, valid(vector));
    return true;
  });
  EXPECT_EQ(count, file->at("numberOfTests"));
}

void rsa_pss(SigAlg alg, std::string_view path) {
  AMS_THIRD_PARTY(file, path);
  const int count = each_vector(*file, [&](const auto& group, const auto& vector) {
    const Bytes modulus = hex(group.at("publicKey").at("modulus"));
    const auto key = VerifyKey::from_raw(alg, ByteView(modulus).subspan(1));  // ASN.1's sign byte
    EXPECT_TRUE(key);
    const bool good = key && key->verify(hex(vector.at("msg")), hex(vector.at("sig")));
    EXPECT_EQ(good, valid(vector));
    return true;
  });
  EXPECT_EQ(count, file->at("numberOfTests"));
}
TEST(Wycheproof, rsa2048pss) {
  rsa_pss(SigAlg::rsa2048pss, "wycheproof/rsa_pss_2048_sha256_mgf1_32_test.json");
}
TEST(Wycheproof, rsa3072pss) {
  rsa_pss(SigAlg::rsa3072pss, "wycheproof/rsa_pss_3072_sha256_mgf1_32_test.json");
}
TEST(Wycheproof, rsa4096pss) {
  rsa_pss(SigAlg::rsa4096pss, "wycheproof/rsa_pss_4096_sha256_mgf1_32_test.json");
}

TEST(Wycheproof, x25519) {
  AMS_THIRD_PARTY(file, "wycheproof/x25519_test.json");
  const int count = each_vector(*file, [](const auto&, const auto& vector) {
    const Bytes public_raw = hex(vector.at("public"));
    const bool zero = flagged(vector, "ZeroSharedSecret");
    EXPECT_EQ(EncryptionKey::from_raw(Kem::x25519, public_raw).has_value(), !zero);
    const auto key = evp::key_from_raw_private(EVP_PKEY_X25519, hex(vector.at("private")));
    const evp::KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
    AMS_ASSERT(EVP_PKEY_derive_init(context.get()) == 1);
    const auto secret = x25519(context, evp::key_from_raw_public(EVP_PKEY_X25519, public_raw));
    EXPECT_EQ(secret.has_value(), !zero);
    if (secret) {
      EXPECT_EQ(own(*secret), hex(vector.at("shared")));
    }
    return true;
  });
  EXPECT_EQ(count, file->at("numberOfTests"));
}

int check_aead(Aead aead, const nlohmann::json& file) {
  return each_vector(file, [&](const auto& group, const auto& vector) {
    if (group.at("keySize") != 256 || group.at("ivSize") != 96 || group.at("tagSize") != 128) {
      return false;
    }
    const Bytes key = hex(vector.at("key"));
    const Bytes nonce = hex(vector.at("iv"));
    const Bytes aad = hex(vector.at("aad"));
    Bytes sealed = hex(vector.at("ct"));
    append(sealed, hex(vector.at("tag")));
    const auto opened = aead_open(aead, key, nonce, aad, sealed);
    EXPECT_EQ(opened.has_value(), valid(vector));
    if (opened) {
      EXPECT_EQ(*opened, hex(vector.at("msg")));
      EXPECT_EQ(*aead_seal(aead, key, nonce, aad, *opened), sealed);
    } else {
      EXPECT_EQ(opened.error().code, Code::chunk);
    }
    return true;
  });
}
TEST(Wycheproof, a256gcm) {
  AMS_THIRD_PARTY(file, "wycheproof/aes_gcm_test.json");
  EXPECT_GT(check_aead(Aead::a256gcm, *file), 50);
}
TEST(Wycheproof, c20p1305) {
  AMS_THIRD_PARTY(file, "wycheproof/chacha20_poly1305_test.json");
  EXPECT_GT(check_aead(Aead::c20p1305, *file), 200);
}

TEST(Wycheproof, hkdf_sha256) {
  AMS_THIRD_PARTY(file, "wycheproof/hkdf_sha256_test.json");
  const int count = each_vector(*file, [](const auto&, const auto& vector) {
    const auto size = vector.at("size").template get<std::size_t>();
    if (!valid(vector)) {
      EXPECT_GT(size, 255u * 32u);  // our precondition
      return false;
    }
    const Secret okm =
        hkdf(hex(vector.at("salt")), hex(vector.at("ikm")), hex(vector.at("info")), size);
    EXPECT_EQ(own(okm), hex(vector.at("okm")));
    return true;
  });
  EXPECT_GT(count, 50);
}

TEST(Wycheproof, hmac_sha256) {
  AMS_THIRD_PARTY(file, "wycheproof/hmac_sha256_test.json");
  const int count = each_vector(*file, [](const auto&, const auto& vector) {
    Bytes tag = own(hmac_sha256(hex(vector.at("key")), hex(vector.at("msg"))));
    const Bytes wanted = hex(vector.at("tag"));
    tag.resize(wanted.size());  // some vectors truncate
    EXPECT_EQ(tag == wanted, valid(vector));
    return true;
  });
  EXPECT_EQ(count, file->at("numberOfTests"));
}

}  // namespace
}  // namespace ams::crypto
