// Agreement over time: which honest peers that are up hold one and the same set, exactly, from what
// each of them wrote.
#pragma once

#include <vector>

#include "sim_directory/judge.h"

namespace ams::sim {

class Agreement {
 public:
  Agreement(const DirectoryWorld& world, const std::vector<const PeerLedger*>& peers);

  /// Evenly over the run.
  std::vector<AgreementSample> samples() const { return samples_; }
  /// The first instant from `from` on at which all honest peers are up and hold one set.
  std::optional<Instant> first_agreed(Instant from) const;

 private:
  std::vector<AgreementSample> samples_;
  std::vector<std::pair<Instant, bool>> agreed_;  // from then on
};

}  // namespace ams::sim
