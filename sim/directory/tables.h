// Who was in whose table of learned peers, over time: what the exchange promises (spec DIR-66),
// judged from the rows that each peer wrote and from where the peers really stand.
#pragma once

#include <optional>
#include <vector>

#include "sim_checks/invariants.h"
#include "sim_directory/ledger.h"
#include "sim_directory/world.h"

namespace ams::sim {

struct TablesSample {
  Instant at;
  std::size_t least = 0;  // learned peers of the honest peer that has fewest
  double mean = 0;
  std::size_t crowd = 0;  // most of a crowd in one honest peer's table
};
struct TablesFigures {
  std::vector<TablesSample> samples;      // over the whole run, evenly; empty: no exchange
  std::optional<Instant> filled;          // all honest peers have learned_min, from then on
  std::size_t least = 0, crowd_most = 0;  // in the end; ever
  double mean = 0;                        // in the end
  std::size_t crowd_tables = 0;           // honest peers that ever had one of a crowd
};
struct TablesJudgement {
  std::vector<InvariantResult> invariants;
  TablesFigures figures;
};

TablesJudgement judge_tables(const DirectoryWorld& world,
                             const std::vector<const PeerLedger*>& peers);

}  // namespace ams::sim
