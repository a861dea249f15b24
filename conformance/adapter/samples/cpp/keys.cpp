// key.verify: KEY-1 to KEY-8, ENC-9 to ENC-17, SIG-1 to SIG-5.
#include <map>
#include <set>

#include "amscj.h"
#include "primitives.h"

namespace {

const std::map<std::string, std::size_t> sig_bytes = {
    {"ed25519", 64}, {"rsa2048pss", 256}, {"rsa3072pss", 384}, {"rsa4096pss", 512}};
const std::map<std::string, std::size_t> kem_bytes = {
    {"x25519", 32}, {"rsa2048kem", 256}, {"rsa3072kem", 384}, {"rsa4096kem", 512}};
const std::set<std::string> aead_names = {"a256gcm", "c20p1305"};
constexpr std::int64_t life_max_ms = 398LL * 86'400'000;

std::string string(const Json& value) {  // ENC-17
  need(value.is_string());
  need(value.get_ref<const std::string&>().size() <= 1024, "limit/object_too_large");
  return value;
}

std::string binary(const Json& value, std::size_t low = 1, std::size_t high = 1024) {
  need(value.is_string());
  std::string raw;
  need(unb64(value, raw) && low <= raw.size() && raw.size() <= high, "schema/base64url");
  return raw;
}

std::int64_t time(const Json& value) {
  need(value.is_number_integer() && value >= 0);
  return value;
}

std::set<std::string> names(const Json& value) {
  need(value.is_array() && !value.empty());
  need(value.size() <= 8, "limit/object_too_large");
  std::set<std::string> out;
  for (const Json& name : value) {
    const std::string text = string(name);
    need(out.empty() || *out.rbegin() < text);
    out.insert(text);
  }
  return out;
}

std::string kid_of(std::string fp) {  // KEY-2
  fp[6] = static_cast<char>((fp[6] & 0x0F) | 0x80);
  fp[8] = static_cast<char>((fp[8] & 0x3F) | 0x80);
  std::string kid = hex(fp.substr(0, 16));
  for (const std::size_t at : {8, 13, 18, 23}) kid.insert(at, 1, '-');
  return kid;
}

/// The member, which leaves `from`; null when it is absent.
Json pop(Json& from, const char* name) {
  Json value = from.contains(name) ? from[name] : Json();
  from.erase(name);
  return value;
}

}  // namespace

Json key_verify(const Json& args) {  // KEY-8
  const Json record = decode(bytes_of(args, "raw_b64"));
  need(record.is_object() && record.contains("ams") && record["ams"].is_string());
  need(record["ams"] == "key/1", "schema/unknown_ams_tag");
  Json rest = record;
  const std::string alg = string(pop(rest, "sig_alg")), kem = string(pop(rest, "kem"));
  const std::set<std::string> aeads = names(pop(rest, "aeads"));
  const std::string sk = binary(pop(rest, "sk")), ek = binary(pop(rest, "ek"));
  binary(pop(rest, "nonce"), 16, 16);
  const std::int64_t nbf = time(pop(rest, "nbf")), exp = time(pop(rest, "exp"));
  const std::string custody = string(pop(rest, "custody"));
  need(custody == "client" || custody == "corporate");
  const std::string sig = binary(pop(rest, "sig"));
  need(rest.size() == 1, "schema/unknown_member");
  need(sig_bytes.contains(alg) && kem_bytes.contains(kem), "crypto/unknown_algorithm");
  for (const std::string& name : aeads) need(aead_names.contains(name), "crypto/unknown_algorithm");
  need(is_key(alg, sk, sig_bytes.at(alg)), "crypto/key_material");
  need(is_key(kem, ek, kem_bytes.at(kem)), "crypto/key_material");
  need(nbf < exp && exp - nbf <= life_max_ms);
  Json signed_part = record;
  signed_part.erase("sig");
  const std::string text = canonical(signed_part);
  const std::string fp = sha256(std::string("AMS-KEY/1\0", 10) + text), kid = kid_of(fp);
  need(!args.contains("kid") || args["kid"] == kid, "crypto/kid_mismatch");
  need(!args.contains("fp") || args["fp"] == b64(fp), "crypto/fp_mismatch");
  need(sig.size() == sig_bytes.at(alg), "crypto/algorithm_mix");
  need(verifies(alg, sk, sig, std::string("AMS-SIG/1\0key/1\0", 16) + sha256(text)),  // SIG-1
       "crypto/signature");
  return {{"kid", kid}, {"fp", b64(fp)}};
}
