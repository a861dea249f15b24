// What a directory scenario promises, judged from what happened, and the figures of its run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim_checks/invariants.h"
#include "sim_directory/ledger.h"
#include "sim_directory/tables.h"
#include "sim_directory/world.h"

namespace ams::sim {

struct AgreementSample {
  Instant at;
  std::size_t up = 0;        // honest peers that are up
  std::size_t agreeing = 0;  // the largest number of them that hold one and the same set
  std::size_t sets = 0;      // how many different sets there are
};
struct Reached {  // one publication
  std::size_t number = 0;
  std::optional<Duration> most, all;  // since it was published: until the permille, until everyone
};
struct Split {  // of one peer with two faces
  std::string peer;
  bool to_clients = false;
  Instant from;                      // the twin starts
  std::optional<Instant> two_faces;  // both logs have an epoch of one index, with other leaves,
                                     // and each was shown to a peer since
  std::optional<Instant> noticed;    // an honest peer evicts it
  std::string noticed_by;
  std::optional<Instant> evicted;  // by all honest peers
  std::size_t evicted_by = 0;
  std::string evidence;
  /// In intervals since there were two faces, rounded up.
  std::optional<std::int64_t> rounds_until(const std::optional<Instant>& then,
                                           std::int64_t interval_s) const;
};
struct DirectoryFigures {
  std::vector<AgreementSample> agreement;       // over the whole run, evenly
  std::vector<std::optional<Duration>> healed;  // by cut
  std::vector<Reached> reached;                 // acknowledged publications
  std::vector<Split> splits;
  std::map<std::string, std::uint64_t> verdicts;  // of look-ups
  TablesFigures tables;
};
struct DirectoryJudgement {
  std::vector<InvariantResult> invariants;
  DirectoryFigures figures;
  bool holds() const { return all_hold(invariants); }
};

DirectoryJudgement judge_directory(const DirectoryWorld& world,
                                   const std::vector<const PeerLedger*>& peers,
                                   const std::vector<const LookLedger*>& looks);

}  // namespace ams::sim
