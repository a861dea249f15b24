// Goal: proofs are those of RFC 9381 byte for byte, each has one hash, and nothing else verifies.
// Method: the three examples of its appendix B.1, every changed bit, other keys and inputs, scalars
// and points at their limits, and properties over random keys and inputs.
#include "crypto/vrf.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "crypto/test_data.h"

namespace ams::crypto {
namespace {

using test_data::hex;
using test_data::own;

constexpr std::string_view order_hex =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

template <class T>
Code vrf_refusal(const Result<T>& result) {
  EXPECT_FALSE(result);
  return result ? Code{} : result.error().code;
}

TEST(Vrf, rfc9381_known_answers) {
  struct Case {
    std::string_view scalar, public_key, alpha, proof, hash;
  };
  const std::array<Case, 3> cases{
      {{"c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6", "sample",
        "035b5c726e8c0e2c488a107c600578ee75cb702343c153cb1eb8dec77f4b5071b4a53f0a46f018bc2c56e58d38"
        "3f2305e0975972c26feea0eb122fe7893c15af376b33edf7de17c6ea056d4d82de6bc02f",
        "a3ad7b0ef73d8fc6655053ea22f9bede8c743f08bbed3d38821f0e16474b505e"},
       {"c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6", "test",
        "034dac60aba508ba0c01aa9be80377ebd7562c4a52d74722e0abae7dc3080ddb56c19e067b15a8a8174905b136"
        "17804534214f935b94c2287f797e393eb0816969d864f37625b443f30f1a5a33f2b3c854",
        "a284f94ceec2ff4b3794629da7cbafa49121972671b466cab4ce170aa365f26d"},
       {"2ca1411a41b17b24cc8c3b089cfd033f1920202a6c0de8abb97df1498d50d2c8",
        "03596375e6ce57e0f20294fc46bdfcfd19a39f8161b58695b3ec5b3d16427c274d",
        "Example using ECDSA key from Appendix L.4.2 of ANSI.X9-62-2005",
        "03d03398bf53aa23831d7d1b2937e005fb0062cbefa06796579f2a1fc7e7b8c667d091c00b0f5c3619d10ecea4"
        "4363b5a599cadc5b2957e223fec62e81f7b4825fc799a771a3d7334b9186bdbee87316b1",
        "90871e06da5caa39a3c61578ebb844de8635e27ac0b13e829997d0d95dd98c19"}}};
  for (const Case& c : cases) {
    const VrfKey key = *VrfKey::from_private(hex(c.scalar));
    EXPECT_EQ(to_hex(key.public_raw()), c.public_key);
    EXPECT_EQ(to_hex(key.private_raw().view()), c.scalar);
    const Bytes proof = key.prove(as_bytes(c.alpha));
    EXPECT_EQ(to_hex(proof), c.proof);
    EXPECT_EQ(to_hex(vrf_verify(hex(c.public_key), as_bytes(c.alpha), proof).value()), c.hash);
    EXPECT_EQ(to_hex(vrf_proof_to_hash(proof).value()), c.hash);
  }
}

TEST(Vrf, every_changed_bit_is_refused) {
  const VrfKey key = VrfKey::from_seed(Bytes(32, 7));
  const Bytes alpha{1, 2, 3};
  const Bytes proof = key.prove(alpha);
  for (std::size_t bit = 0; bit < 8 * proof.size(); ++bit) {
    Bytes changed = proof;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_EQ(vrf_refusal(vrf_verify(key.public_raw(), alpha, changed)), Code::vrf_proof) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * alpha.size(); ++bit) {
    Bytes changed = alpha;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_EQ(vrf_refusal(vrf_verify(key.public_raw(), changed, proof)), Code::vrf_proof) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * vrf_public_size; ++bit) {
    Bytes changed = key.public_raw();
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const Code expected = vrf_check_key(changed) ? Code::vrf_proof : Code::key_material;
    EXPECT_EQ(vrf_refusal(vrf_verify(changed, alpha, proof)), expected) << bit;
  }
}

TEST(Vrf, lengths_are_exact) {
  const VrfKey key = VrfKey::from_seed(Bytes(32, 8));
  const Bytes proof = key.prove({});
  EXPECT_TRUE(vrf_verify(key.public_raw(), {}, proof));
  for (std::size_t size = 0; size <= 2 * vrf_proof_size; ++size) {
    if (size == vrf_proof_size) continue;
    Bytes other = proof;
    other.resize(size);
    EXPECT_EQ(vrf_refusal(vrf_verify(key.public_raw(), {}, other)), Code::vrf_proof) << size;
    EXPECT_EQ(vrf_refusal(vrf_proof_to_hash(other)), Code::vrf_proof) << size;
  }
}

TEST(Vrf, public_keys_are_compressed_points_and_nothing_else) {
  const Bytes good = VrfKey::from_seed(Bytes(32, 9)).public_raw();
  EXPECT_TRUE(vrf_check_key(good));
  const Bytes generator_uncompressed =
      hex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
          "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
  Bytes hybrid = generator_uncompressed;
  hybrid[0] = 0x07;
  Bytes at_field = hex("02ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
  Bytes no_point = good;
  while (vrf_check_key(no_point)) ++no_point[32];
  const std::vector<Bytes> bad{{},     {0x00},   Bytes(33), generator_uncompressed,
                               hybrid, at_field, no_point};
  for (const Bytes& raw : bad) {
    EXPECT_EQ(vrf_refusal(vrf_check_key(raw)), Code::key_material) << to_hex(raw);
    EXPECT_EQ(vrf_refusal(vrf_verify(raw, {}, Bytes(81))), Code::key_material) << to_hex(raw);
  }
  for (unsigned form = 0; form < 256; ++form) {
    Bytes raw = good;
    raw[0] = static_cast<std::uint8_t>(form);
    EXPECT_EQ(vrf_check_key(raw).has_value(), form == 2 || form == 3) << form;
  }
}

TEST(Vrf, scalars_are_below_the_order_and_not_zero) {
  const Bytes order = hex(order_hex);
  Bytes last = order;
  --last[31];
  Bytes one(32);
  one[31] = 1;
  EXPECT_TRUE(VrfKey::from_private(one));
  EXPECT_TRUE(VrfKey::from_private(last));
  for (const Bytes& bad : {order, Bytes(32), Bytes(32, 0xff), Bytes(31, 1), Bytes(33, 1), Bytes{}})
    EXPECT_EQ(vrf_refusal(VrfKey::from_private(bad)), Code::key_material) << to_hex(bad);
  const VrfKey key = *VrfKey::from_private(last);
  Bytes proof = key.prove({});
  EXPECT_TRUE(vrf_verify(key.public_raw(), {}, proof));
  std::copy(order.begin(), order.end(), proof.begin() + 49);
  const auto refused = vrf_proof_to_hash(proof);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "scalar");
  std::copy(last.begin(), last.end(), proof.begin() + 49);
  EXPECT_TRUE(vrf_proof_to_hash(proof));
  EXPECT_EQ(vrf_refusal(vrf_verify(key.public_raw(), {}, proof)), Code::vrf_proof);
}

TEST(Vrf, seeds_give_their_keys) {
  const VrfKey a = VrfKey::from_seed(Bytes(32, 1));
  EXPECT_EQ(a.public_raw(), VrfKey::from_seed(Bytes(32, 1)).public_raw());
  EXPECT_NE(a.public_raw(), VrfKey::from_seed(Bytes(32, 2)).public_raw());
  EXPECT_EQ(VrfKey::from_private(own(a.private_raw()))->public_raw(), a.public_raw());
}

RC_GTEST_PROP(VrfProperty, verifies_and_hashes_alike, (const Bytes& seed, const Bytes& alpha)) {
  const VrfKey key = VrfKey::from_seed(sha256(seed));
  const Bytes proof = key.prove(alpha);
  RC_ASSERT(proof == key.prove(alpha));
  const auto hash = vrf_verify(key.public_raw(), alpha, proof);
  RC_ASSERT(hash.has_value());
  RC_ASSERT(*hash == *vrf_proof_to_hash(proof));
}

RC_GTEST_PROP(VrfProperty, other_keys_and_inputs_are_refused,
              (const Bytes& seed, const Bytes& alpha, const Bytes& other)) {
  RC_PRE(alpha != other);
  const VrfKey key = VrfKey::from_seed(sha256(seed));
  const Bytes proof = key.prove(alpha);
  const auto of_other = vrf_verify(key.public_raw(), other, proof);
  RC_ASSERT(!of_other.has_value() && of_other.error().code == Code::vrf_proof);
  const VrfKey stranger = VrfKey::from_seed(sha256(other));
  RC_PRE(stranger.public_raw() != key.public_raw());
  RC_ASSERT(!vrf_verify(stranger.public_raw(), alpha, proof).has_value());
  RC_ASSERT(key.prove(other) != proof);
}

}  // namespace
}  // namespace ams::crypto
