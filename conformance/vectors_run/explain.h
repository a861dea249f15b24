// What one vector is about, for whoever meets it in a report.
#pragma once

#include <string>
#include <vector>

#include "vectors_run/vectors.h"

namespace ams::conform {

/// Empty when no vector has this id, nor any this flag. For a flag: what it is about and its
/// vectors.
std::string explain_vector(const std::vector<Vector>& vectors, const std::string& name);

}  // namespace ams::conform
