#include "keys/profiles.h"

#include <algorithm>
#include <array>

#include "policy/mutant.h"

namespace ams::keys {
namespace {

constexpr Profile hybrid{"hybrid", "mldsa65+ed25519", "mlkem768+x25519"};
constexpr std::array<Profile, 4> always{{{"modern", "ed25519", "x25519"},
                                         {"rsa2048", "rsa2048pss", "rsa2048kem"},
                                         {"rsa3072", "rsa3072pss", "rsa3072kem"},
                                         {"rsa4096", "rsa4096pss", "rsa4096kem"}}};

}  // namespace

bool post_quantum(std::string_view kem) { return kem == hybrid.kem; }

std::vector<Profile> profiles(const Offered& offered) {
  std::vector<Profile> out(always.begin(), always.end());
  // Half a hybrid is none: what is signed to last must be as hard to forge as it is to read.
  const bool both = (offered.ml_kem_768 && offered.ml_dsa_65) || mutant("keys.offer_half_hybrid");
  if (both) out.insert(out.begin(), hybrid);
  return out;
}

Result<Profile> choose_profile(std::string_view name, const Offered& offered) {
  const std::vector<Profile> list = profiles(offered);
  if (name == "auto") return list.front();
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const Profile& each) { return each.name == name; });
  if (found == list.end()) return fail(Code::unknown_algorithm, "profile");
  return *found;
}

Result<> check_kems(std::span<const std::string_view> kems) {
  const auto count = std::count_if(kems.begin(), kems.end(), post_quantum);
  const bool mixed = count != 0 && static_cast<std::size_t>(count) != kems.size();
  if (mixed && !mutant("keys.skip_pq_mix")) return fail(Code::pq_mix, "stanzas");
  return {};
}

}  // namespace ams::keys
