// Key profiles (spec ALG-10 to ALG-12): which signature algorithm and which KEM go together under a
// name that people choose. The post-quantum hybrids are provisional: their names are registered,
// and they are offered only where the cryptographic library has their halves.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ams::keys {

struct Profile {
  std::string_view name;     // what people choose
  std::string_view sig_alg;  // names of ALG-1, ALG-10
  std::string_view kem;
};

/// What the cryptographic library has at run time, beyond what every implementation must.
struct Offered {
  bool ml_kem_768 = false;
  bool ml_dsa_65 = false;
};

/// Whether a KEM of this name keeps its secret from a quantum computer (ALG-10).
bool post_quantum(std::string_view kem);

/// The profiles that can be made here, the preferred one first (ALG-11).
std::vector<Profile> profiles(const Offered& offered);
/// The profile of this name; of `auto` the preferred one. Fails with unknown_algorithm for a name
/// that is none, or that is not offered here.
Result<Profile> choose_profile(std::string_view name, const Offered& offered);

/// ALG-12: one content key is wrapped post-quantum for all readers or for none; a single stanza of
/// the other kind would undo the rest, unseen. Fails with pq_mix.
Result<> check_kems(std::span<const std::string_view> kems);

}  // namespace ams::keys
