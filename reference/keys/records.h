// Key records, domain records, chains and bindings as values (spec chapter 04: KEY, DOM, BND, POL).
// Each parse_* takes a decoded AMS-CJ value, makes the checks of its clause in the normative order
// and gives the object; to_value is its inverse, byte for byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "keys/key_id.h"
#include "keys/policy.h"
#include "wire/value.h"

namespace ams::keys {

// --- the one signature form (SIG-1) --------------------------------------------------------------
/// What is signed for an object: "AMS-SIG/1\0" || tag || \0 || SHA-256(AMS-CJ of the object without
/// sig).
Bytes signing_input(std::string_view tag, const wire::Value& object);
/// Adds member `sig` to an object that has member `ams`.
Result<wire::Value> sign_object(wire::Value object, const crypto::SigningKey& key);
/// Fails with `signature`, or `algorithm_mix` when the signature's length is another algorithm's.
Result<> verify_object(const wire::Value& object, const crypto::VerifyKey& key);
/// The same for a signature that stands beside its object (SIG-4).
Result<Bytes> sign_beside(const wire::Value& object, const crypto::SigningKey& key);
Result<> verify_beside(const wire::Value& object, ByteView signature, const crypto::VerifyKey& key);
inline constexpr std::size_t signature_size_max = 1024;  // bytes of any sig (SIG-5)

// --- key record (KEY) ----------------------------------------------------------------------------
inline constexpr std::size_t aeads_max = 8;            // KEY-1
inline constexpr std::size_t raw_key_size_max = 1024;  // bytes of sk and ek (KEY-1)
enum class Custody : std::uint8_t { client, corporate };
std::string_view name(Custody);
std::optional<Custody> find_custody(std::string_view text);

/// A verified, immutable key record: no instance exists whose checks (KEY-8) did not pass.
class KeyRecord {
 public:
  /// All of KEY-8 but the comparison with an expected id.
  static Result<KeyRecord> parse(const wire::Value& value);
  /// The same, and KEY-3: kid_mismatch, fp_mismatch (after key material and times, before the
  /// signature).
  static Result<KeyRecord> parse_as(const wire::Value& value, const KeyId& expected);
  static Result<KeyRecord> parse_as(const wire::Value& value, const Id16& expected_kid);

  const KeyId& id() const { return id_; }
  const crypto::VerifyKey& signing() const { return *signing_; }
  const crypto::EncryptionKey& encryption() const { return *encryption_; }
  bool takes(crypto::Aead aead) const;
  Custody custody() const { return custody_; }
  std::int64_t nbf() const { return nbf_; }
  std::int64_t exp() const { return exp_; }
  /// KEY-7: fails with key_expired.
  Result<> valid_at(Instant now) const;
  const wire::Value& value() const { return value_; }

 private:
  KeyRecord() = default;
  static Result<KeyRecord> parse_checked(const wire::Value& value, const Id16* kid, const Hash* fp);
  KeyId id_;
  std::optional<crypto::VerifyKey> signing_;
  std::optional<crypto::EncryptionKey> encryption_;
  std::vector<crypto::Aead> aeads_;
  Custody custody_ = Custody::client;
  std::int64_t nbf_ = 0, exp_ = 0;
  wire::Value value_;
};

/// kid of a fingerprint: UUIDv8 of its first 16 bytes (KEY-2).
Id16 kid_of(const Hash& fp);

/// Both private halves of an account's or a domain's key, with the record that publishes them.
struct KeyPair {
  crypto::SigningKey signing;
  crypto::DecryptionKey encryption;
  KeyRecord record;
};
struct KeyPairOptions {
  std::int64_t nbf = 0;  // Unix ms
  std::int64_t exp = 0;  // at most 398 days later
  Custody custody = Custody::client;
};
inline constexpr std::int64_t key_life_ms_max = 398LL * 86'400'000;
/// Profile `modern`: ed25519 + x25519 from 80 bytes of entropy (32 + 32 + nonce 16).
Result<KeyPair> make_modern(ByteView entropy80, const KeyPairOptions& options);
/// A record without sig, for a signing half that is elsewhere (a token): SIG-1 over it, then
/// KeyRecord::parse.
struct RecordHalves {
  crypto::SigAlg sig_alg = crypto::SigAlg::ed25519;
  ByteView sk;
  crypto::Kem kem = crypto::Kem::x25519;
  ByteView ek;
};
wire::Value unsigned_record(const RecordHalves& halves, const Id16& nonce,
                            const KeyPairOptions& options);
/// Self-signs a record for given private halves (profile rsa2048 and key store keys).
Result<KeyPair> make_pair(crypto::SigningKey signing, crypto::DecryptionKey encryption,
                          const Id16& nonce, const KeyPairOptions& options);

// --- domain record and chain (DOM) ---------------------------------------------------------------
/// The public keys of a domain's binding log (DOM-16).
struct LogKeys {
  std::array<std::uint8_t, 33> vrf{};   // compressed point of P-256
  std::array<std::uint8_t, 32> note{};  // Ed25519: signs the checkpoints
  friend bool operator==(const LogKeys&, const LogKeys&) = default;
};

struct DomainRecord {
  std::string domain;
  KeyId root, op;
  DomainPolicy policy;
  std::int64_t seq = 1;
  std::optional<LogKeys> log = std::nullopt;  // none: the domain keeps no binding log
};
Result<wire::Value> make_domain_record(const DomainRecord& record, const crypto::SigningKey& root);

/// What discovery says of a domain (DOM-2).
struct Discovery {
  std::string host;
  std::uint16_t port = 0;
  KeyId root;
  std::optional<Hash> certificate_pin;  // SHA-256 of the DER certificate
  bool unproven = false;                // DNS said so, anyone may have: DOM-14
};

/// A verified chain (DOM-4, DOM-5).
struct Chain {
  DomainRecord record;
  KeyRecord root, op;
  wire::Value value;  // {"op","record","root"} as received
};
/// Everything in DOM-5; fails with domain_record (where names the step).
Result<Chain> verify_chain(const wire::Value& value, std::string_view domain,
                           const KeyId& discovered_root);
wire::Value chain_value(const wire::Value& record, const KeyRecord& root, const KeyRecord& op);
/// POL-6: the terms that are in force.
inline const PolicyTerms& policy_at(const DomainRecord& record, Instant now) {
  return policy_at(record.policy, now);
}

// --- binding (BND) -------------------------------------------------------------------------------
struct Binding {
  std::string addr;
  KeyId key;  // signs for addr alone, and is sealed to where there is no enc
  std::int64_t version = 1;
  Id16 dkid{};
  Custody custody = Custody::client;
  std::optional<KeyId> enc =
      std::nullopt;  // the shared encryption key; with custody corporate only (BND-8)

  /// The key that a stanza for addr goes to (BND-9).
  const KeyId& sealed_to() const { return enc ? *enc : key; }
};
Result<wire::Value> make_binding(const Binding& binding, const crypto::SigningKey& op);
/// Members only (schema errors).
Result<Binding> parse_binding(const wire::Value& value);
/// Members, domain of addr = chain's domain, dkid = the chain's op key, signature. Fails with
/// `signature`, `domain_mismatch`, `kid_mismatch` or a schema code.
Result<Binding> verify_binding(const wire::Value& value, const Chain& chain);
/// POL-8, before anything is sealed: the binding's custody is that of its key record `key`
/// (binding_custody), it fits the terms in force (binding_policy) and its enc is one of their keys
/// (enc_unlisted).
Result<> check_custody(const Binding& binding, const KeyRecord& key, const PolicyTerms& in_force);

}  // namespace ams::keys
