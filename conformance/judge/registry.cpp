#include "judge/registry.h"

#include <map>

#include "judge/canon.h"
#include "judge/data.h"

namespace ams::conform {

std::optional<std::string> phase_of(const std::string& code) {
  static const std::map<std::string, std::string> phases = [] {
    std::map<std::string, std::string> out;
    const Json registry = Json::parse(errors_json());
    for (const Json& error : registry.at("errors"))
      out.emplace(error.at("code"), error.at("phase"));
    return out;
  }();
  const auto at = phases.find(code);
  if (at == phases.end()) return std::nullopt;
  return at->second;
}

}  // namespace ams::conform
