#include <algorithm>
#include <map>
#include <set>

#include "judge/registry.h"
#include "runner/case.h"
#include "runner/families.h"

namespace ams::conform {
namespace {

const std::set<std::string> kinds{"positive", "negative", "malformed", "limit",
                                  "liveness", "abuse",    "downgrade"};

/// Each step's verb and the fields it takes; "do" itself is left out.
const std::map<std::string, std::set<std::string>> verbs{
    {"connect", {"on"}},
    {"hello", {"on", "as", "set", "edit", "root", "device", "error"}},
    {"authenticate", {"on", "role", "other_exporter", "set", "error"}},
    {"session", {"on", "as", "ready", "device"}},
    {"associate", {"on", "args"}},
    {"let", {"name", "value"}},
    {"send", {"on", "hex", "text", "times"}},
    {"frame", {"on", "kind", "length", "hex", "text"}},
    {"payload", {"on", "text", "value", "times"}},
    {"chunk", {"on", "transfer", "offset", "bytes"}},
    {"request", {"on", "op", "args", "ok", "error", "save", "wait", "later", "id"}},
    {"flood", {"on", "op", "args", "count", "error", "at_least"}},
    {"answer", {"on", "to", "ok", "error", "save"}},
    {"event", {"on", "name", "data", "code", "save"}},
    {"closed", {"on"}},
    {"close", {"on"}},
    {"silence", {"on", "ms"}},
    {"ping", {"on"}},
    {"alive", {}},
    {"put_blob",
     {"on", "bytes", "hash", "len", "transfer", "chunk", "ok", "error", "later", "save"}},
    {"get_blob", {"on", "hash", "bytes", "error"}},
    {"serve", {"on", "bytes", "hash"}},
    {"served", {"on", "hash"}},
    {"accept", {"on", "wait", "spoil_proof", "spoil_chain", "closes"}},
    {"inbound", {"on", "op", "args", "save", "meanwhile"}},
    {"reply", {"on", "to", "ok", "error"}},
    {"mark", {"as", "on", "name"}},
    {"check", {"value", "is", "not"}},
    {"repeat", {"times", "steps"}},
    {"advance", {"ms"}},
    {"faults", {"hold_commits", "fail_next_commit", "peer_down"}},
    {"restart", {}},
    {"client", {"again", "ok", "error", "save"}},
    {"command", {"op", "args", "ok", "error", "save", "wait"}},
    {"bind", {"addr", "key", "type", "to", "by", "set", "ago_ms", "seal", "save"}},
    {"seal", {"of", "ago_ms"}},
    {"begin_log", {"of"}},
    {"domain", {"of", "set"}},
    {"say", {"op", "args", "ok", "error", "set", "drop", "times"}},
    {"say_truth", {"op"}},
    {"asked", {"op", "times", "least", "args", "save"}},
    {"deliver", {"letter"}},
    {"reached", {"addrs"}},
    {"forget_asked", {}},
    {"cut", {}},
    {"nothing_sent", {}},
};
/// Of cases that judge a client, which take few of the others.
const std::set<std::string> of_client{
    "client",    "command", "bind",    "seal",    "begin_log",    "domain", "say",
    "say_truth", "asked",   "deliver", "reached", "forget_asked", "cut",    "nothing_sent"};
const std::set<std::string> of_all{"let", "check", "repeat", "advance"};

class Reader {
 public:
  Reader(std::string file, const std::string& text) : file_(std::move(file)), text_(text) {}

  std::vector<Case> read() {
    Json root;
    try {
      root = Json::parse(text_);
    } catch (const Json::parse_error& error) {
      const auto at = std::min<std::size_t>(error.byte, text_.size());
      throw CaseError(place(at) + "json: " + error.what());
    }
    need(root.is_object(), "top level", "expected an object");
    only(root, {"schema", "chapter", "families", "cases"});
    need(root.value("schema", "") == "ams-cases/1", "schema", "expected \"ams-cases/1\"");
    chapter_ = text_of(root, "chapter");
    need(root.contains("cases") && root["cases"].is_array(), "cases", "expected an array");
    std::vector<Case> out;
    std::vector<std::string> strays;
    const Json cases = expand_families(root, strays);
    for (const std::string& id : strays) {
      id_ = id;
      fail("family", "expected the name of one of this file's families");
    }
    for (const Json& value : cases) out.push_back(read_case(value));
    return out;
  }

 private:
  std::string place(std::size_t at) const {
    const auto end = text_.begin() + static_cast<std::ptrdiff_t>(at);
    return file_ + ":" + std::to_string(1 + std::count(text_.begin(), end, '\n')) + ": ";
  }

  /// The line of the field: its first mention after the case's id.
  [[noreturn]] void fail(const std::string& field, const std::string& expected) const {
    std::size_t at = id_.empty() ? 0 : text_.find("\"" + id_ + "\"");
    if (at == std::string::npos) at = 0;
    const std::string leaf = field.substr(field.find_last_of('.') + 1);
    const std::size_t mention = text_.find("\"" + leaf + "\"", at);
    if (mention != std::string::npos) at = mention;
    throw CaseError(place(at) + (id_.empty() ? "" : id_ + ": ") + field + ": " + expected);
  }
  void need(bool holds, const std::string& field, const std::string& expected) const {
    if (!holds) fail(field, expected);
  }
  void only(const Json& object, const std::set<std::string>& fields,
            const std::string& where = "") const {
    for (const auto& [field, value] : object.items())
      need(fields.contains(field), where + field, "no such field here");
  }
  std::string text_of(const Json& object, const std::string& field,
                      std::optional<std::string> otherwise = {}) const {
    if (!object.contains(field) && otherwise) return *otherwise;
    need(object.contains(field) && object[field].is_string(), field, "expected a string");
    return object[field];
  }
  std::int64_t integer_of(const Json& object, const std::string& field, std::int64_t least,
                          std::int64_t otherwise) const {
    if (!object.contains(field)) return otherwise;
    need(object[field].is_number_integer() && object[field] >= least, field,
         "expected an integer of at least " + std::to_string(least));
    return object[field];
  }
  std::vector<std::string> texts_of(const Json& object, const std::string& field) const {
    if (!object.contains(field)) return {};
    need(object[field].is_array(), field, "expected an array of strings");
    for (const Json& one : object[field])
      need(one.is_string(), field, "expected an array of strings");
    return object[field];
  }

  Case read_case(const Json& value) {
    id_.clear();
    need(value.is_object(), "cases", "expected objects");
    id_ = text_of(value, "id");
    only(value, {"id", "title", "kind", "twin", "since", "role", "tier", "caps", "clauses",
                 "expect", "mutants", "deadline_ms", "options", "keyword", "steps"});
    Case out;
    out.id = id_;
    out.chapter = chapter_;
    out.title = text_of(value, "title");
    out.kind = text_of(value, "kind");
    need(kinds.contains(out.kind), "kind", "expected positive, negative, malformed, limit, …");
    out.twin = text_of(value, "twin", "");
    need(out.kind == "positive" || !out.twin.empty(), "twin", "a case of this kind needs one");
    out.since = text_of(value, "since", "0.1");
    out.role = text_of(value, "role", "server");
    need(out.role == "server" || out.role == "directory" || out.role == "client", "role",
         "expected server, directory or client");
    out.keyword = text_of(value, "keyword", "MUST");
    need(out.keyword == "MUST" || out.keyword == "SHOULD", "keyword", "expected MUST or SHOULD");
    out.tier = static_cast<int>(integer_of(value, "tier", 1, 1));
    out.caps = texts_of(value, "caps");
    out.mutants = texts_of(value, "mutants");
    out.deadline = Millis{integer_of(value, "deadline_ms", 1, 10'000)};
    read_clauses(value, out);
    read_expect(value, out);
    read_options(value, out);
    need(value.contains("steps"), "steps", "expected an array");
    read_steps(value["steps"], out);
    out.steps = value["steps"];
    return out;
  }

  void read_clauses(const Json& value, Case& out) const {
    need(value.contains("clauses") && value["clauses"].is_array() && !value["clauses"].empty(),
         "clauses", "expected an array of {anchor, sentence_sha256}");
    for (const Json& clause : value["clauses"]) {
      need(clause.is_object(), "clauses", "expected objects");
      only(clause, {"anchor", "sentence_sha256"}, "clauses.");
      out.clauses.push_back({text_of(clause, "anchor"), text_of(clause, "sentence_sha256")});
    }
  }
  void read_expect(const Json& value, Case& out) const {
    if (!value.contains("expect")) return;
    const Json& expect = value["expect"];
    need(expect.is_object(), "expect", "expected an object");
    only(expect, {"codes", "phase"}, "expect.");
    for (const std::string& code : texts_of(expect, "codes")) {
      const auto phase = phase_of(code);
      need(phase.has_value(), "expect.codes", "'" + code + "' is not registered");
      need(text_of(expect, "phase") == *phase, "expect.phase", "that of the code is " + *phase);
    }
    out.expect = expect;
  }
  void read_options(const Json& value, Case& out) const {
    if (!value.contains("options")) return;
    const Json& options = value["options"];
    need(options.is_object() && out.tier == 3, "options", "expected an object, and tier 3");
    static const std::map<std::string, std::int64_t TargetOptions::*> known{
        {"queue_max", &TargetOptions::queue_max},
        {"mailbox_bytes_max", &TargetOptions::mailbox_bytes_max},
        {"connections_max", &TargetOptions::connections_max},
        {"corporate", &TargetOptions::corporate},
        {"groups", &TargetOptions::groups},
        {"directory_quota", &TargetOptions::directory_quota},
        {"directory_rate", &TargetOptions::directory_rate},
        {"directory_work", &TargetOptions::directory_work},
        {"lookup_burst", &TargetOptions::lookup_burst}};
    for (const auto& [name, amount] : options.items()) {
      const auto option = known.find(name);
      need(option != known.end(), "options." + name, "no such field here");
      out.options.*option->second = integer_of(options, name, 1, 0);
    }
  }
  void read_steps(const Json& steps, const Case& of) const {
    need(steps.is_array() && !steps.empty(), "steps", "expected an array of steps");
    for (const Json& step : steps) {
      need(step.is_object() && step.contains("do") && step["do"].is_string(), "steps",
           "each step is an object with a \"do\"");
      const std::string verb = step["do"];
      const auto known = verbs.find(verb);
      need(known != verbs.end(), "steps.do", "no such step: " + verb);
      for (const auto& [field, value] : step.items())
        need(field == "do" || known->second.contains(field), "steps." + field,
             "the step '" + verb + "' takes no such field");
      const bool fits = of_all.contains(verb) || (of.role == "client") == of_client.contains(verb);
      need(fits, "steps.do", "'" + verb + "' is no step of a case of the role " + of.role);
      const bool simulator = verb == "advance" || verb == "faults" || verb == "restart";
      need(!simulator || of.tier == 3, "steps.do", "'" + verb + "' needs tier 3");
      if (verb == "repeat") {
        need(step.contains("steps"), "steps.repeat", "expected steps");
        read_steps(step["steps"], of);
      }
    }
  }

  std::string file_;
  const std::string& text_;
  std::string chapter_, id_;
};

}  // namespace

std::vector<Case> read_cases(const std::string& file, const std::string& text) {
  return Reader(file, text).read();
}

void check_together(const std::vector<Case>& cases) {
  std::map<std::string, const Case*> by_id;
  for (const Case& one : cases)
    if (!by_id.emplace(one.id, &one).second)
      throw CaseError(one.id + ": id: stands twice; an id is never used again");
  for (const Case& one : cases) {
    if (one.twin.empty()) continue;
    const auto twin = by_id.find(one.twin);
    if (twin == by_id.end() || twin->second->kind != "positive")
      throw CaseError(one.id + ": twin: expected the id of a positive case, found " + one.twin);
    if (twin->second->tier > one.tier)
      throw CaseError(one.id + ": twin: of a higher tier than the case");
  }
}

}  // namespace ams::conform
