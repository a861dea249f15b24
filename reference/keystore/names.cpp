// Names that requests and answers use, and the small objects they share (spec KST-4, KST-5).
#include <algorithm>
#include <array>
#include <functional>

#include "keys/policy.h"
#include "keystore/forms.h"
#include "keystore/messages.h"
#include "policy/mutant.h"
#include "wire/address.h"
#include "wire/sigform.h"

namespace ams::keystore {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array purposes{Purpose::decap, Purpose::export_key, Purpose::sign};
constexpr std::array profiles{Profile::modern, Profile::rsa2048, Profile::rsa3072, Profile::rsa4096,
                              Profile::ed25519_rsa3072};

}  // namespace

std::string_view name(Purpose purpose) {
  switch (purpose) {
    case Purpose::decap:
      return "decap";
    case Purpose::sign:
      return "sign";
    case Purpose::export_key:
      return "export";
  }
  return {};
}

std::optional<Purpose> find_purpose(std::string_view text) {
  for (const Purpose purpose : purposes)
    if (name(purpose) == text) return purpose;
  return std::nullopt;
}

std::string_view name(Profile profile) {
  switch (profile) {
    case Profile::modern:
      return "modern";
    case Profile::rsa2048:
      return "rsa2048";
    case Profile::rsa3072:
      return "rsa3072";
    case Profile::rsa4096:
      return "rsa4096";
    case Profile::ed25519_rsa3072:
      return "ed25519-rsa3072";
  }
  return {};
}

std::optional<Profile> find_profile(std::string_view text) {
  for (const Profile profile : profiles)
    if (name(profile) == text) return profile;
  return std::nullopt;
}

crypto::SigAlg sig_alg(Profile profile) {
  constexpr std::array algs{crypto::SigAlg::ed25519, crypto::SigAlg::rsa2048pss,
                            crypto::SigAlg::rsa3072pss, crypto::SigAlg::rsa4096pss,
                            crypto::SigAlg::ed25519};
  return algs[static_cast<std::size_t>(profile)];
}

crypto::Kem kem(Profile profile) {
  constexpr std::array kems{crypto::Kem::x25519, crypto::Kem::rsa2048kem, crypto::Kem::rsa3072kem,
                            crypto::Kem::rsa4096kem, crypto::Kem::rsa3072kem};
  return kems[static_cast<std::size_t>(profile)];
}

std::string read_address(wire::ObjectReader& in, std::string_view name) {
  std::string out = in.string(name);
  in.require(wire::parse_address(out).has_value(), Code::address_syntax, name);
  return out;
}

std::optional<std::string> read_group(wire::ObjectReader& in) {
  auto out = in.optional_string("group");
  if (out) in.require(keys::is_group(*out), Code::schema, "group");
  return out;
}

Scope read_scope(wire::ObjectReader& in) {
  Scope out;
  out.addr = in.optional_string("addr");
  if (out.addr)
    in.require(wire::parse_address(*out.addr).has_value(), Code::address_syntax, "addr");
  out.group = read_group(in);
  in.require(!out.addr || !out.group, Code::schema, "group");
  return out;
}

void write_scope(wire::Object& out, const Scope& scope) {
  if (scope.addr) out.emplace("addr", *scope.addr);
  if (scope.group) out.emplace("group", *scope.group);
}

// --- capability ----------------------------------------------------------------------------------
wire::Value to_value(const Capability& capability) {
  wire::Object out{
      {"ams", "ks-cap/1"},
      {"addr", capability.addr},
      {"device", to_base64url(capability.device)},
      {"kid", to_uuid_text(capability.kid)},
      {"purpose", name(capability.purpose)},
      {"exp", capability.exp},
      {"mac", to_base64url(capability.mac)},
  };
  if (capability.group) out.emplace("group", *capability.group);
  return out;
}

Result<Capability> parse_capability(const wire::Value& value) {
  wire::ObjectReader in(value, "capability");
  Capability out;
  in.tag("ks-cap/1");
  out.addr = read_address(in, "addr");
  out.device = in.bytes<32>("device");
  out.kid = in.uuid("kid");
  out.group = read_group(in);
  const auto purpose = find_purpose(in.string("purpose"));
  in.require(purpose.has_value() || mutant("keystore.any_purpose"), Code::schema, "purpose");
  out.purpose = purpose.value_or(Purpose::decap);
  out.exp = in.integer("exp");
  out.mac = in.bytes<32>("mac");
  AMS_CHECK(in.finish());
  return out;
}

Hash capability_mac(ByteView key32, const Capability& capability) {
  Bytes text = to_bytes("AMS-KS-CAP/1\0"sv);
  append(text, wire::encode_without(to_value(capability), "mac"));
  return crypto::hmac_sha256(key32, text);
}

Result<> judge_capability(const Capability& capability, ByteView key32, const CapabilityUse& use,
                          std::int64_t now_ms) {
  const Hash mac = capability_mac(key32, capability);
  if (!equal_constant_time(mac, capability.mac) && !mutant("keystore.skip_capability_mac"))
    return fail(Code::capability, "mac");
  if ((capability.addr != use.addr || capability.device != use.device) &&
      !mutant("keystore.skip_capability_holder"))
    return fail(Code::capability, "holder");
  if (capability.kid != use.kid && !mutant("keystore.skip_capability_kid"))
    return fail(Code::capability, "kid");
  if (capability.purpose != use.purpose && !mutant("keystore.skip_capability_purpose"))
    return fail(Code::capability, "purpose");
  if (capability.exp <= now_ms && !mutant("keystore.skip_capability_expiry"))
    return fail(Code::capability_expired, "exp");
  return {};
}

// --- members -------------------------------------------------------------------------------------
wire::Object to_object(const Member& member) {
  wire::Array devices, groups, purposes_of;
  for (const Device& device : member.devices) {
    wire::Object each{{"sk", to_base64url(device.sk)}};
    if (device.ek) each.emplace("ek", to_base64url(*device.ek));
    devices.push_back(std::move(each));
  }
  for (const std::string& group : member.groups) groups.push_back(group);
  for (const Purpose purpose : member.purposes) purposes_of.push_back(name(purpose));
  return {{"addr", member.addr},           {"admin", member.admin},
          {"devices", std::move(devices)}, {"exp", member.exp},
          {"groups", std::move(groups)},   {"purposes", std::move(purposes_of)}};
}

namespace {

std::vector<Device> read_devices(wire::ObjectReader& in) {
  std::vector<Device> out;
  const wire::Array& devices = in.array("devices", devices_max);
  in.require(!devices.empty(), Code::schema, "devices");
  for (const wire::Value& each : devices) {
    wire::ObjectReader one(each, "device");
    Device device;
    device.sk = one.bytes<32>("sk");
    const auto ek = one.optional_binary("ek", 32, 32);
    if (ek) device.ek = to_array<32>(*ek);
    one.require(crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, device.sk).has_value(),
                Code::key_material, "sk");
    one.require(!ek || crypto::EncryptionKey::from_raw(crypto::Kem::x25519, *ek).has_value(),
                Code::key_material, "ek");
    in.include(one.finish());
    out.push_back(device);
  }
  const auto unordered = [](const Device& a, const Device& b) { return a.sk >= b.sk; };
  in.require(std::adjacent_find(out.begin(), out.end(), unordered) == out.end(), Code::schema,
             "devices");
  return out;
}

/// Strings in ascending order without repetition, each as `good` wants it.
template <class Good>
std::vector<std::string> read_names(wire::ObjectReader& in, std::string_view member,
                                    std::size_t count_max, Good good) {
  std::vector<std::string> out;
  for (const wire::Value& each : in.array(member, count_max)) {
    in.require(each.is_string(), Code::schema, member);
    if (!each.is_string()) break;
    in.require(each.as_string().size() <= 1024, Code::object_too_large, member);
    in.require(good(each.as_string()), Code::schema, member);
    out.push_back(each.as_string());
  }
  in.require(std::adjacent_find(out.begin(), out.end(), std::greater_equal<>()) == out.end(),
             Code::schema, member);
  return out;
}

}  // namespace

Result<Member> parse_member(const wire::Value& value) {
  wire::ObjectReader in(value, "member");
  Member out;
  out.addr = read_address(in, "addr");
  out.admin = in.boolean("admin");
  out.devices = read_devices(in);
  out.exp = in.integer("exp");
  out.groups = read_names(in, "groups", groups_max, keys::is_group);
  for (const std::string& each :
       read_names(in, "purposes", purposes.size(), [](const std::string& text) {
         return find_purpose(text).has_value() || mutant("keystore.any_purpose");
       }))
    out.purposes.push_back(find_purpose(each).value_or(Purpose::decap));
  in.require(out.admin || !out.purposes.empty(), Code::schema, "purposes");
  AMS_CHECK(in.finish());
  return out;
}

}  // namespace ams::keystore
