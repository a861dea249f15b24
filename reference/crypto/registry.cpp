// Names of algorithms (spec ALG-1). An algorithm's name stands in exactly one place of an object.
#include <algorithm>

#include "crypto/crypto.h"
#include "policy/mutant.h"

namespace ams::crypto {
namespace {

template <class Algorithm>
struct Named {
  Algorithm algorithm;
  std::string_view name;
};

constexpr std::array<Named<SigAlg>, 4> sig_algs{{{SigAlg::ed25519, "ed25519"},
                                                 {SigAlg::rsa2048pss, "rsa2048pss"},
                                                 {SigAlg::rsa3072pss, "rsa3072pss"},
                                                 {SigAlg::rsa4096pss, "rsa4096pss"}}};
constexpr std::array<Named<Kem>, 4> kems{{{Kem::x25519, "x25519"},
                                          {Kem::rsa2048kem, "rsa2048kem"},
                                          {Kem::rsa3072kem, "rsa3072kem"},
                                          {Kem::rsa4096kem, "rsa4096kem"}}};
constexpr std::array<Named<Aead>, 2> aeads{
    {{Aead::a256gcm, "a256gcm"}, {Aead::c20p1305, "c20p1305"}}};

template <class Algorithm, std::size_t N>
std::string_view name_in(const std::array<Named<Algorithm>, N>& table, Algorithm algorithm) {
  return table[static_cast<std::size_t>(algorithm)].name;
}

template <class Algorithm, std::size_t N>
std::optional<Algorithm> find_in(const std::array<Named<Algorithm>, N>& table,
                                 std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const auto& entry) { return entry.name == name; });
  if (found == table.end() && mutant("crypto.default_algorithm")) return table[0].algorithm;
  if (found == table.end()) return std::nullopt;
  return found->algorithm;
}

}  // namespace

std::string_view name(SigAlg algorithm) { return name_in(sig_algs, algorithm); }
std::string_view name(Kem kem) { return name_in(kems, kem); }
std::string_view name(Aead aead) { return name_in(aeads, aead); }
std::optional<SigAlg> find_sig_alg(std::string_view text) { return find_in(sig_algs, text); }
std::optional<Kem> find_kem(std::string_view text) { return find_in(kems, text); }
std::optional<Aead> find_aead(std::string_view text) { return find_in(aeads, text); }

}  // namespace ams::crypto
