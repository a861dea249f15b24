// Families of cases: what cases have in common stands once in their file, and each says only what
// it is about.
#pragma once

#include "judge/canon.h"

namespace ams::conform {

/// {"families": {NAME: {…, "before": [step…], "after": [step…]}}, "cases": […]}: a case with
/// "family": NAME has the family's members where it has none of its own, and the steps
/// before ‖ let code = its expected code ‖ let x = its "x", if it has one ‖ its own ‖ after.
/// `faults` gets the ids of cases whose family is not there.
Json expand_families(const Json& file, std::vector<std::string>& faults);

}  // namespace ams::conform
