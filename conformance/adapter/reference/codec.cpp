#include "adapter/codec.h"

#include "adapter/ops.h"

namespace ams::adapter {
namespace {

Json hello() {
  Json names = Json::array();
  for (const Op& op : ops()) names.push_back(op.name);
  return {{"impl", "ams-reference"},
          {"version", "0.1.0"},
          {"roles", {"codec"}},
          {"spec_versions", {"0.1"}},
          {"ops", names}};
}

Answer run(const std::string& name, const Json& args) {
  if (name == "hello") return hello();
  for (const Op& op : ops())
    if (op.name == name) return op.run(Args(args));
  return fail(Code::unsupported, "op");
}

Json error_json(const Error& error) {
  const CodeInfo& info = code_info(error.code);
  return {{"code", info.name}, {"phase", info.phase}, {"where", error.where}};
}

Json respond(const Json& request) {
  const auto id = request.find("id");
  if (id == request.end() || !id->is_number_integer()) throw Fault("id: no integer");
  const auto op = request.find("op");
  const auto args = request.find("args");
  Json out{{"id", *id}};
  try {
    if (op == request.end() || !op->is_string()) throw Fault("op: no string");
    if (args == request.end() || !args->is_object()) throw Fault("args: no object");
    const Answer answer = run(op->get<std::string>(), *args);
    if (answer) {
      out["ok"] = *answer;
    } else {
      out["error"] = error_json(answer.error());
    }
  } catch (const Fault& fault) {
    out["fault"] = fault.what();
  }
  return out;
}

}  // namespace

std::string answer(const std::string& line) {
  try {
    return respond(Json::parse(line)).dump(-1, ' ', false, Json::error_handler_t::replace);
  } catch (const std::exception& error) {
    return Json{{"id", nullptr}, {"fault", error.what()}}.dump(-1, ' ', true,
                                                               Json::error_handler_t::replace);
  }
}

}  // namespace ams::adapter
