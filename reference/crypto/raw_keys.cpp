// Raw key bytes to OpenSSL keys and back (spec ALG-4, KEY-5). Raw parameters, never SPKI: importing
// an RSA key from SPKI costs 20 times as much.
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <bit>

#include "crypto/evp.h"
#include "policy/mutant.h"

namespace ams::crypto::evp {
namespace {

constexpr unsigned public_exponent = 65537;

using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Hidden = std::unique_ptr<BIGNUM, Deleter<BN_clear_free>>;
using Numbers = std::unique_ptr<BN_CTX, Deleter<BN_CTX_free>>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>>;
using Raw32 = std::array<std::uint8_t, 32>;

Number parameter(const Key& key, const char* name) {
  BIGNUM* out = nullptr;
  AMS_ASSERT(EVP_PKEY_get_bn_param(key.get(), name, &out) == 1);
  return Number(out);
}

/// Null when the key has none. Not by EVP_PKEY_get_bn_param, which leaves the number on the stack.
Hidden hidden(const Key& key, const char* name) {
  Secret room(512);  // bytes, of the largest RSA modulus
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_BN(name, room.data(), room.size()),
                             OSSL_PARAM_construct_end()};
  if (EVP_PKEY_get_params(key.get(), parameters) != 1 || OSSL_PARAM_modified(parameters) != 1)
    return nullptr;
  Hidden out(BN_native2bn(room.data(), static_cast<int>(parameters[0].return_size), nullptr));
  if (out) BN_set_flags(out.get(), BN_FLG_CONSTTIME);
  return out;
}

/// Whether an exponent for one prime is what `d` is there, and undoes the public one.
bool undoes(const BIGNUM* exponent, const BIGNUM* d, const BIGNUM* prime, BN_CTX* numbers) {
  const Hidden order(BN_dup(prime)), rest(BN_new()), e(BN_new());
  return order && rest && e && BN_sub_word(order.get(), 1) == 1 &&
         BN_mod(rest.get(), d, order.get(), numbers) == 1 && BN_cmp(rest.get(), exponent) == 0 &&
         BN_set_word(e.get(), public_exponent) == 1 &&
         BN_mod_mul(rest.get(), e.get(), exponent, order.get(), numbers) == 1 &&
         BN_is_one(rest.get());
}

/// RFC 8017 section 3.2: that all private members belong to the modulus. (OpenSSL's own check
/// tests the primes too, for tens of milliseconds; who wrote the key could choose others anyway.)
bool is_whole(const Key& key) {
  const Numbers numbers(BN_CTX_secure_new());
  const Number n = parameter(key, OSSL_PKEY_PARAM_RSA_N);
  const Hidden d = hidden(key, OSSL_PKEY_PARAM_RSA_D);
  const Hidden p = hidden(key, OSSL_PKEY_PARAM_RSA_FACTOR1);
  const Hidden q = hidden(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
  const Hidden dp = hidden(key, OSSL_PKEY_PARAM_RSA_EXPONENT1);
  const Hidden dq = hidden(key, OSSL_PKEY_PARAM_RSA_EXPONENT2);
  const Hidden coefficient = hidden(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
  const Hidden product(BN_new());
  return numbers && d && p && q && dp && dq && coefficient && product &&
         BN_mul(product.get(), p.get(), q.get(), numbers.get()) == 1 &&
         BN_cmp(product.get(), n.get()) == 0 && undoes(dp.get(), d.get(), p.get(), numbers.get()) &&
         undoes(dq.get(), d.get(), q.get(), numbers.get()) &&
         BN_mod_mul(product.get(), coefficient.get(), q.get(), p.get(), numbers.get()) == 1 &&
         BN_is_one(product.get());
}

Raw32 without_top_bit(ByteView raw32) {
  auto out = to_array<32>(raw32);
  AMS_ASSERT(out);
  out->back() &= 0x7f;
  return *out;
}

/// 2^255 - 19 + delta, little-endian, for -2 <= delta <= 1.
Raw32 prime_plus(int delta) {
  Raw32 out;
  out.fill(0xff);
  out.front() = static_cast<std::uint8_t>(0xed + delta);
  out.back() = 0x7f;
  return out;
}

Raw32 small(std::uint8_t value) {
  Raw32 out{};
  out.front() = value;
  return out;
}

Raw32 from_hex32(std::string_view hex) {
  const auto bytes = from_hex(hex);
  AMS_ASSERT(bytes);
  const auto out = to_array<32>(*bytes);
  AMS_ASSERT(out);
  return *out;
}

}  // namespace

Key key_from_raw_public(int type, ByteView raw32) {
  Key key(EVP_PKEY_new_raw_public_key(type, nullptr, raw32.data(), raw32.size()));
  AMS_ASSERT(key);  // 32 bytes are all that OpenSSL asks
  return key;
}

Key key_from_raw_private(int type, ByteView raw32) {
  Key key(EVP_PKEY_new_raw_private_key(type, nullptr, raw32.data(), raw32.size()));
  AMS_ASSERT(key);
  return key;
}

Bytes raw_public(const Key& key) {
  Bytes out(32);
  std::size_t size = out.size();
  AMS_ASSERT(EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) == 1 && size == 32);
  return out;
}

Secret raw_private(const Key& key) {
  // Not EVP_PKEY_get_raw_private_key: it exports through memory that it gives back unwiped.
  Secret out(32);
  std::size_t size = 0;
  AMS_ASSERT(EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, out.data(),
                                             out.size(), &size) == 1 &&
             size == 32);
  return out;
}

Result<> check_modulus(std::size_t bits, ByteView n) {
  if (n.size() != bits / 8) return fail(Code::key_material, "modulus length");
  if ((n.front() & 0x80) == 0) return fail(Code::key_material, "modulus top bit");
  if ((n.back() & 1) == 0) return fail(Code::key_material, "modulus even");
  return {};
}

Result<Key> rsa_from_modulus(std::size_t bits, ByteView n) {
  AMS_CHECK(check_modulus(bits, n));
  Bytes native(n.begin(), n.end());  // OSSL_PARAM takes integers in the machine's byte order
  if constexpr (std::endian::native == std::endian::little) {
    std::reverse(native.begin(), native.end());
  }
  unsigned exponent = public_exponent;
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native.data(), native.size()),
      OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent), OSSL_PARAM_construct_end()};
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  AMS_ASSERT(context && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    return refuse(Code::key_material, "modulus");
  }
  return Key(key);
}

Result<Key> rsa_from_pkcs8(std::size_t bits, ByteView der) {
  const unsigned char* cursor = der.data();
  const Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size())));
  if (!info || cursor != der.data() + der.size()) return refuse(Code::key_material, "PKCS#8");
  Key key(EVP_PKCS82PKEY_ex(info.get(), nullptr, nullptr));
  if (!key || EVP_PKEY_is_a(key.get(), "RSA") != 1) return refuse(Code::key_material, "PKCS#8");
  if (BN_is_word(parameter(key, OSSL_PKEY_PARAM_RSA_E).get(), public_exponent) != 1) {
    return refuse(Code::key_material, "public exponent");
  }
  AMS_CHECK(check_modulus(bits, rsa_modulus(key)));
  if (!ams::mutant("crypto.accept_broken_rsa_key") && !is_whole(key))
    return refuse(Code::key_material, "RSA private key");
  return key;
}

Result<Key> rsa_generate(std::size_t bits, const std::function<void()>& tick) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  AMS_ASSERT(context && EVP_PKEY_keygen_init(context.get()) == 1);
  AMS_ASSERT(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) == 1);
  if (tick) {
    EVP_PKEY_CTX_set_app_data(context.get(), const_cast<std::function<void()>*>(&tick));
    EVP_PKEY_CTX_set_cb(context.get(), [](EVP_PKEY_CTX* at) {
      (*static_cast<const std::function<void()>*>(EVP_PKEY_CTX_get_app_data(at)))();
      return 1;
    });
  }
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_generate(context.get(), &made) != 1)
    return refuse(Code::key_material, "RSA generation");
  return Key(made);
}

Bytes rsa_modulus(const Key& key) {
  const Number n = parameter(key, OSSL_PKEY_PARAM_RSA_N);
  Bytes out(static_cast<std::size_t>(BN_num_bytes(n.get())));
  BN_bn2bin(n.get(), out.data());
  return out;
}

Secret rsa_pkcs8(const Key& key) {
  const Pkcs8 info(EVP_PKEY2PKCS8(key.get()));
  AMS_ASSERT(info);
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  AMS_ASSERT(size > 0);
  Secret out(static_cast<std::size_t>(size));
  unsigned char* cursor = out.data();
  AMS_ASSERT(i2d_PKCS8_PRIV_KEY_INFO(info.get(), &cursor) == size);
  return out;
}

bool x25519_low_order(ByteView raw32) {
  // u of the points of order 1, 2, 4 and 8 on the curve and its twist, and the encodings of the
  // first two that are not reduced modulo p. X25519 ignores the top bit, so it is masked.
  static const std::array<Raw32, 7> list{
      small(0),
      small(1),
      prime_plus(-1),
      prime_plus(0),
      prime_plus(1),
      from_hex32("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
      from_hex32("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")};
  return std::find(list.begin(), list.end(), without_top_bit(raw32)) != list.end();
}

bool ed25519_weak(ByteView raw32) {
  // y of the points of order 1, 2, 4 and 8; the top bit is the sign of x.
  static const std::array<Raw32, 5> list{
      small(0), small(1), prime_plus(-1),
      from_hex32("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
      from_hex32("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")};
  const Raw32 y = without_top_bit(raw32);
  const Raw32 p = prime_plus(0);
  const bool reduced = std::lexicographical_compare(y.rbegin(), y.rend(), p.rbegin(), p.rend());
  return !reduced || std::find(list.begin(), list.end(), y) != list.end();
}

}  // namespace ams::crypto::evp
