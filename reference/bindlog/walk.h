// The parts of a history's judgement that a lie's verifier needs alone (spec BLG-17, BLG-23). Only
// this room includes it.
#pragma once

#include <vector>

#include "bindlog/history.h"

namespace ams::bindlog {

std::vector<Hash> values_of(const History& history);
/// Each item is the successor of the one before and commits to it: history_gap.
Result<> judge_links(const History& history, const std::vector<Hash>& values);
/// Each item stands in the map.
Result<> verify_items(const History& history, const std::vector<Hash>& values, const Identity& log,
                      const Hash& map_root);

}  // namespace ams::bindlog
