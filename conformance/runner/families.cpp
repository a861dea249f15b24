#include "runner/families.h"

namespace ams::conform {
namespace {

Json let(const std::string& name, const Json& value) {
  return {{"do", "let"}, {"name", name}, {"value", value}};
}

void add_steps(Json& to, const Json& from, const std::string& member) {
  if (!from.contains(member) || !from[member].is_array()) return;
  for (const Json& step : from[member]) to.push_back(step);
}

Json expanded(const Json& one, const Json& family) {
  Json out = family;
  out.erase("before");
  out.erase("after");
  out.update(one);
  out.erase("family");
  out.erase("x");
  Json steps = Json::array();
  add_steps(steps, family, "before");
  const Json codes = out.value("expect", Json::object()).value("codes", Json::array());
  if (!codes.empty()) steps.push_back(let("code", codes[0]));
  if (one.contains("x")) steps.push_back(let("x", one["x"]));
  add_steps(steps, one, "steps");
  add_steps(steps, family, "after");
  out["steps"] = std::move(steps);
  return out;
}

}  // namespace

Json expand_families(const Json& file, std::vector<std::string>& faults) {
  const Json families = file.value("families", Json::object());
  Json out = Json::array();
  for (const Json& one : file.at("cases")) {
    if (!one.is_object() || !one.contains("family")) {
      out.push_back(one);
      continue;
    }
    const Json& name = one["family"];
    if (name.is_string() && families.contains(name) && families[name].is_object()) {
      out.push_back(expanded(one, families[name]));
    } else {
      faults.push_back(one.value("id", ""));
    }
  }
  return out;
}

}  // namespace ams::conform
