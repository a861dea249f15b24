#include "crypto_bench/letters.h"
#include "crypto_bench/tables.h"

namespace ams::crypto_bench {
namespace {

using crypto::Kem;
using crypto::SigAlg;
using paired::Contestant;
using paired::Row;
using paired::Table;

constexpr std::array sig_algs{SigAlg::ed25519, SigAlg::rsa2048pss, SigAlg::rsa3072pss,
                              SigAlg::rsa4096pss};
constexpr std::array kems{Kem::x25519, Kem::rsa2048kem, Kem::rsa3072kem, Kem::rsa4096kem};
constexpr std::array<std::size_t, 4> bits_of{0, 2048, 3072, 4096};  // of either list

template <class Enum>
std::size_t bits(Enum alg) {
  return bits_of[static_cast<std::size_t>(alg)];
}

/// A row for each algorithm; those of RSA stand on the axis.
template <class Algs, class Make>
Table table_of(std::string id, std::string title, std::string question, const Algs& algs,
               const Make& make) {
  Table out{std::move(id), std::move(title), std::move(question), "bits", "primitives", {}, {}};
  for (const auto alg : algs) {
    Row row;
    row.x = static_cast<std::int64_t>(bits(alg));
    row.label = crypto::name(alg);
    row.contestants = [alg, make] { return make(alg); };
    out.rows.push_back(std::move(row));
  }
  return out;
}

std::shared_ptr<const crypto::SigningKey> signing_key(SigAlg alg) {
  if (alg == SigAlg::ed25519)
    return std::make_shared<crypto::SigningKey>(
        crypto::SigningKey::ed25519_from_seed(Bytes(32, 1)));
  return std::make_shared<crypto::SigningKey>(
      crypto::SigningKey::from_private(alg, rsa_pkcs8(bits(alg))).value());
}

std::shared_ptr<const crypto::DecryptionKey> decryption_key(Kem kem) {
  if (kem == Kem::x25519)
    return std::make_shared<crypto::DecryptionKey>(
        crypto::DecryptionKey::x25519_from_seed(Bytes(32, 2)));
  return std::make_shared<crypto::DecryptionKey>(
      crypto::DecryptionKey::from_private(kem, rsa_pkcs8(bits(kem))).value());
}

/// The KEM's primitive and the key schedule's hashing.
std::vector<Step> kem_steps(Kem kem, bool seal) {
  const bool x25519 = kem == Kem::x25519;
  std::vector<Step> out{{x25519 ? Primitive::agree
                         : seal ? Primitive::encapsulate
                                : Primitive::decapsulate}};
  add_hmac(out, x25519 ? 51 : bits(kem) / 8);
  add_hmac(out, x25519 ? 93 : bits(kem) / 8 + 43);
  add_hmac(out, 110);
  add_hmac(out, 23);
  add_hmac(out, 88, 2);
  out.push_back({seal ? Primitive::aead_seal : Primitive::aead_open, 32});
  return out;
}

Contestant beneath(std::vector<Step> steps, std::size_t key_bits) {
  return {"primitives",
          [=] { return primitives(steps, key_bits ? rsa_pkcs8(key_bits) : Bytes()); }};
}

std::vector<Contestant> sign_row(SigAlg alg) {
  Step step{Primitive::sign};
  step.sig = alg;
  return {{"ams",
           [alg]() -> paired::Operation {
             return [key = signing_key(alg), message = Bytes(48, 7)] {
               must(key->sign(message).has_value(), "sign");
             };
           }},
          beneath({step}, bits(alg))};
}

std::vector<Contestant> verify_row(SigAlg alg) {
  Step step{Primitive::verify};
  step.sig = alg;
  const auto make = [alg](bool import_key) -> paired::Operation {
    const auto key = signing_key(alg);
    const Bytes message(48, 7);
    const Bytes signature = key->sign(message).value(), raw = key->public_raw();
    const auto known = crypto::VerifyKey::from_raw(alg, raw).value();
    if (!import_key) return [=] { must(known.verify(message, signature).has_value(), "verify"); };
    return [=] {
      const auto imported = crypto::VerifyKey::from_raw(alg, raw);
      must(imported && imported->verify(message, signature).has_value(), "verify");
    };
  };
  return {{"ams", [make] { return make(false); }},
          {"ams, key imported each time", [make] { return make(true); }},
          beneath({step}, bits(alg))};
}

std::vector<Contestant> wrap_row(Kem kem) {
  return {{"ams",
           [kem]() -> paired::Operation {
             const auto to =
                 crypto::EncryptionKey::from_raw(kem, decryption_key(kem)->public_raw()).value();
             const auto ephemeral =
                 std::make_shared<crypto::Ephemeral>(crypto::Ephemeral::from_seed(Bytes(32, 3)));
             return [=, info = Bytes(84, 5), content_key = Bytes(32, 4)] {
               must(crypto::hpke_seal(to, crypto::Aead::a256gcm, info, content_key, ephemeral.get())
                        .has_value(),
                    "wrap");
             };
           }},
          beneath(kem_steps(kem, true), bits(kem))};
}

std::vector<Contestant> unwrap_row(Kem kem) {
  return {
      {"ams",
       [kem]() -> paired::Operation {
         const auto key = decryption_key(kem);
         const auto to = crypto::EncryptionKey::from_raw(kem, key->public_raw()).value();
         const auto ephemeral = crypto::Ephemeral::from_seed(Bytes(32, 3));
         const Bytes info(84, 5);
         const crypto::Wrapped wrapped =
             crypto::hpke_seal(to, crypto::Aead::a256gcm, info, Bytes(32, 4), &ephemeral).value();
         return [=] {
           must(
               crypto::hpke_open(*key, crypto::Aead::a256gcm, wrapped.enc, info, wrapped.ciphertext)
                   .has_value(),
               "unwrap");
         };
       }},
      beneath(kem_steps(kem, false), bits(kem))};
}

std::vector<Contestant> generate_row(SigAlg alg) {
  const bool ed25519 = alg == SigAlg::ed25519;
  return {{"ams",
           [=]() -> paired::Operation {
             if (ed25519)
               return [seed = Bytes(32, 1)] { crypto::SigningKey::ed25519_from_seed(seed); };
             return [alg] { must(crypto::SigningKey::generate_rsa(alg).has_value(), "generate"); };
           }},
          {"primitives", [=] { return generate_key(ed25519 ? "ED25519" : "RSA", bits(alg)); }}};
}

Row x25519_generation() {
  Row out;
  out.label = "x25519";
  out.contestants = [] {
    return std::vector<Contestant>{
        {"ams",
         [] { return [seed = Bytes(32, 1)] { crypto::DecryptionKey::x25519_from_seed(seed); }; }},
        {"primitives", [] { return generate_key("X25519", 0); }}};
  };
  return out;
}

}  // namespace

std::vector<Table> algorithm_tables() {
  std::vector<Table> out;
  out.push_back(table_of("sign", "Signing", "What does our interface add to a signature?", sig_algs,
                         sign_row));
  out.push_back(table_of("verify", "Verifying",
                         "What does it add to a check, and what when the key came with a record?",
                         sig_algs, verify_row));
  out.push_back(table_of("wrap", "Wrapping a content key for one recipient (HPKE)",
                         "The limit is the KEM, six HMACs and one AEAD of 32 bytes.", kems,
                         wrap_row));
  out.push_back(table_of("unwrap", "Unwrapping it", "The same for the reader.", kems, unwrap_row));
  Table keys =
      table_of("keygen", "Making a key",
               "RSA's time has a long tail: few keys are made here, so look at the spread.",
               sig_algs, generate_row);
  for (Row& row : keys.rows) row.rounds_max = row.x > 0 ? 3 : 1000;
  keys.rows.insert(keys.rows.begin() + 1, x25519_generation());
  out.push_back(std::move(keys));
  return out;
}

}  // namespace ams::crypto_bench
