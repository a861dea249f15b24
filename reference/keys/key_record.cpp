// Key records (spec KEY): parsed only together with all their checks, in the order of KEY-8.
#include <algorithm>
#include <functional>

#include "keys/records.h"
#include "policy/mutant.h"
#include "wire/sigform.h"

namespace ams::keys {
namespace {

using std::string_view_literals::operator""sv;

/// The members of a key record as they stand, before anything is made of them.
struct KeyMembers {
  std::string sig_alg, kem;
  std::vector<std::string> aeads;
  Bytes sk, ek;
  Custody custody = Custody::client;
  std::int64_t nbf = 0, exp = 0;
};

/// KEY-1: one to eight different names in ascending order.
std::vector<std::string> read_aeads(wire::ObjectReader& in) {
  std::vector<std::string> out;
  const wire::Array& names = in.array("aeads", aeads_max);
  in.require(!names.empty(), Code::schema, "aeads");
  for (const wire::Value& name : names) {
    if (!name.is_string())
      in.require(false, mutant("keys.wrong_code_aead") ? Code::unknown_algorithm : Code::schema,
                 "aeads");
    if (!name.is_string()) break;
    in.require(name.as_string().size() <= 1024 || mutant("keys.accept_large_aead"),
               Code::object_too_large, "aeads");
    out.push_back(name.as_string());
  }
  const bool ascending =
      std::adjacent_find(out.begin(), out.end(), std::greater_equal<>()) == out.end();
  in.require(ascending || mutant("keys.accept_aeads_order"), Code::schema, "aeads");
  return out;
}

Result<KeyMembers> read_key_members(const wire::Value& value) {
  wire::ObjectReader in(value, "key");
  KeyMembers out;
  in.tag("key/1");
  out.sig_alg = in.string("sig_alg");
  out.kem = in.string("kem");
  out.aeads = read_aeads(in);
  out.sk = in.binary("sk", 1, raw_key_size_max);
  out.ek = in.binary("ek", 1, raw_key_size_max);
  in.bytes<16>("nonce");
  out.nbf = in.integer("nbf");
  out.exp = in.integer("exp");
  const auto custody = find_custody(in.string("custody"));
  in.require(custody.has_value() || mutant("keys.accept_custody"), Code::schema, "custody");
  out.custody = custody.value_or(Custody::client);
  in.binary("sig", 1, signature_size_max);
  AMS_CHECK(in.finish());
  return out;
}

Hash fingerprint_of(const wire::Value& value) {
  Bytes input = to_bytes("AMS-KEY/1\0"sv);
  append(input, wire::encode_without(value, "sig"));
  return crypto::sha256(input);
}

/// KEY-1 and KEY-4.
Result<> check_life(std::int64_t nbf, std::int64_t exp) {
  if (mutant("keys.skip_life")) return {};
  if (nbf >= exp) return fail(Code::schema, "nbf and exp");
  if (exp - nbf > key_life_ms_max) return fail(Code::schema, "life of a key");
  return {};
}

}  // namespace

std::string_view name(Custody custody) {
  return custody == Custody::client ? "client" : "corporate";
}

std::optional<Custody> find_custody(std::string_view text) {
  for (const Custody custody : {Custody::client, Custody::corporate})
    if (name(custody) == text) return custody;
  return std::nullopt;
}

Id16 kid_of(const Hash& fp) {
  Id16 kid;
  std::copy_n(fp.begin(), kid.size(), kid.begin());
  if (mutant("keys.short_kid")) {  // twelve bits of it: two of one kid can be found
    kid = {};
    kid[0] = fp[0];
    kid[1] = fp[1] & 0xf0;
  }
  kid[6] = static_cast<std::uint8_t>((kid[6] & 0x0f) | 0x80);  // version 8
  kid[8] = static_cast<std::uint8_t>((kid[8] & 0x3f) | 0x80);  // variant of RFC 9562
  return kid;
}

Result<KeyRecord> KeyRecord::parse_checked(const wire::Value& value, const Id16* kid,
                                           const Hash* fp) {
  AMS_TRY(const KeyMembers members, read_key_members(value));
  const auto sig_alg = crypto::find_sig_alg(members.sig_alg);
  if (!sig_alg && mutant("keys.wrong_code_algorithm")) return fail(Code::schema, "sig_alg");
  if (!sig_alg) return fail(Code::unknown_algorithm, "sig_alg");
  const auto kem = crypto::find_kem(members.kem);
  if (!kem) return fail(Code::unknown_algorithm, "kem");
  KeyRecord record;
  for (const std::string& name : members.aeads) {
    const auto aead = crypto::find_aead(name);
    if (!aead) return fail(Code::unknown_algorithm, "aeads");
    record.aeads_.push_back(*aead);
  }
  AMS_TRY(record.signing_, crypto::VerifyKey::from_raw(*sig_alg, members.sk));
  AMS_TRY(record.encryption_, crypto::EncryptionKey::from_raw(*kem, members.ek));
  AMS_CHECK(check_life(members.nbf, members.exp));
  record.id_.fp = fingerprint_of(value);
  record.id_.kid = kid_of(record.id_.fp);
  if (kid != nullptr && *kid != record.id_.kid && !mutant("keys.skip_kid"))
    return fail(Code::kid_mismatch, "key");
  if (fp != nullptr && *fp != record.id_.fp && !mutant("keys.skip_fp"))
    return fail(Code::fp_mismatch, "key");
  if (!mutant("keys.skip_signature")) AMS_CHECK(verify_object(value, *record.signing_));
  record.custody_ = members.custody;
  record.nbf_ = members.nbf;
  record.exp_ = members.exp;
  record.value_ = value;
  return record;
}

Result<KeyRecord> KeyRecord::parse(const wire::Value& value) {
  return parse_checked(value, nullptr, nullptr);
}

Result<KeyRecord> KeyRecord::parse_as(const wire::Value& value, const KeyId& expected) {
  return parse_checked(value, &expected.kid, &expected.fp);
}

Result<KeyRecord> KeyRecord::parse_as(const wire::Value& value, const Id16& expected_kid) {
  return parse_checked(value, &expected_kid, nullptr);
}

bool KeyRecord::takes(crypto::Aead aead) const {
  return std::find(aeads_.begin(), aeads_.end(), aead) != aeads_.end();
}

Result<> KeyRecord::valid_at(Instant now) const {
  const std::int64_t now_ms = to_unix_ms(now);
  if ((now_ms < nbf_ || now_ms >= exp_) && !mutant("keys.accept_expired_key"))
    return fail(Code::key_expired, "key");
  return {};
}

wire::Value unsigned_record(const RecordHalves& halves, const Id16& nonce,
                            const KeyPairOptions& options) {
  return wire::Object{
      {"ams", "key/1"},
      {"sig_alg", crypto::name(halves.sig_alg)},
      {"kem", crypto::name(halves.kem)},
      {"aeads",
       wire::Array{crypto::name(crypto::Aead::a256gcm), crypto::name(crypto::Aead::c20p1305)}},
      {"sk", to_base64url(halves.sk)},
      {"ek", to_base64url(halves.ek)},
      {"nonce", to_base64url(nonce)},
      {"nbf", options.nbf},
      {"exp", options.exp},
      {"custody", name(options.custody)},
  };
}

Result<KeyPair> make_pair(crypto::SigningKey signing, crypto::DecryptionKey encryption,
                          const Id16& nonce, const KeyPairOptions& options) {
  AMS_TRY(const wire::Value value,
          sign_object(unsigned_record({signing.alg(), signing.public_raw(), encryption.kem(),
                                       encryption.public_raw()},
                                      nonce, options),
                      signing));
  AMS_TRY(KeyRecord record, KeyRecord::parse(value));
  return KeyPair{std::move(signing), std::move(encryption), std::move(record)};
}

Result<KeyPair> make_modern(ByteView entropy80, const KeyPairOptions& options) {
  AMS_ASSERT(entropy80.size() == 80);
  const auto nonce = to_array<16>(entropy80.subspan(64, 16));
  return make_pair(crypto::SigningKey::ed25519_from_seed(entropy80.first(32)),
                   crypto::DecryptionKey::x25519_from_seed(entropy80.subspan(32, 32)), *nonce,
                   options);
}

}  // namespace ams::keys
