// Locks (spec KST-38).
#include "keystore/lock.h"

#include "crypto/crypto.h"
#include "wire/address.h"
#include "wire/sigform.h"

namespace ams::keystore {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t nonce_size = 12;
constexpr std::size_t sealed_size = nonce_size + 32 + crypto::aead_tag_size;

struct Lock {
  LockHead head;
  Unlock::Kind kind = Unlock::Kind::passphrase;
  Bytes salt;
  crypto::ScryptCost cost;
  Bytes sealed;
};

void read_cost(wire::ObjectReader& in, Lock& lock) {
  lock.cost.n =
      static_cast<std::uint64_t>(in.integer("n", static_cast<std::int64_t>(scrypt_n_min), 1 << 24));
  lock.cost.r = static_cast<std::uint32_t>(in.integer("r", 1, 32));
  lock.cost.p = static_cast<std::uint32_t>(in.integer("p", 1, 16));
}

Result<Lock> parse_lock(const wire::Value& value) {
  wire::ObjectReader in(value, "lock");
  Lock out;
  in.tag("ks-lock/1");
  out.head.domain = in.string("domain");
  in.require(wire::is_domain(out.head.domain), Code::address_syntax, "domain");
  const std::string kdf = in.string("kdf");
  in.require(kdf == "scrypt" || kdf == "file", Code::schema, "kdf");
  out.salt = in.binary("salt", 16, 16);
  if (kdf == "scrypt") read_cost(in, out);
  if (kdf == "file") out.kind = Unlock::Kind::file;
  out.head.module = in.optional_string("module");
  out.head.token = in.optional_string("token");
  in.require(out.head.module.has_value() == out.head.token.has_value(), Code::schema, "token");
  out.sealed = in.binary("sealed", sealed_size, sealed_size);
  AMS_CHECK(in.finish());
  return out;
}

wire::Value to_value(const Lock& lock) {
  const bool scrypt = lock.kind == Unlock::Kind::passphrase;
  wire::Object out{{"ams", "ks-lock/1"},
                   {"domain", lock.head.domain},
                   {"kdf", scrypt ? "scrypt" : "file"},
                   {"salt", to_base64url(lock.salt)},
                   {"sealed", to_base64url(lock.sealed)}};
  if (scrypt) {
    out.emplace("n", static_cast<std::int64_t>(lock.cost.n));
    out.emplace("r", static_cast<std::int64_t>(lock.cost.r));
    out.emplace("p", static_cast<std::int64_t>(lock.cost.p));
  }
  if (lock.head.module) out.emplace("module", *lock.head.module);
  if (lock.head.token) out.emplace("token", *lock.head.token);
  return out;
}

Bytes lock_aad(const wire::Value& lock) {
  Bytes out = to_bytes("AMS-KS-LOCK/1\0"sv);
  append(out, wire::encode_without(lock, "sealed"));
  return out;
}

Result<crypto::Secret> sealing_key(const Lock& lock, const Unlock& unlock) {
  if (lock.kind != unlock.kind) return fail(Code::keystore_sealed, "another kind of secret");
  if (lock.kind == Unlock::Kind::passphrase)
    return crypto::scrypt(unlock.secret.view(), lock.salt, lock.cost, 32);
  return crypto::hkdf(lock.salt, unlock.secret.view(), as_bytes("AMS-KS-LOCK"), 32);
}

}  // namespace

Result<Bytes> make_lock(const LockHead& head, ByteView store_key32, const Unlock& unlock,
                        ByteView entropy32, const crypto::ScryptCost& cost) {
  AMS_ASSERT(store_key32.size() == 32);
  crypto::Drbg random(entropy32);
  Lock lock{head, unlock.kind, random.bytes(16), cost, {}};
  AMS_TRY(const crypto::Secret key, sealing_key(lock, unlock));
  const Bytes nonce = random.bytes(nonce_size);
  AMS_TRY(const Bytes box, crypto::aead_seal(crypto::Aead::a256gcm, key.view(), nonce,
                                             lock_aad(to_value(lock)), store_key32));
  lock.sealed = nonce;
  append(lock.sealed, box);
  const wire::Value value = to_value(lock);
  AMS_CHECK(parse_lock(value));
  return wire::encode(value);
}

Result<Opened> open_lock(ByteView text, const Unlock& unlock) {
  if (text.size() > lock_size_max) return fail(Code::object_too_large, "lock");
  AMS_TRY(const wire::Value value, wire::decode(text));
  AMS_TRY(const Lock lock, parse_lock(value));
  AMS_TRY(const crypto::Secret key, sealing_key(lock, unlock));
  const ByteView sealed(lock.sealed);
  auto opened = crypto::aead_open(crypto::Aead::a256gcm, key.view(), sealed.first(nonce_size),
                                  lock_aad(value), sealed.subspan(nonce_size));
  if (!opened) return fail(Code::keystore_sealed, "lock");
  Opened out{lock.head, crypto::Secret::copy_of(*opened)};
  crypto::wipe(opened->data(), opened->size());
  return out;
}

Result<LockHead> read_lock(ByteView text) {
  if (text.size() > lock_size_max) return fail(Code::object_too_large, "lock");
  AMS_TRY(const wire::Value value, wire::decode(text));
  AMS_TRY(Lock lock, parse_lock(value));
  return std::move(lock.head);
}

}  // namespace ams::keystore
