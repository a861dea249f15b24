// Case files: what a case says, read strictly.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "judge/canon.h"
#include "runner/target.h"

namespace ams::conform {

struct Clause {
  std::string anchor;           // WIR-4
  std::string sentence_sha256;  // of the sentence as it stood when the case was written
};

struct Case {
  // role: server, or directory: of what has a directory peer, which a server has too
  std::string id, chapter, title, kind, twin, since, role, keyword = "MUST";
  int tier = 1;  // 1: over the network; 3: inside the simulator only
  // "peer": the target connects to conform.test; "full": it is a full directory peer; "gossip":
  // that, and conform.test is one of its peers
  std::vector<std::string> caps;
  std::vector<Clause> clauses;
  Json expect = Json::object();  // {"codes","phase"}
  std::vector<std::string> mutants;
  Millis deadline{10'000};
  TargetOptions options;
  Json steps;
};

/// file:line: field: what was expected.
struct CaseError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The cases of one file. Throws CaseError.
std::vector<Case> read_cases(const std::string& file, const std::string& text);
/// What no single file shows: ids stand once, twins exist and are positive. Throws CaseError.
void check_together(const std::vector<Case>& cases);

}  // namespace ams::conform
