#include <map>

#include "crypto/test_keys.h"
#include "crypto_bench/letters.h"

namespace ams::crypto_bench {
namespace {

keys::KeyPair modern_pair(std::uint8_t seed) {
  return keys::make_modern(Bytes(80, seed), one_year).value();
}

keys::KeyPair rsa_pair(std::size_t signing, std::size_t encryption, std::uint8_t nonce) {
  using crypto::test_keys::rsa2048;
  const Bytes sign = from_base64url(rsa2048[signing]).value();
  const Bytes decrypt = from_base64url(rsa2048[encryption]).value();
  return keys::make_pair(
             crypto::SigningKey::from_private(crypto::SigAlg::rsa2048pss, sign).value(),
             crypto::DecryptionKey::from_private(crypto::Kem::rsa2048kem, decrypt).value(),
             Id16{nonce}, one_year)
      .value();
}

keys::KeyPair pair_of(Profile profile, std::uint8_t number) {
  if (profile == Profile::modern) return modern_pair(number);
  return rsa_pair(number % 2, 2 + number % 2, number);
}

keys::Chain chain_of(const std::string& domain, const keys::KeyPair& root,
                     const keys::KeyPair& op) {
  const keys::DomainRecord record{domain, root.record.id(), op.record.id(), keys::isp_policy(), 1};
  const wire::Value value = keys::make_domain_record(record, root.signing).value();
  return keys::verify_chain(keys::chain_value(value, root.record, op.record), domain,
                            root.record.id())
      .value();
}

}  // namespace

std::string_view name(Profile profile) { return profile == Profile::modern ? "modern" : "rsa2048"; }

Bytes rsa_pkcs8(std::size_t bits) {
  static std::map<std::size_t, Bytes> made{
      {2048, from_base64url(crypto::test_keys::rsa2048[0]).value()}};
  const auto found = made.find(bits);
  if (found != made.end()) return found->second;
  const auto alg = bits == 3072 ? crypto::SigAlg::rsa3072pss : crypto::SigAlg::rsa4096pss;
  const auto key = crypto::SigningKey::generate_rsa(alg);
  must(key.has_value(), "RSA key generation");
  return made[bits] = to_bytes(key->private_raw().view());
}

People::People(Profile profile, std::size_t recipient_count)
    : sender(pair_of(profile, 1)), reader(pair_of(profile, 2)) {
  const keys::KeyPair root = modern_pair(201);
  const keys::KeyPair op = modern_pair(202);
  chain = chain_of("alpha.example", root, op);
  binding = keys::make_binding(
                {std::string(sender_addr), sender.record.id(), 1, op.record.id().kid}, op.signing)
                .value();
  for (std::size_t i = 1; i < recipient_count; ++i) {
    others.push_back(pair_of(profile, static_cast<std::uint8_t>(2 + i)).record);
  }
}

std::vector<const keys::KeyRecord*> People::recipients() const {
  std::vector<const keys::KeyRecord*> out{&reader.record};
  for (const keys::KeyRecord& record : others) out.push_back(&record);
  return out;
}

std::string mail_text(std::size_t size) {
  constexpr std::string_view line =
      "On Monday Bob wrote: \"See you at nine at the caf\xc3\xa9, then we walk to the river.\"\n";
  std::string out;
  while (out.size() < size) out.append(line.substr(0, size - out.size()));
  while (!out.empty() && static_cast<unsigned char>(out.back()) >= 0x80) out.back() = '.';
  return out;
}

}  // namespace ams::crypto_bench
