// ams-ks/1: what a client and a key store say to each other (spec KST in
// reference/spec/09-keystore.md). One request, one answer, each an AMS-CJ text; the channel between
// them (a function call, HTTPS) is the adapters' business. Values in, values out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crypto/crypto.h"
#include "keys/records.h"
#include "wire/value.h"

namespace ams::keystore {

inline constexpr std::size_t message_size_max = 1 << 18;    // bytes of a request or answer (KST-2)
inline constexpr std::size_t enc_size_max = 1024;           // bytes of an encapsulated key
inline constexpr std::size_t sign_text_size_max = 256;      // bytes (KST-21)
inline constexpr std::size_t groups_max = 64;               // of a member
inline constexpr std::size_t devices_max = 16;              // of a member
inline constexpr std::size_t rewrap_max = 100;              // stanzas in one rewrap
inline constexpr std::size_t list_max = 16;                 // keys in one answer to list
inline constexpr std::size_t audit_max = 100;               // entries in one answer to audit
inline constexpr std::size_t revoked_kids_max = 1024;       // in one answer to revoke
inline constexpr std::size_t private_key_size_max = 4096;   // bytes of an exported private half
inline constexpr std::int64_t clock_skew_ms_max = 600'000;  // KST-15

enum class Purpose : std::uint8_t { decap, sign, export_key };
std::string_view name(Purpose);
std::optional<Purpose> find_purpose(std::string_view);

// --- capability (KST-5, KST-19) ------------------------------------------------------------------
/// What the store gave to one device of one member: use this key for this purpose until then.
struct Capability {
  std::string addr;
  Hash device{};  // the raw Ed25519 key of the device
  Id16 kid{};
  std::optional<std::string> group;
  Purpose purpose = Purpose::decap;
  std::int64_t exp = 0;  // Unix ms
  Hash mac{};            // the store's; nobody else can check or make it
  friend bool operator==(const Capability&, const Capability&) = default;
};
wire::Value to_value(const Capability& capability);
/// Members only (KST-5).
Result<Capability> parse_capability(const wire::Value& value);
/// The MAC that a store with this key puts on it.
Hash capability_mac(ByteView key32, const Capability& capability);

/// KST-19: `capability` unless the store with this key made it for this device, key and purpose;
/// then `capability_expired`.
struct CapabilityUse {
  std::string addr;
  Hash device{};
  Id16 kid{};
  Purpose purpose = Purpose::decap;
};
Result<> judge_capability(const Capability& capability, ByteView key32, const CapabilityUse& use,
                          std::int64_t now_ms);

// --- members (KST-12) ----------------------------------------------------------------------------
struct Device {
  Hash sk{};               // raw Ed25519 key, signs the requests
  std::optional<Hash> ek;  // raw X25519 key, to which `export` seals
  friend bool operator==(const Device&, const Device&) = default;
};
/// One entry of the access list.
struct Member {
  std::string addr;
  bool admin = false;
  std::vector<Device> devices;      // ascending by sk
  std::int64_t exp = 0;             // Unix ms
  std::vector<std::string> groups;  // ascending
  std::vector<Purpose> purposes;    // ascending by name, at least one unless admin
  friend bool operator==(const Member&, const Member&) = default;
};
wire::Object to_object(const Member& member);

// --- operations (KST-6 … KST-12) -----------------------------------------------------------------
/// The KEM's shared secret of `enc`.
struct DecapArgs {
  Bytes enc;
  Id16 kid{};
};
/// A signature over `text`, which has the form of SIG-1.
struct SignArgs {
  Id16 kid{};
  Bytes text;
};
/// The private encryption half, sealed to the device that asks.
struct ExportArgs {
  Id16 kid{};
};
/// How a key is made: names of ALG-1 for both halves.
enum class Profile : std::uint8_t { modern, rsa2048, rsa3072, rsa4096, ed25519_rsa3072 };
std::string_view name(Profile);
std::optional<Profile> find_profile(std::string_view);
crypto::SigAlg sig_alg(Profile);
crypto::Kem kem(Profile);
/// Whose a key is: one address's; or shared, by a group or, with neither, by all members.
struct Scope {
  std::optional<std::string> addr;
  std::optional<std::string> group;
  bool shared() const { return !addr; }
  friend bool operator==(const Scope&, const Scope&) = default;
};
struct CreateArgs {
  Scope scope;
  std::int64_t exp = 0;
  bool exportable = false;
  std::int64_t nbf = 0;
  Profile profile = Profile::modern;
};
struct RotateArgs {
  std::int64_t exp = 0;
  Id16 kid{};
  std::int64_t nbf = 0;
};
/// A stanza as it stands in a message, with the encapsulated key whatever the KEM.
struct RewrapItem {
  crypto::Aead aead = crypto::Aead::a256gcm;
  Bytes enc;
  Hash h0{};  // MSG-3
  Bytes wk;
};
struct RewrapArgs {
  std::vector<RewrapItem> items;
  Id16 kid{};  // what they are wrapped to now
  Id16 to{};   // what they shall be wrapped to
};
struct ListArgs {
  std::optional<Id16> after;
};
struct AuditArgs {
  std::int64_t count = 0;
  std::int64_t from = 0;
};
struct GrantArgs {
  Member member;
};
struct RevokeArgs {
  std::string addr;
};
using Args = std::variant<DecapArgs, SignArgs, ExportArgs, CreateArgs, RotateArgs, RewrapArgs,
                          ListArgs, AuditArgs, GrantArgs, RevokeArgs>;
std::string_view op_name(const Args& args);
/// The key that the op uses with a capability of `purpose`; empty for the others.
struct KeyUse {
  Id16 kid;
  Purpose purpose;
};
std::optional<KeyUse> key_use(const Args& args);

struct Request {
  std::string addr;  // the member's
  Args args;
  std::optional<Capability> capability;
  Hash device{};
  Id16 id{};            // random
  std::int64_t ts = 0;  // Unix ms
};
/// The args of the op with this name: `unsupported` for an unknown one.
Result<Args> parse_args(std::string_view op, const wire::Value& value);
/// Members of request and args in the order of KST-3; not the signature.
Result<Request> parse_request(const wire::Value& value);
/// KST-16: that the device signed it. Fails with member_signature.
Result<> verify_request(const wire::Value& value, const Request& request);
wire::Value to_value(const Request& request);  // without sig
/// The signed text of a request. Precondition: `device` is the key of request.device.
Result<Bytes> sign_request(const Request& request, const crypto::SigningKey& device);

// --- answers (KST-13) ----------------------------------------------------------------------------
struct Shared {
  Id16 kid{};
  crypto::Secret shared;  // 32 bytes
};
struct Signed {
  Id16 kid{};
  Bytes sig;
};
struct Exported {
  Bytes enc;
  Id16 kid{};
  Bytes sealed;
};
struct Made {
  wire::Value record;
};
/// For each item what it is now, or why it is left as it was.
struct Rewrapped {
  struct Stanza {
    Bytes enc;
    Bytes wk;
  };
  std::vector<std::variant<Stanza, std::string>> items;
};
struct ListedKey {
  std::vector<Capability> capabilities;  // those of the asking device
  bool retired = false;
  wire::Value record;
  Scope scope;
};
struct Listed {
  std::vector<ListedKey> keys;
  bool more = false;
};
struct AuditPage {
  std::vector<wire::Value> entries;
  Hash head{};
  std::int64_t size = 0;
};
struct Granted {
  std::string addr;
};
/// `kids`: the shared keys that the member could use, which should now be rotated.
struct Revoked {
  std::string addr;
  std::vector<Id16> kids;
};
using Ok =
    std::variant<Shared, Signed, Exported, Made, Rewrapped, Listed, AuditPage, Granted, Revoked>;
/// An answer to `id`: ok of the op, or the error's name (of the registry, or of a later one).
struct Answer {
  Id16 id{};
  std::variant<Ok, std::string> outcome;
};
Bytes encode_ok(const Id16& id, const Ok& ok);
Bytes encode_error(const Id16& id, Code code);
/// Members of an answer to a request with these args (KST-13). Fails with a code of ENC.
Result<Answer> parse_answer(ByteView bytes, const Args& args);

}  // namespace ams::keystore
