// Vectors against an adapter: verdicts, and what they mean for whoever wrote it.
#pragma once

#include <string>
#include <vector>

#include "vectors_run/sut.h"
#include "vectors_run/vectors.h"

namespace ams::conform {

enum class VectorVerdict {
  pass,
  fail,
  not_exercised,  // refused as it must be, but so is its valid twin: that shows nothing
  unsupported,    // hello does not declare the op: not asked
};

struct Judged {
  VectorVerdict verdict = VectorVerdict::unsupported;
  std::string what;  // for people; empty for pass
};

struct VectorRun {
  nlohmann::json hello;         // null: the adapter declares nothing
  std::vector<Judged> results;  // one for each vector
  double seconds = 0;           // from the first request to the last answer
};

/// Asks for every vector whose op the adapter declares. Throws SutError.
VectorRun run_vectors(Sut& sut, const std::vector<Vector>& vectors);

/// What an answer is worth, its twin apart.
Judged judge_vector(const Vector& vector, const nlohmann::json& answer);

/// For people, failures by flag; at most `shown_max` vectors of each flag.
std::string vectors_console(const std::vector<Vector>& vectors, const VectorRun& run,
                            std::size_t shown_max);
nlohmann::json vectors_json(const std::string& sut, const std::vector<Vector>& vectors,
                            const VectorRun& run);

/// JUnit XML: a test case for each vector, its op the class; what was not asked is skipped.
std::string vectors_junit(const std::vector<Vector>& vectors, const VectorRun& run);

/// 0 clean, 1 mismatch, 3 nothing ran; with `all` an op that is not declared is too little, 3.
int vectors_exit_code(const VectorRun& run, bool all);

}  // namespace ams::conform
