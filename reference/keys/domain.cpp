// Domain records and chains (spec DOM).
#include "crypto/vrf.h"
#include "keys/records.h"
#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::keys {
namespace {

/// DOM-16.
Result<std::optional<LogKeys>> read_log_keys(wire::ObjectReader& in) {
  const auto vrf = in.optional_binary("vrf_key", 33, 33);
  const auto note = in.optional_binary("log_key", 32, 32);
  if (vrf && !mutant("keys.skip_log_keys")) in.include(crypto::vrf_check_key(*vrf));
  if (note) {
    const auto key = crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, *note);
    in.require(key.has_value() || mutant("keys.skip_log_keys"), Code::key_material, "log_key");
  }
  in.require(vrf.has_value() == note.has_value(), Code::schema, "log_key");
  if (!vrf || !note) return std::optional<LogKeys>();
  return std::optional(LogKeys{*to_array<33>(*vrf), *to_array<32>(*note)});
}

Result<DomainRecord> parse_domain_record(const wire::Value& value) {
  wire::ObjectReader in(value, "domain");
  DomainRecord out;
  in.tag("domain/1");
  out.domain = in.string("domain");
  in.require(wire::is_domain(out.domain), Code::address_syntax, "domain");
  out.root.kid = in.uuid("root_kid");
  out.root.fp = in.bytes<32>("root_fp");
  out.op.kid = in.uuid("op_kid");
  out.op.fp = in.bytes<32>("op_fp");
  const wire::Value& policy = in.any("policy");
  out.seq = in.integer("seq", 1);
  AMS_TRY(out.log, read_log_keys(in));
  in.binary("sig", 1, signature_size_max);
  AMS_CHECK(in.finish());
  AMS_TRY(out.policy, parse_policy(policy, out.seq));
  return out;
}

/// DOM-5 with the codes of the steps, for the log; a receiver answers domain_record for each.
Result<Chain> check_chain(const wire::Value& value, std::string_view domain,
                          const KeyId& discovered) {
  wire::ObjectReader in(value, "chain");
  const wire::Value& record_member = in.any("record");
  const wire::Value& root_member = in.any("root");
  const wire::Value& op_member = in.any("op");
  AMS_CHECK(in.finish());
  AMS_TRY(DomainRecord record, parse_domain_record(record_member));
  if (record.domain != domain && !mutant("keys.skip_chain_domain"))
    return fail(Code::domain_record, "chain: domain");
  AMS_TRY(KeyRecord root, KeyRecord::parse_as(root_member, record.root));
  AMS_TRY(KeyRecord op, KeyRecord::parse_as(op_member, record.op));
  if (record.root != discovered && !mutant("keys.skip_chain_root"))
    return fail(Code::domain_record, "chain: root is not that of discovery");
  if (!mutant("keys.skip_chain_signature")) AMS_CHECK(verify_object(record_member, root.signing()));
  return Chain{std::move(record), std::move(root), std::move(op), value};
}

}  // namespace

Result<wire::Value> make_domain_record(const DomainRecord& record, const crypto::SigningKey& root) {
  wire::Object out{
      {"ams", "domain/1"},
      {"domain", record.domain},
      {"root_kid", to_uuid_text(record.root.kid)},
      {"root_fp", to_base64url(record.root.fp)},
      {"op_kid", to_uuid_text(record.op.kid)},
      {"op_fp", to_base64url(record.op.fp)},
      {"policy", to_value(record.policy)},
      {"seq", record.seq},
  };
  if (record.log) {
    out.emplace("vrf_key", to_base64url(record.log->vrf));
    out.emplace("log_key", to_base64url(record.log->note));
  }
  return sign_object(std::move(out), root);
}

Result<Chain> verify_chain(const wire::Value& value, std::string_view domain,
                           const KeyId& discovered_root) {
  auto chain = check_chain(value, domain, discovered_root);
  if (!chain && mutant("keys.chain_inner_code")) return chain;
  if (!chain) return fail(Code::domain_record, chain.error().where);
  return chain;
}

wire::Value chain_value(const wire::Value& record, const KeyRecord& root, const KeyRecord& op) {
  return wire::Object{{"record", record}, {"root", root.value()}, {"op", op.value()}};
}

}  // namespace ams::keys
