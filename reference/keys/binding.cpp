// Bindings of an address to a key (spec BND).
#include "keys/records.h"
#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::keys {
namespace {

Result<KeyId> parse_enc(const wire::Value& value) {
  wire::ObjectReader in(value, "binding.enc");
  KeyId out;
  out.kid = in.uuid("kid");
  out.fp = in.bytes<32>("fp");
  AMS_CHECK(in.finish());
  return out;
}

}  // namespace

Result<wire::Value> make_binding(const Binding& binding, const crypto::SigningKey& op) {
  wire::Object out{
      {"ams", "bind/1"},
      {"addr", binding.addr},
      {"kid", to_uuid_text(binding.key.kid)},
      {"fp", to_base64url(binding.key.fp)},
      {"custody", name(binding.custody)},
      {"version", binding.version},
      {"dkid", to_uuid_text(binding.dkid)},
  };
  if (binding.enc)
    out.emplace("enc", wire::Object{{"kid", to_uuid_text(binding.enc->kid)},
                                    {"fp", to_base64url(binding.enc->fp)}});
  return sign_object(std::move(out), op);
}

Result<Binding> parse_binding(const wire::Value& value) {
  wire::ObjectReader in(value, "binding");
  Binding out;
  in.tag("bind/1");
  out.addr = in.string("addr");
  in.require(wire::parse_address(out.addr).has_value(), Code::address_syntax, "addr");
  out.key.kid = in.uuid("kid");
  out.key.fp = in.bytes<32>("fp");
  const auto custody = find_custody(in.string("custody"));
  in.require(custody.has_value(), Code::schema, "custody");
  out.custody = custody.value_or(Custody::client);
  if (const wire::Value* enc = in.optional("enc")) {
    auto id = parse_enc(*enc);
    if (id) {
      out.enc = *id;
    } else {
      in.include(tl::unexpected(id.error()));
    }
  }
  out.version = in.integer("version", 1);
  out.dkid = in.uuid("dkid");
  in.binary("sig", 1, signature_size_max);
  AMS_CHECK(in.finish());
  const bool shared = out.custody == Custody::corporate;
  if (out.enc.has_value() != shared && !mutant("keys.skip_binding_enc"))
    return fail(Code::schema, "binding: enc and custody");  // BND-8
  return out;
}

Result<Binding> verify_binding(const wire::Value& value, const Chain& chain) {
  AMS_TRY(Binding binding, parse_binding(value));
  AMS_TRY(const wire::Address addr, wire::parse_address(binding.addr));
  if (addr.domain != chain.record.domain && !mutant("keys.skip_binding_domain"))
    return fail(Code::domain_mismatch, "binding");
  if (binding.dkid != chain.op.id().kid && !mutant("keys.skip_binding_dkid"))
    return fail(Code::kid_mismatch, "binding");
  if (!mutant("keys.skip_binding_signature")) AMS_CHECK(verify_object(value, chain.op.signing()));
  return binding;
}

Result<> check_custody(const Binding& binding, const KeyRecord& key, const PolicyTerms& in_force) {
  if (binding.custody != key.custody() && !mutant("keys.skip_binding_custody"))
    return fail(Code::binding_custody, "binding.custody");
  const bool shared = binding.custody == Custody::corporate;
  const bool domain_shares = in_force.mode != Policy::isp;
  // A client's key from before the shift works until it is replaced or expires (POL-2).
  const bool fits = shared ? domain_shares : !domain_shares || key.nbf() < in_force.effective;
  if (!fits && !mutant("keys.skip_binding_policy"))
    return fail(Code::binding_policy, "binding.custody");
  if (binding.enc && !in_force.shares(*binding.enc) && !mutant("keys.skip_enc_listed"))
    return fail(Code::enc_unlisted, "binding.enc");
  return {};
}

}  // namespace ams::keys
