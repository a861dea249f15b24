// Witnesses: whose cosignatures count for the binding logs of other domains and of our own, and how
// many are demanded (spec BLG-41): the full peers that our server names, or that the owner chose,
// each by the op key of a chain that we verified ourselves.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "client/connection.h"
#include "client/core.h"
#include "keys/records.h"
#include "verifiable/checkpoint.h"

namespace ams::client {

class Lookup;

inline constexpr std::size_t witnesses_max = 16;

/// What is demanded of the head of one domain's log. `policy()` borrows from it.
struct Demand {
  std::vector<verifiable::NoteKey> keys;
  std::size_t quorum = 0;
  verifiable::WitnessPolicy policy() const { return {keys, quorum}; }
  verifiable::WitnessPolicy counted() const { return {keys, 0}; }  // who has, demanding nothing
};

class Witnesses {
 public:
  Witnesses(Core& core, Link& link, Lookup& lookup) : core_(core), link_(link), lookup_(lookup) {}

  bool demanded() const { return core_.options.log_witnesses > 0; }
  /// Calls `then` once, perhaps at once, when the keys are known as well as they can be now: they
  /// are asked for once a day. `needed`: also where nothing is demanded.
  void ready(std::function<void()> then, bool needed = false);
  /// Of the log of `domain`: everyone but that domain itself.
  Demand demand(const std::string& domain) const;

 private:
  void ask();
  void learn(std::vector<std::string> domains);
  void finish();

  Core& core_;
  Link& link_;
  Lookup& lookup_;
  std::map<std::string, verifiable::NoteKey> keys_;  // by domain
  Instant next_{};                                   // asked for again after that
  std::size_t awaited_ = 0;                          // chains
  bool asking_ = false;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace ams::client
