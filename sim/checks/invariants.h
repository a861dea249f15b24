// The promises of the specification, judged from what happened (sim_world/ledger.h). Each says what
// broke, when, and in which message; the runner adds how to replay it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim_world/internet.h"
#include "sim_world/ledger.h"

namespace ams::sim {

struct InvariantResult {
  std::string name;
  std::uint64_t checked = 0;          // how many times the promise was put to the test
  std::vector<Violation> violations;  // at most 20 kept
  std::uint64_t violated = 0;
};

bool all_hold(const std::vector<InvariantResult>& invariants);

inline constexpr std::size_t violations_kept_max = 20;

/// A promise while it is put to the test.
class Invariant {
 public:
  explicit Invariant(std::string name) { result_.name = std::move(name); }
  /// Puts the promise to the test once.
  void test(bool holds, Instant at, const std::string& what) {
    ++result_.checked;
    if (!holds) add({result_.name, at, what});
  }
  void add(Violation violation) {
    ++result_.violated;
    if (result_.violations.size() < violations_kept_max)
      result_.violations.push_back(std::move(violation));
  }
  void count(std::uint64_t checks) { result_.checked += checks; }
  InvariantResult take() { return std::move(result_); }

 private:
  InvariantResult result_;
};

struct Totals {
  std::uint64_t written = 0, acknowledged = 0, refused = 0, undecided = 0;
  std::uint64_t due = 0;        // (message, recipient) pairs acknowledged
  std::uint64_t delivered = 0;  // of these, read by the recipient
  std::uint64_t taken = 0;      // sealed to a key of a domain that flipped, by who did not know it
  std::uint64_t shared = 0;     // copies sealed to a shared key
  std::uint64_t store_asks = 0, store_silent = 0;  // of key stores, and while they were down
  std::uint64_t begged = 0;                        // a server asked a client for private keys
  std::uint64_t failed = 0, undetermined = 0;
  std::vector<std::int64_t> delays_ms;            // of the delivered, ascending
  std::map<std::string, std::uint64_t> refusals;  // by code
};

struct Conviction {  // a domain that handed out a wrong key, and what shows it to anyone
  std::string domain, addr;
  Instant at;
  wire::Value lie;  // blie/1, verified
};

struct Judgement {
  std::vector<Conviction> convictions;  // the first of each domain, in the order of domains
  std::vector<InvariantResult> invariants;
  Totals totals;
  std::map<std::pair<LpId, LpId>, std::uint64_t> flows;  // delivered, by domain pair
  bool holds() const { return all_hold(invariants); }
};

/// `ledgers` in the order of domains.
Judgement judge(const Internet& world, const std::vector<const Ledger*>& ledgers);

}  // namespace ams::sim
