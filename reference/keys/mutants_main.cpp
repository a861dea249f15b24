// Goal: every mutant switch of this room really breaks its rule, and only when it is on. Method:
// for each switch a probe that tells whether the rule holds; it must hold with all switches off,
// fail with the switch on, and the switch must have been asked. Exit code: 0 all do, 1 otherwise.
#include <functional>

#include "keys/records.h"
#include "policy/probe.h"

namespace ams::keys {
namespace {

using mutants::Probe;

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t start_ms = 1'900'000'000'000;

KeyPair pair_of(std::uint8_t seed) {
  return make_modern(Bytes(80, seed), {.nbf = start_ms, .exp = start_ms + 9 * day_ms}).value();
}

const KeyPair& root() {
  static const KeyPair pair = pair_of(1);
  return pair;
}
const KeyPair& op() {
  static const KeyPair pair = pair_of(2);
  return pair;
}

/// The root's record with one member changed and a signature that fits (or does not).
wire::Value record_with(const char* name, const wire::Value& value, bool sign) {
  wire::Value out = root().record.value();
  out.as_object()[name] = value;
  if (!sign) return out;
  out.as_object().erase("sig");
  return sign_object(out, root().signing).value();
}

bool chain_refused(std::string_view asked, const crypto::SigningKey& signer, const KeyId& found) {
  const DomainRecord record{"a.example", root().record.id(), op().record.id(), Policy::isp, 1};
  const wire::Value signed_record = make_domain_record(record, signer).value();
  return !verify_chain(chain_value(signed_record, root().record, op().record), asked, found);
}

bool binding_refused(const std::string& addr, const crypto::SigningKey& signer) {
  const DomainRecord record{"a.example", root().record.id(), op().record.id(), Policy::isp, 1};
  const wire::Value chain =
      chain_value(make_domain_record(record, root().signing).value(), root().record, op().record);
  const Chain verified = verify_chain(chain, "a.example", root().record.id()).value();
  const Binding binding{addr, root().record.id(), 1, op().record.id().kid};
  return !verify_binding(make_binding(binding, signer).value(), verified);
}

std::vector<Probe> probes() {
  const KeyId id = root().record.id();
  const KeyId other = op().record.id();
  return {
      {"keys.skip_signature",
       [] { return !KeyRecord::parse(record_with("exp", start_ms + 1, false)); }},
      {"keys.skip_kid", [=] { return !KeyRecord::parse_as(root().record.value(), other.kid); }},
      {"keys.skip_fp",
       [=] {
         return !KeyRecord::parse_as(root().record.value(), {id.kid, other.fp});
       }},
      {"keys.skip_life", [] { return !KeyRecord::parse(record_with("exp", start_ms, true)); }},
      {"keys.skip_life",
       [] { return !KeyRecord::parse(record_with("exp", start_ms + 399 * day_ms, true)); }},
      {"keys.accept_expired_key",
       [] { return !root().record.valid_at(from_unix_ms(start_ms + 9 * day_ms)); }},
      {"keys.skip_chain_root", [=] { return chain_refused("a.example", root().signing, other); }},
      {"keys.skip_chain_signature", [=] { return chain_refused("a.example", op().signing, id); }},
      {"keys.skip_chain_domain", [=] { return chain_refused("b.example", root().signing, id); }},
      {"keys.skip_binding_signature",
       [] { return binding_refused("u@a.example", root().signing); }},
      {"keys.skip_binding_domain", [] { return binding_refused("u@b.example", op().signing); }},
  };
}

}  // namespace

int run_probes() { return mutants::run(probes()); }

}  // namespace ams::keys

int main() { return ams::keys::run_probes(); }
