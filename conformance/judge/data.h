// What CMake compiles in: the case files and the spec's registries.
#pragma once

#include <string_view>
#include <vector>

namespace ams::conform {

struct CaseText {
  std::string_view file;  // name inside conformance/cases
  std::string_view text;
};
const std::vector<CaseText>& case_texts();
std::string_view errors_json();
std::string_view requirements_json();
std::string_view mutants_json();

}  // namespace ams::conform
