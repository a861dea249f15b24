// Witnesses: whose cosignatures count for the binding logs of other domains and of our own, and how
// many are demanded (spec BLG-41): the full peers that our server names, or that the owner chose,
// each by the op key of a chain that we verified ourselves.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/connection.h"
#include "client/core.h"
#include "keys/records.h"
#include "verifiable/checkpoint.h"

namespace ams::client {

class Lookup;

/// What a full peer says of a domain's log, held against a head of it that we were shown (BLG-42).
struct HeldAgainst {
  Result<> outcome;                // log_rewritten, with the lie; or what is wrong with the answer
  std::string seen = "nothing";    // for people
  std::optional<wire::Value> lie;  // blie/1
};
/// `note`: of the head; `got`: the answer of directory.domain.
HeldAgainst hold_against(const keys::Chain& chain, const std::string& note, const wire::Value& got);

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
  /// Asks three of them what they have seen of the log whose head `note` is of, once an hour for a
  /// domain, and tells of a lie (BLG-42).
  void compare(const std::string& addr, const std::string& note, const keys::Chain& chain);
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
  std::map<std::string, Instant> compared_;          // domains
  std::size_t awaited_ = 0;                          // chains
  bool asking_ = false;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace ams::client
