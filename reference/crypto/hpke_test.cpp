// Goal: HPKE is RFC 9180's, with the protocol's RSA-KEM beside it, and nothing altered unwraps.
// Method: the RFC's vectors, RSA-KEM answers made by an independent Python program, properties.
#include "crypto/hpke.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "crypto/test_data.h"
#include "crypto/test_keys.h"

namespace ams::crypto {
namespace {

using test_data::base64;
using test_data::hex;
using test_data::own;

DecryptionKey test_decryption_key(Kem kem) {
  switch (kem) {
    case Kem::x25519:
      return DecryptionKey::x25519_from_seed(Bytes(32, 0x24));
    case Kem::rsa2048kem:
      return *DecryptionKey::from_private(kem, base64(test_keys::rsa2048[0]));
    case Kem::rsa3072kem:
      return *DecryptionKey::from_private(kem, base64(test_keys::rsa3072[0]));
    case Kem::rsa4096kem:
      return *DecryptionKey::from_private(kem, base64(test_keys::rsa4096[0]));
  }
  std::abort();
}

constexpr std::array all_kems{Kem::x25519, Kem::rsa2048kem, Kem::rsa3072kem, Kem::rsa4096kem};

TEST(X25519, rfc7748_known_answers) {
  struct Case {
    std::string_view scalar, point, secret;
  };
  const std::array<Case, 2> cases{
      {{"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
       {"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"}}};
  for (const Case& c : cases) {
    const auto key = evp::key_from_raw_private(EVP_PKEY_X25519, hex(c.scalar));
    const evp::KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
    ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1);
    const auto secret = x25519(context, evp::key_from_raw_public(EVP_PKEY_X25519, hex(c.point)));
    ASSERT_TRUE(secret);
    EXPECT_EQ(to_hex(secret->view()), c.secret);
  }
  EXPECT_EQ(to_hex(DecryptionKey::x25519_from_seed(hex(cases[1].scalar)).public_raw()),
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
}

TEST(Hpke, rfc9180_vectors) {
  AMS_THIRD_PARTY(vectors, "rfc9180/base_x25519_hkdf_sha256.json");
  int checked = 0;
  for (const auto& v : *vectors) {
    if (v.at("aead_id") == 1) continue;  // AES-128-GCM is none of the protocol's
    const Aead aead = v.at("aead_id") == 2 ? Aead::a256gcm : Aead::c20p1305;
    const auto recipient = DecryptionKey::x25519_from_seed(hex(v.at("skRm")));
    EXPECT_EQ(recipient.public_raw(), hex(v.at("pkRm")));
    const auto to = *EncryptionKey::from_raw(Kem::x25519, hex(v.at("pkRm")));
    const auto ephemeral = Ephemeral::from_seed(hex(v.at("sender_seed")));
    const auto sent = Access::encap(to, &ephemeral.key);
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->enc, hex(v.at("enc")));
    const auto received = Access::decap(recipient, sent->enc);
    ASSERT_TRUE(received);
    const Bytes info = hex(v.at("info"));
    const HpkeContext sealer(Kem::x25519, aead, sent->shared_secret.view(), info, Direction::seal);
    const HpkeContext opener(Kem::x25519, aead, received->view(), info, Direction::open);
    std::uint64_t sequence = 0;
    for (const auto& e : v.at("encryptions")) {
      const Bytes aad = hex(e.at("aad"));
      EXPECT_EQ(to_hex(sealer.seal(sequence, aad, hex(e.at("pt")))), e.at("ct"));
      const auto opened = opener.open(sequence, aad, hex(e.at("ct")));
      ASSERT_TRUE(opened);
      EXPECT_EQ(own(*opened), hex(e.at("pt")));
      ++sequence;
      ++checked;
    }
  }
  EXPECT_EQ(checked, 16);
}

// Made with Python (cryptography's AES-GCM and ChaCha20-Poly1305, hashlib's HMAC, raw pow()) for
// test_keys::rsa2048[0], z = 00 00 || (5i+1 mod 256 for i < 254), info "info", content key 00..1f.
TEST(RsaKem, opens_what_an_independent_program_sealed) {
  const Bytes enc = base64(
      "jmjqeLUZw4c9LvO1maPPPnE3nE5sXghY1AQMjIbQD5yRIDyB7YCcJN_W5_hX6gvQC-he-"
      "t63IdDRD3Sa65IluM2OoSMxNGZE3wCtrSNoU2GFm17BZ7KGF1V8KGD8zdECMtf7MouCn0LzES6-"
      "OqOth9IhlUZipGGF9V0-326nSGrkeBleOqsYoCt5-GAUkxYSPcG8VwTAn-LecTSiei-OEeVq9obuTPgoKvQJd6sza9"
      "ALRJRjZw01ZaI9tKDqkEjqfqY_YuxDvpINY6hyVDhurOjpUQTdiW3m0qqrxG4I-"
      "DNjOlQSLRvXLcXitUdobwLo2BlHD5RGb45vN0djXTXH5g");
  const DecryptionKey key = test_decryption_key(Kem::rsa2048kem);
  struct Case {
    Aead aead;
    std::string_view ciphertext;
  };
  const std::array<Case, 2> cases{
      {{Aead::a256gcm,
        "42d92c1b1501d3e458b4013d3a3a35a3adc476aee921740f96097059002c5a1394db88559867fe5a889bfeb04e"
        "f235a2"},
       {Aead::c20p1305,
        "ea8daebb83a20e0cab853d55c29f2c2220ec31ce6342cbfc5689bf39d6c096df2d2d3e06f2f3016af0843226b8"
        "ff6b2a"}}};
  for (const Case& c : cases) {
    const auto opened = hpke_open(key, c.aead, enc, as_bytes("info"), hex(c.ciphertext));
    ASSERT_TRUE(opened) << name(c.aead);
    EXPECT_EQ(to_hex(opened->view()),
              "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  }
}

TEST(Hpke, every_kem_round_trips_and_refuses_changes) {
  const Bytes content_key(32, 0x5c);
  const Bytes info = to_bytes("AMS1");
  const auto ephemeral = Ephemeral::from_seed(Bytes(32, 3));
  for (const Kem kem : all_kems) {
    const DecryptionKey key = test_decryption_key(kem);
    const auto to = *EncryptionKey::from_raw(kem, key.public_raw());
    for (const Aead aead : {Aead::a256gcm, Aead::c20p1305}) {
      const auto wrapped = hpke_seal(to, aead, info, content_key, &ephemeral);
      ASSERT_TRUE(wrapped);
      EXPECT_EQ(wrapped->enc.size(), key.public_raw().size());
      EXPECT_EQ(wrapped->ciphertext.size(), 48u);
      const auto opened = hpke_open(key, aead, wrapped->enc, info, wrapped->ciphertext);
      ASSERT_TRUE(opened) << name(kem);
      EXPECT_EQ(own(*opened), content_key);

      const auto refused = [&](ByteView enc, ByteView its_info, ByteView ciphertext) {
        const auto result = hpke_open(key, aead, enc, its_info, ciphertext);
        return !result && result.error().code == Code::unwrap;
      };
      for (std::size_t at = 0; at < wrapped->enc.size(); at += 31) {
        Bytes enc = wrapped->enc;
        enc[at] ^= 1;
        EXPECT_TRUE(refused(enc, info, wrapped->ciphertext)) << name(kem) << at;
      }
      for (std::size_t at = 0; at < wrapped->ciphertext.size(); ++at) {
        Bytes ciphertext = wrapped->ciphertext;
        ciphertext[at] ^= 0x80;
        EXPECT_TRUE(refused(wrapped->enc, info, ciphertext));
      }
      EXPECT_TRUE(refused(wrapped->enc, as_bytes("AMS2"), wrapped->ciphertext));
      EXPECT_TRUE(refused(wrapped->enc, info, ByteView(wrapped->ciphertext).first(47)));
      EXPECT_TRUE(refused(wrapped->enc, info, {}));
      EXPECT_TRUE(refused({}, info, wrapped->ciphertext));
      EXPECT_TRUE(refused(Bytes(wrapped->enc.size(), 0xff), info, wrapped->ciphertext));
    }
  }
}

TEST(Hpke, the_aeads_are_separate_suites) {
  const DecryptionKey key = test_decryption_key(Kem::x25519);
  const auto to = *EncryptionKey::from_raw(Kem::x25519, key.public_raw());
  const auto ephemeral = Ephemeral::from_seed(Bytes(32, 3));
  const auto wrapped = *hpke_seal(to, Aead::a256gcm, {}, Bytes(32), &ephemeral);
  EXPECT_FALSE(hpke_open(key, Aead::c20p1305, wrapped.enc, {}, wrapped.ciphertext));
}

TEST(Hpke, one_ephemeral_serves_many_recipients) {
  EXPECT_TRUE(rc::check([](const std::array<std::uint8_t, 32>& seed,
                           const std::array<std::uint8_t, 32>& content_key) {
    const auto ephemeral = Ephemeral::from_seed(seed);
    for (std::uint8_t i = 0; i < 3; ++i) {
      const auto key =
          DecryptionKey::x25519_from_seed(Bytes(32, static_cast<std::uint8_t>(40 + i)));
      const auto to = *EncryptionKey::from_raw(Kem::x25519, key.public_raw());
      const auto wrapped = *hpke_seal(to, Aead::a256gcm, as_bytes("i"), content_key, &ephemeral);
      RC_ASSERT(wrapped.enc == ephemeral.key.public_raw());
      const auto opened =
          hpke_open(key, Aead::a256gcm, wrapped.enc, as_bytes("i"), wrapped.ciphertext);
      RC_ASSERT(opened && own(*opened) == own(content_key));
    }
  }));
}

TEST(EncryptionKey, refuses_low_order_points_and_bad_moduli) {
  const std::array<std::string_view, 9> low_order{
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000080",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7"};
  const DecryptionKey key = test_decryption_key(Kem::x25519);
  for (const auto raw : low_order) {
    const auto refused = EncryptionKey::from_raw(Kem::x25519, hex(raw));
    ASSERT_FALSE(refused) << raw;
    EXPECT_EQ(refused.error().code, Code::key_material);
    const auto opened = hpke_open(key, Aead::a256gcm, hex(raw), {}, Bytes(48));
    ASSERT_FALSE(opened) << raw;
    EXPECT_EQ(opened.error(), (Error{Code::unwrap, "enc low order"}));
  }
  Bytes even = test_decryption_key(Kem::rsa2048kem).public_raw();
  even.back() &= 0xfe;
  EXPECT_EQ(EncryptionKey::from_raw(Kem::rsa2048kem, even).error().code, Code::key_material);
  EXPECT_EQ(EncryptionKey::from_raw(Kem::rsa2048kem, Bytes(384, 0xff)).error().code,
            Code::key_material);
  EXPECT_EQ(EncryptionKey::from_raw(Kem::x25519, Bytes(31, 9)).error().code, Code::key_material);
}

TEST(DecryptionKey, private_forms_round_trip) {
  for (const Kem kem : all_kems) {
    const DecryptionKey key = test_decryption_key(kem);
    EXPECT_EQ(key.kem(), kem);
    const auto again = DecryptionKey::from_private(kem, key.private_raw().view());
    ASSERT_TRUE(again) << name(kem);
    EXPECT_EQ(again->public_raw(), key.public_raw());
  }
  const auto generated = DecryptionKey::generate_rsa(Kem::rsa2048kem);
  ASSERT_TRUE(generated);
  EXPECT_EQ(generated->public_raw().size(), 256u);
}

}  // namespace
}  // namespace ams::crypto
