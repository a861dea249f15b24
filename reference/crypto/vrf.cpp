// RFC 9381 section 5 with the choices of section 5.5 for ECVRF-P256-SHA256-TAI: cofactor 1,
// suite 0x01, points in SEC 1's compressed form, integers big-endian, challenges of 16 bytes.
//
// Scalars that are secret (the key, the nonce) meet only EC_POINT_mul, whose P-256 is
// constant-time, and arithmetic modulo the order on numbers marked BN_FLG_CONSTTIME; all of them
// are wiped.
#include "crypto/vrf.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "crypto/evp.h"
#include "crypto/hash.h"
#include "policy/mutant.h"

namespace ams::crypto {
namespace {

constexpr std::size_t vrf_scalar_size = 32;
constexpr std::size_t vrf_challenge_size = 16;
constexpr std::uint8_t vrf_suite = 0x01;

using Point = std::unique_ptr<EC_POINT, evp::Deleter<EC_POINT_free>>;
using Number = std::unique_ptr<BIGNUM, evp::Deleter<BN_clear_free>>;
using Scratch = std::unique_ptr<BN_CTX, evp::Deleter<BN_CTX_free>>;

const EC_GROUP* p256() {
  // Never freed, like the fetched algorithms of evp.cpp.
  static const EC_GROUP* const group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  AMS_ASSERT(group != nullptr);
  return group;
}

const BIGNUM* p256_order() { return EC_GROUP_get0_order(p256()); }

Scratch new_scratch() {
  Scratch out(BN_CTX_new());
  AMS_ASSERT(out);
  return out;
}

Point new_point() {
  Point out(EC_POINT_new(p256()));
  AMS_ASSERT(out);
  return out;
}

Number new_number() {
  Number out(BN_new());
  AMS_ASSERT(out);
  return out;
}

Number public_number(ByteView big_endian) {
  Number out(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr));
  AMS_ASSERT(out);
  return out;
}

Number secret_number(ByteView big_endian) {
  Number out = public_number(big_endian);
  BN_set_flags(out.get(), BN_FLG_CONSTTIME);
  return out;
}

/// string_to_point of RFC 9381 for strings of any length: nothing but a compressed point passes,
/// since the point at infinity and the uncompressed forms of SEC 1 have other lengths.
Point decode_point(ByteView raw, BN_CTX* scratch) {
  if (raw.size() != vrf_public_size) return nullptr;
  Point out = new_point();
  if (EC_POINT_oct2point(p256(), out.get(), raw.data(), raw.size(), scratch) == 1) return out;
  ERR_clear_error();
  return nullptr;
}

Bytes encode_point(const Point& point, BN_CTX* scratch) {
  Bytes out(vrf_public_size);
  const std::size_t size = EC_POINT_point2oct(p256(), point.get(), POINT_CONVERSION_COMPRESSED,
                                              out.data(), out.size(), scratch);
  AMS_ASSERT(size != 0);
  out.resize(size);  // one byte for the point at infinity, else all
  return out;
}

Point times_generator(const BIGNUM* scalar, BN_CTX* scratch) {
  Point out = new_point();
  AMS_ASSERT(EC_POINT_mul(p256(), out.get(), scalar, nullptr, nullptr, scratch) == 1);
  return out;
}

Point times(const Point& point, const BIGNUM* scalar, BN_CTX* scratch) {
  Point out = new_point();
  AMS_ASSERT(EC_POINT_mul(p256(), out.get(), nullptr, point.get(), scalar, scratch) == 1);
  return out;
}

Hash hash_pieces(Pieces pieces) {
  Sha256 state;
  for (const ByteView piece : pieces) state.update(piece);
  return state.finish();
}

/// RFC 9381 section 5.4.1.1: try and increment, salted with the public key.
Point encode_to_curve(ByteView public_raw, ByteView alpha, BN_CTX* scratch) {
  const std::array<std::uint8_t, 2> front{vrf_suite, 0x01};
  for (unsigned counter = 0; counter < 256; ++counter) {
    const std::array<std::uint8_t, 2> back{static_cast<std::uint8_t>(counter), 0x00};
    const Hash x = hash_pieces({front, public_raw, alpha, back});
    std::array<std::uint8_t, vrf_public_size> candidate{0x02};
    std::copy(x.begin(), x.end(), candidate.begin() + 1);
    if (Point point = decode_point(candidate, scratch)) return point;
  }
  AMS_ASSERT(false && "one of 2^256 inputs");
  return nullptr;
}

using Challenge = std::array<std::uint8_t, vrf_challenge_size>;

/// RFC 9381 section 5.4.3.
Challenge challenge(Pieces points) {
  Sha256 state;
  state.update(std::array<std::uint8_t, 2>{vrf_suite, 0x02});
  for (const ByteView point : points) state.update(point);
  state.update(std::array<std::uint8_t, 1>{0x00});
  const Hash digest = state.finish();
  Challenge out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

Hash gamma_hash(ByteView gamma_raw) {
  const std::array<std::uint8_t, 2> front{vrf_suite, 0x03};
  const std::array<std::uint8_t, 1> back{0x00};
  return hash_pieces({front, gamma_raw, back});
}

/// 0 < scalar < order. For a secret one its time tells at most how it compares with the order.
bool is_scalar(ByteView big_endian) {
  const Number number = secret_number(big_endian);
  return BN_is_zero(number.get()) == 0 && BN_cmp(number.get(), p256_order()) < 0;
}

/// RFC 6979 section 3.2 with SHA-256; `message` is the encoded point H (RFC 9381 section 5.4.2.1).
class NonceDraw {
 public:
  NonceDraw(const Secret& scalar, ByteView message) {
    const Hash digest = sha256(message);
    const Number number = public_number(digest);
    if (BN_cmp(number.get(), p256_order()) >= 0)
      AMS_ASSERT(BN_sub(number.get(), number.get(), p256_order()) == 1);
    Hash reduced;
    AMS_ASSERT(BN_bn2binpad(number.get(), reduced.data(), vrf_scalar_size) == vrf_scalar_size);
    v_.fill(0x01);
    k_.fill(0x00);
    for (const std::uint8_t round : std::array<std::uint8_t, 2>{0x00, 0x01}) {
      const std::array<std::uint8_t, 1> octet{round};
      k_ = hmac_sha256(k_, {v_, octet, scalar.view(), reduced});
      v_ = hmac_sha256(k_, v_);
    }
  }
  ~NonceDraw() {
    wipe(k_.data(), k_.size());
    wipe(v_.data(), v_.size());
  }
  NonceDraw(const NonceDraw&) = delete;
  NonceDraw& operator=(const NonceDraw&) = delete;

  Number next() {
    for (;;) {
      v_ = hmac_sha256(k_, v_);
      if (is_scalar(v_)) return secret_number(v_);
      const std::array<std::uint8_t, 1> zero{0x00};
      k_ = hmac_sha256(k_, {v_, zero});
      v_ = hmac_sha256(k_, v_);
    }
  }

 private:
  Hash k_;
  Hash v_;
};

struct DecodedProof {
  ByteView gamma_raw;
  Point gamma;
  ByteView c_raw;
  Number c;
  Number s;
};

/// RFC 9381 section 5.4.4.
/// Of a proof that is not in its one form.
Code vrf_form_code() {
  return mutant("crypto.wrong_code_vrf_form") ? Code::key_material : Code::vrf_proof;
}

Result<DecodedProof> decode_proof(ByteView proof, BN_CTX* scratch) {
  if (proof.size() != vrf_proof_size) return fail(vrf_form_code(), "length");
  DecodedProof out;
  out.gamma_raw = proof.first(vrf_public_size);
  out.gamma = decode_point(out.gamma_raw, scratch);
  if (!out.gamma) return fail(vrf_form_code(), "gamma");
  out.c_raw = proof.subspan(vrf_public_size, vrf_challenge_size);
  out.c = public_number(out.c_raw);
  out.s = public_number(proof.last(vrf_scalar_size));
  if (BN_cmp(out.s.get(), p256_order()) >= 0) return fail(vrf_form_code(), "scalar");
  return out;
}

/// s * base - c * other: U of (B, Y), V of (H, Gamma). No secret takes part.
Point difference(Point s_base, const Point& other, const BIGNUM* c, BN_CTX* scratch) {
  const Point product = times(other, c, scratch);
  AMS_ASSERT(EC_POINT_invert(p256(), product.get(), scratch) == 1);
  AMS_ASSERT(EC_POINT_add(p256(), s_base.get(), s_base.get(), product.get(), scratch) == 1);
  return s_base;
}

/// The key's point; what the mutant lets pass is any form of SEC 1, infinity among them.
Result<Point> decode_key(ByteView raw, BN_CTX* scratch) {
  Point out = decode_point(raw, scratch);
  if (!out && mutant("crypto.skip_vrf_key_check")) {
    out = new_point();
    if (EC_POINT_oct2point(p256(), out.get(), raw.data(), raw.size(), scratch) != 1) out.reset();
    ERR_clear_error();
  }
  if (!out) return fail(Code::key_material, "vrf key");
  return out;
}

}  // namespace

VrfKey VrfKey::from_seed(ByteView seed32) {
  AMS_ASSERT(seed32.size() == vrf_scalar_size);
  const Secret prk = hkdf_extract({}, seed32);
  for (std::uint8_t counter = 0;; ++counter) {
    const std::array<std::uint8_t, 1> octet{counter};
    const Secret scalar = expand_pieces(prk.view(), {as_bytes("AMS-VRF-SEED"), octet}, 32);
    if (auto key = from_private(scalar.view())) return std::move(*key);
  }
}

Result<VrfKey> VrfKey::from_private(ByteView scalar32) {
  if (scalar32.size() != vrf_scalar_size || !is_scalar(scalar32))
    return fail(Code::key_material, "vrf scalar");
  const Scratch scratch = new_scratch();
  const Number x = secret_number(scalar32);
  const Point y = times_generator(x.get(), scratch.get());
  return VrfKey(Secret::copy_of(scalar32), encode_point(y, scratch.get()));
}

Bytes VrfKey::prove(ByteView alpha) const {
  const Scratch scratch = new_scratch();
  const Number x = secret_number(scalar_.view());
  const Point h = encode_to_curve(public_raw_, alpha, scratch.get());
  const Bytes h_raw = encode_point(h, scratch.get());
  const Bytes gamma = encode_point(times(h, x.get(), scratch.get()), scratch.get());
  const Number k = NonceDraw(scalar_, h_raw).next();
  const Bytes u = encode_point(times_generator(k.get(), scratch.get()), scratch.get());
  const Bytes v = encode_point(times(h, k.get(), scratch.get()), scratch.get());
  const Challenge c_raw = challenge({public_raw_, h_raw, gamma, u, v});
  const Number c = secret_number(c_raw);
  const Number product = new_number();
  BN_set_flags(product.get(), BN_FLG_CONSTTIME);
  const Number s = new_number();
  AMS_ASSERT(BN_mod_mul(product.get(), c.get(), x.get(), p256_order(), scratch.get()) == 1);
  AMS_ASSERT(BN_mod_add_quick(s.get(), k.get(), product.get(), p256_order()) == 1);
  Bytes out;
  out.reserve(vrf_proof_size);
  out.insert(out.end(), gamma.begin(), gamma.end());
  out.insert(out.end(), c_raw.begin(), c_raw.end());
  out.resize(vrf_proof_size);
  AMS_ASSERT(BN_bn2binpad(s.get(), out.data() + vrf_public_size + vrf_challenge_size,
                          vrf_scalar_size) == vrf_scalar_size);
  return out;
}

Result<> vrf_check_key(ByteView public_raw) {
  AMS_TRY([[maybe_unused]] const Point point, decode_key(public_raw, nullptr));
  return {};
}

Result<Hash> vrf_verify(ByteView public_raw, ByteView alpha, ByteView proof) {
  const Scratch scratch = new_scratch();
  AMS_TRY(const Point y, decode_key(public_raw, scratch.get()));
  AMS_TRY(const DecodedProof pi, decode_proof(proof, scratch.get()));
  const Point h = encode_to_curve(public_raw, alpha, scratch.get());
  const Point u =
      difference(times_generator(pi.s.get(), scratch.get()), y, pi.c.get(), scratch.get());
  const Point v =
      difference(times(h, pi.s.get(), scratch.get()), pi.gamma, pi.c.get(), scratch.get());
  const Challenge expected =
      challenge({public_raw, encode_point(h, scratch.get()), pi.gamma_raw,
                 encode_point(u, scratch.get()), encode_point(v, scratch.get())});
  const bool same = CRYPTO_memcmp(expected.data(), pi.c_raw.data(), expected.size()) == 0;
  if (!same && !mutant("crypto.skip_vrf_challenge")) return fail(Code::vrf_proof, "challenge");
  return gamma_hash(pi.gamma_raw);
}

Result<Hash> vrf_proof_to_hash(ByteView proof) {
  const Scratch scratch = new_scratch();
  AMS_TRY(const DecodedProof pi, decode_proof(proof, scratch.get()));
  return gamma_hash(pi.gamma_raw);
}

}  // namespace ams::crypto
