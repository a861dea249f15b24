#include "bindlog/entry.h"

#include <algorithm>

#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::bindlog {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t address_size_max = 1024;  // bytes of the text before it is judged

std::optional<Type> find_type(std::string_view text) {
  for (const Type type : {Type::key, Type::alias, Type::group, Type::forward})
    if (name(type) == text) return type;
  return std::nullopt;
}

std::optional<keys::Policy> find_policy(std::string_view text) {
  for (const auto policy : {keys::Policy::isp, keys::Policy::corporate, keys::Policy::groups})
    if (keys::name(policy) == text) return policy;
  return std::nullopt;
}

void read_enc(wire::ObjectReader& in, Entry& out) {
  const wire::Value* value = in.optional("enc");
  if (value == nullptr) return;
  wire::ObjectReader enc(*value, "entry.enc");
  keys::KeyId key;
  key.kid = enc.uuid("kid");
  key.fp = enc.bytes<32>("fp");
  in.include(enc.finish());
  out.enc = key;
}

void read_targets(wire::ObjectReader& in, Entry& out) {
  if (in.optional("to") == nullptr) return;
  for (const wire::Value& one : in.array("to", targets_max)) {
    if (!one.is_string()) {
      in.require(false, Code::schema, "entry.to");
      continue;
    }
    in.require(one.as_string().size() <= address_size_max, Code::object_too_large, "entry.to");
    in.require(wire::parse_address(one.as_string()).has_value(), Code::address_syntax, "entry.to");
    out.to.push_back(one.as_string());
  }
  const bool ascending =
      std::adjacent_find(out.to.begin(), out.to.end(), std::greater_equal<>()) == out.to.end();
  in.require(!out.to.empty(), Code::schema, "entry.to");
  in.require(ascending || mutant("bindlog.accept_target_order"), Code::schema, "entry.to");
}

std::string_view domain_of(std::string_view addr) { return addr.substr(addr.rfind('@') + 1); }

/// BLG-2. Precondition: addresses are well formed.
bool fits_type(const Entry& entry) {
  if (entry.type == Type::key)
    return entry.to.empty() && entry.enc.has_value() == (entry.custody == keys::Custody::corporate);
  if (entry.enc || entry.to.empty()) return false;
  if (entry.type == Type::group) return true;
  if (entry.to.size() != 1 || entry.to[0] == entry.addr) return false;
  return entry.type == Type::forward || domain_of(entry.to[0]) == domain_of(entry.addr);
}

Result<Entry> read_entry(const wire::Value& value) {
  wire::ObjectReader in(value, "entry");
  Entry out;
  in.tag("bentry/1");
  out.addr = in.string("addr");
  in.require(wire::parse_address(out.addr).has_value(), Code::address_syntax, "entry.addr");
  out.version = in.integer("version", 1, version_max);
  out.at = in.integer("at");
  const auto type = find_type(in.string("type"));
  in.require(type.has_value(), Code::schema, "entry.type");
  out.type = type.value_or(Type::key);
  out.key.kid = in.uuid("kid");
  out.key.fp = in.bytes<32>("fp");
  const std::string custody = in.string("custody");
  in.require(custody == "client" || custody == "corporate", Code::schema, "entry.custody");
  out.custody = custody == "corporate" ? keys::Custody::corporate : keys::Custody::client;
  const auto policy = find_policy(in.string("policy"));
  in.require(policy.has_value(), Code::schema, "entry.policy");
  out.policy = policy.value_or(keys::Policy::isp);
  read_enc(in, out);
  read_targets(in, out);
  if (const auto prev = in.optional_binary("prev", 32, 32)) out.prev = to_array<32>(*prev);
  out.sig = in.optional_binary("sig", 1, keys::signature_size_max);
  AMS_CHECK(in.finish());
  if (!fits_type(out) && !mutant("bindlog.accept_type_mix")) return fail(Code::schema, "entry.to");
  const bool later = out.version > 1;
  if (out.prev.has_value() != later || (out.sig && !later))
    if (!mutant("bindlog.accept_prev_mix")) return fail(Code::schema, "entry.prev");
  return out;
}

}  // namespace

std::string_view name(Type type) {
  switch (type) {
    case Type::key:
      return "key";
    case Type::alias:
      return "alias";
    case Type::group:
      return "group";
    case Type::forward:
      return "forward";
  }
  return "";
}

Result<Entry> parse_entry(const wire::Value& value) {
  auto entry = read_entry(value);
  if (!entry && mutant("bindlog.wrong_code_entry")) return fail(Code::proof_form, "entry");
  return entry;
}

wire::Value to_value(const Entry& entry) {
  wire::Object out{
      {"ams", "bentry/1"},
      {"addr", entry.addr},
      {"version", entry.version},
      {"at", entry.at},
      {"type", name(entry.type)},
      {"kid", to_uuid_text(entry.key.kid)},
      {"fp", to_base64url(entry.key.fp)},
      {"custody", entry.custody == keys::Custody::corporate ? "corporate" : "client"},
      {"policy", keys::name(entry.policy)},
  };
  if (entry.enc)
    out["enc"] =
        wire::Object{{"kid", to_uuid_text(entry.enc->kid)}, {"fp", to_base64url(entry.enc->fp)}};
  if (!entry.to.empty()) out["to"] = wire::Array(entry.to.begin(), entry.to.end());
  if (entry.prev) out["prev"] = to_base64url(*entry.prev);
  if (entry.sig) out["sig"] = to_base64url(*entry.sig);
  return out;
}

Result<Entry> endorse(Entry entry, const crypto::SigningKey& old_key) {
  entry.sig.reset();
  AMS_TRY(entry.sig, keys::sign_beside(to_value(entry), old_key));
  return entry;
}

Hash value_of(const Entry& entry, const Hash& r) {
  Bytes text = to_bytes("AMS-BIND-VALUE/1\0"sv);
  wire::append_encoded(text, to_value(entry));
  return crypto::hmac_sha256(r, text);
}

Result<> verify_endorsement(const Entry& entry, const Entry& before, const Hash& before_value,
                            const keys::KeyRecord& old_record) {
  const bool follows = entry.version == before.version + 1 && entry.addr == before.addr &&
                       entry.prev == before_value;
  if (!follows && !mutant("bindlog.skip_endorsed_prev"))
    return fail(Code::history_gap, "endorsement.before");
  if (!mutant("bindlog.skip_endorser")) {
    if (old_record.id().kid != before.key.kid) return fail(Code::kid_mismatch, "endorsement");
    if (old_record.id().fp != before.key.fp) return fail(Code::fp_mismatch, "endorsement");
  }
  if (!entry.sig)
    return mutant("bindlog.accept_unendorsed") ? Result<>()
                                               : fail(Code::unendorsed, "endorsement.sig");
  if (!mutant("bindlog.skip_endorser_life")) AMS_CHECK(old_record.valid_at(from_unix_ms(entry.at)));
  if (mutant("bindlog.skip_endorsement_signature")) return {};
  return keys::verify_object(to_value(entry), old_record.signing());
}

Bytes label_input(std::string_view addr, std::int64_t version) {
  Bytes out = to_bytes("AMS-BIND-LABEL/1\0"sv);
  append_u64(out, static_cast<std::uint64_t>(version));
  append(out, addr);
  return out;
}

Id16 label_of(const Hash& beta) { return *to_array<16>(ByteView(beta).first(16)); }

std::vector<std::int64_t> steps(std::int64_t version) {
  std::vector<std::int64_t> out;
  for (std::size_t bit = version_bits; bit-- > 0;)
    if ((version >> bit & 1) != 0) out.push_back(version >> bit << bit);
  return out;
}

std::vector<std::int64_t> gaps(std::int64_t version) {
  std::vector<std::int64_t> out;
  for (std::size_t bit = 0; bit < version_bits; ++bit)
    if ((version >> bit & 1) == 0) out.push_back((version >> bit | 1) << bit);
  return out;
}

}  // namespace ams::bindlog
