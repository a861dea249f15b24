// Runs cases: each with its control twin first, and a look at whether the target still lives after.
#pragma once

#include <functional>
#include <map>

#include "runner/case.h"
#include "runner/roster.h"
#include "runner/verdict.h"

namespace ams::conform {

struct Outcome {
  Verdict verdict = Verdict::pass;
  std::string why;
  std::int64_t us = 0;  // wall time
};
struct Finished {
  const Case* one = nullptr;
  Outcome outcome;
};

struct Filter {
  // directory, client: cases of that role only; server: without those that need a full peer, and
  // those of a client; empty: all
  std::string role;
  std::string id;      // part of an id
  std::string clause;  // anchor
};
bool selected(const Case& one, const Filter& filter);

class Runner {
 public:
  /// One target for all cases (a server over the network).
  Runner(const std::vector<Case>& cases, Target& target, std::string run_tag);
  /// A fresh simulated target for each play: one of `role`, or of the case's own when empty.
  explicit Runner(const std::vector<Case>& cases, std::string role = {});

  Outcome run(const Case& one);

 private:
  Outcome run_twin(const Case& one);
  Outcome play(const Case& one);
  Outcome play_on(const Case& one, Target& target, Roster& roster);

  const std::vector<Case>& cases_;
  Target* target_ = nullptr;
  std::string run_tag_, role_;
  std::optional<Roster> roster_;
  std::map<std::string, Outcome> twins_;  // over the network each twin runs once
  std::uint64_t plays_ = 0;
};

}  // namespace ams::conform
