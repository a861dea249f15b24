// Bindings of an address to a key (spec BND).
#include "keys/records.h"
#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::keys {

Result<wire::Value> make_binding(const Binding& binding, const crypto::SigningKey& op) {
  return sign_object(
      wire::Object{
          {"ams", "bind/1"},
          {"addr", binding.addr},
          {"kid", to_uuid_text(binding.key.kid)},
          {"fp", to_base64url(binding.key.fp)},
          {"version", binding.version},
          {"dkid", to_uuid_text(binding.dkid)},
      },
      op);
}

Result<Binding> parse_binding(const wire::Value& value) {
  wire::ObjectReader in(value, "binding");
  Binding out;
  in.tag("bind/1");
  out.addr = in.string("addr");
  in.require(wire::parse_address(out.addr).has_value(), Code::address_syntax, "addr");
  out.key.kid = in.uuid("kid");
  out.key.fp = in.bytes<32>("fp");
  out.version = in.integer("version", 1);
  out.dkid = in.uuid("dkid");
  in.binary("sig", 1, signature_size_max);
  AMS_CHECK(in.finish());
  return out;
}

Result<Binding> verify_binding(const wire::Value& value, const Chain& chain) {
  AMS_TRY(Binding binding, parse_binding(value));
  AMS_TRY(const wire::Address addr, wire::parse_address(binding.addr));
  if (addr.domain != chain.record.domain && !mutant("keys.skip_binding_domain"))
    return fail(Code::domain_mismatch, "binding");
  if (binding.dkid != chain.op.id().kid) return fail(Code::kid_mismatch, "binding");
  if (!mutant("keys.skip_binding_signature")) AMS_CHECK(verify_object(value, chain.op.signing()));
  return binding;
}

}  // namespace ams::keys
