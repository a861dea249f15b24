#include "vectors_run/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "vectors_run/run.h"

namespace ams::conform {
namespace {

using nlohmann::json;

/// A name that no adapter can have prepared for.
std::string strange_op() {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return fmt::format("conform.x{:x}", now);
}

class Checker {
 public:
  Checker(Sut& sut, const std::vector<Vector>& vectors, AdapterChecks& out)
      : sut_(sut), vectors_(vectors), out_(out) {}

  void run() {
    make("hello declares its ops", [&] { return hello(); });
    make("an unknown op is answered `unsupported`", [&] { return unknown_op(); });
    make("a line that is no JSON is a fault under id null", [&] { return no_json(); });
    make("a request without op is a fault under its id", [&] { return no_op(); });
    make("ids come back as they were", [&] { return ids(); });
    for (const std::string& op : ops_) {
      if (op == "hello") continue;  // listed or not: it has no args
      make(op + ": empty args are a fault", [&] { return empty_args(op); });
      if (const Vector* one = first(op, true))
        make(op + ": accepts a valid vector", [&] { return judges(*one); });
      if (const Vector* one = first(op, false))
        make(op + ": refuses an invalid vector", [&] { return judges(*one); });
    }
    make("ends with exit 0 when its input ends, and wrote nothing else", [&] {
      sut_.finish();
      return std::string();
    });
  }

 private:
  /// The check is on record before it is made, so that a SutError names it.
  void make(const std::string& name, const std::function<std::string()>& check) {
    out_.checks.push_back({name, "was not finished"});
    out_.checks.back().complaint = check();
  }

  json ask(const std::string& op, const json& args) {
    return sut_.ask({{"id", ++id_}, {"op", op}, {"args", args}});
  }

  json ask_raw(const std::string& line) {
    json answer;
    sut_.exchange(line + "\n", [&](std::string_view text) {
      answer = parse_answer(text);
      return true;
    });
    return answer;
  }

  std::string hello() {
    const json said = say_hello(sut_);
    if (said.is_null()) return "hello is answered `unsupported`, so nothing can be asked";
    ops_ = said.at("ops").get<std::vector<std::string>>();
    const auto roles = said.at("roles").get<std::vector<std::string>>();
    if (std::count(roles.begin(), roles.end(), "codec") == 0) return "roles lacks codec";
    return ops_.empty() ? "ops is empty, so nothing can be asked" : "";
  }

  std::string unknown_op() {
    const json answer = ask(strange_op(), json::object());
    const bool right = answer.contains("error") && answer["error"]["code"] == "unsupported" &&
                       answer["error"]["phase"] == "schema";
    return right ? "" : "expected the error schema/unsupported (OPS-4), got " + answer.dump();
  }

  std::string no_json() {
    const json answer = ask_raw("this is no JSON");
    const bool right = answer.contains("fault") && answer["id"].is_null();
    return right ? "" : "expected a fault with id null, got " + answer.dump();
  }

  std::string no_op() {
    const json answer = ask_raw(json{{"id", ++id_}, {"args", json::object()}}.dump());
    const bool right = answer.contains("fault") && answer["id"] == id_;
    return right ? "" : fmt::format("expected a fault with id {}, got {}", id_, answer.dump());
  }

  std::string ids() {
    for (const std::int64_t id : {std::int64_t{9'007'199'254'740'991}, std::int64_t{-3}})
      sut_.ask({{"id", id}, {"op", "hello"}, {"args", json::object()}});  // throws on another id
    return "";
  }

  std::string empty_args(const std::string& op) {
    const json answer = ask(op, json::object());
    return answer.contains("fault") ? "" : "expected a fault, got " + answer.dump();
  }

  const Vector* first(const std::string& op, bool valid) const {
    for (const Vector& one : vectors_)
      if (one.op == op && one.valid == valid) return &one;
    return nullptr;
  }

  std::string judges(const Vector& vector) {
    const Judged result = judge_vector(vector, ask(vector.op, vector.input));
    return result.verdict == VectorVerdict::pass ? "" : vector.id + ": " + result.what;
  }

  Sut& sut_;
  const std::vector<Vector>& vectors_;
  AdapterChecks& out_;
  std::vector<std::string> ops_;
  std::int64_t id_ = 100;
};

}  // namespace

AdapterChecks check_adapter(const std::string& command, std::chrono::seconds silence_max,
                            const std::vector<Vector>& vectors) {
  AdapterChecks out;
  try {
    Sut sut(command, silence_max);
    Checker(sut, vectors, out).run();
  } catch (const SutError& error) {
    if (out.checks.empty()) out.checks.push_back({"starts", ""});
    out.checks.back().complaint = error.what();
    out.broken = true;
  }
  return out;
}

int adapter_exit_code(const AdapterChecks& checks) {
  if (checks.broken) return 4;
  return std::any_of(checks.checks.begin(), checks.checks.end(),
                     [](const AdapterCheck& one) { return !one.complaint.empty(); })
             ? 1
             : 0;
}

std::string adapter_console(const AdapterChecks& checks) {
  std::string out;
  std::size_t failed = 0;
  for (const AdapterCheck& one : checks.checks) {
    if (!one.complaint.empty()) ++failed;
    out += one.complaint.empty() ? "PASS  " + one.name + "\n"
                                 : "FAIL  " + one.name + "\n      " + one.complaint + "\n";
  }
  out += fmt::format("{} checks: {} pass, {} fail{}\n", checks.checks.size(),
                     checks.checks.size() - failed, failed,
                     checks.broken ? "; the session ended there" : "");
  return out;
}

}  // namespace ams::conform
