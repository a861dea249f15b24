// Goal: hashing, derivation, the generator, names and padding are what their standards say.
// Method: the RFCs' known answers, and rapidcheck for what must hold of every input.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "crypto/test_data.h"

namespace ams::crypto {
namespace {

using test_data::hex;
using test_data::own;

TEST(Sha256, known_answers) {
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, in_pieces_is_the_same_hash) {
  EXPECT_TRUE(rc::check([](const std::vector<Bytes>& pieces) {
    Sha256 hasher;
    Bytes whole;
    for (const Bytes& piece : pieces) {
      hasher.update(piece);
      append(whole, piece);
    }
    RC_ASSERT(hasher.finish() == sha256(whole));
  }));
}

TEST(Hmac, rfc4231_known_answers) {
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(20, 0x0b), as_bytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(131, 0xaa),
                               as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hkdf, rfc5869_known_answers) {
  const Bytes ikm(22, 0x0b);
  const Bytes salt = hex("000102030405060708090a0b0c");
  const Secret prk = hkdf_extract(salt, ikm);
  EXPECT_EQ(to_hex(prk.view()), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  const Bytes info = hex("f0f1f2f3f4f5f6f7f8f9");
  const std::string okm =
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
  EXPECT_EQ(to_hex(hkdf_expand(prk.view(), info, 42).view()), okm);
  EXPECT_EQ(to_hex(hkdf(salt, ikm, info, 42).view()), okm);
  EXPECT_EQ(to_hex(hkdf({}, ikm, {}, 42).view()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

// The zero key's ChaCha20 keystream, blocks 0 and 1 (draft-agl-tls-chacha20poly1305, RFC 8439 A.1).
constexpr std::string_view zero_key_stream =
    "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
    "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
    "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
    "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f";

TEST(Drbg, is_the_chacha20_keystream) {
  EXPECT_EQ(to_hex(Drbg(Bytes(32)).bytes(128)), zero_key_stream);
  Drbg words(Bytes(32));
  EXPECT_EQ(words.u64(), 0x76b8e0ada0f13d90u);
  EXPECT_EQ(words.u64(), 0x405d6ae55386bd28u);
  EXPECT_EQ(to_hex(words.array<4>()), "bdd219b8");
}

TEST(Drbg, pieces_do_not_change_the_stream) {
  EXPECT_TRUE(rc::check([](const std::array<std::uint8_t, 32>& seed) {
    const auto sizes =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 300));
    Drbg in_pieces(seed);
    Bytes pieces;
    for (const std::size_t size : sizes) append(pieces, in_pieces.bytes(size));
    RC_ASSERT(pieces == Drbg(seed).bytes(pieces.size()));
  }));
}

TEST(Registry, names_are_found_again_and_no_others) {
  for (const auto alg :
       {SigAlg::ed25519, SigAlg::rsa2048pss, SigAlg::rsa3072pss, SigAlg::rsa4096pss})
    EXPECT_EQ(find_sig_alg(name(alg)), alg);
  for (const auto kem : {Kem::x25519, Kem::rsa2048kem, Kem::rsa3072kem, Kem::rsa4096kem})
    EXPECT_EQ(find_kem(name(kem)), kem);
  for (const auto aead : {Aead::a256gcm, Aead::c20p1305}) EXPECT_EQ(find_aead(name(aead)), aead);
  EXPECT_EQ(name(SigAlg::rsa3072pss), "rsa3072pss");
  EXPECT_EQ(name(Kem::rsa4096kem), "rsa4096kem");
  EXPECT_EQ(name(Aead::c20p1305), "c20p1305");
  EXPECT_FALSE(find_sig_alg("Ed25519"));
  EXPECT_FALSE(find_kem("ed25519"));
  EXPECT_FALSE(find_aead(""));
}

TEST(Padme, known_answers) {
  const std::array<std::array<std::uint64_t, 2>, 12> cases{{{0, 0},
                                                            {1, 1},
                                                            {2, 2},
                                                            {8, 8},
                                                            {9, 10},
                                                            {17, 18},
                                                            {100, 104},
                                                            {1000, 1024},
                                                            {1025, 1088},
                                                            {4097, 4352},
                                                            {16385, 17408},
                                                            {1'000'000, 1'015'808}}};
  for (const auto& [length, padded] : cases) EXPECT_EQ(padme(length), padded) << length;
}

TEST(Padme, is_at_most_12_percent_more_and_stays_where_it_is) {
  EXPECT_TRUE(rc::check([] {
    const auto length = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 48);
    const std::uint64_t padded = padme(length);
    RC_ASSERT(padded >= length);
    RC_ASSERT((padded - length) * 100 <= length * 12);
    RC_ASSERT(padme(padded) == padded);
    RC_ASSERT(padme(length + 1) >= padded);
  }));
}

TEST(Aead, round_trips_and_refuses_changes) {
  EXPECT_TRUE(rc::check([](const Bytes& aad, const Bytes& plaintext) {
    const auto aead = *rc::gen::element(Aead::a256gcm, Aead::c20p1305);
    const Bytes key(32, 7);
    const Bytes nonce(12, 9);
    const auto sealed = aead_seal(aead, key, nonce, aad, plaintext);
    RC_ASSERT(sealed && sealed->size() == plaintext.size() + aead_tag_size);
    RC_ASSERT(aead_open(aead, key, nonce, aad, *sealed) == plaintext);
    Bytes changed = *sealed;
    changed[*rc::gen::inRange<std::size_t>(0, changed.size())] ^= 1;
    const auto opened = aead_open(aead, key, nonce, aad, changed);
    RC_ASSERT(!opened && opened.error().code == Code::chunk);
    const auto short_one = aead_open(aead, key, nonce, aad, ByteView(*sealed).first(15));
    RC_ASSERT(!short_one && short_one.error().code == Code::chunk);
  }));
}

}  // namespace
}  // namespace ams::crypto
