#include "vectors_run/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

namespace ams::conform {
namespace {

using nlohmann::json;

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : between) + part;
  return out;
}

Judged failed(std::string what) { return {VectorVerdict::fail, std::move(what)}; }

std::size_t count(const VectorRun& run, VectorVerdict verdict) {
  return static_cast<std::size_t>(
      std::count_if(run.results.begin(), run.results.end(),
                    [&](const Judged& one) { return one.verdict == verdict; }));
}

const char* name_of(VectorVerdict verdict) {
  switch (verdict) {
    case VectorVerdict::pass:
      return "pass";
    case VectorVerdict::fail:
      return "fail";
    case VectorVerdict::not_exercised:
      return "not_exercised";
    case VectorVerdict::unsupported:
      return "unsupported";
  }
  return "";
}

bool is_bad(const Judged& one) {
  return one.verdict == VectorVerdict::fail || one.verdict == VectorVerdict::not_exercised;
}

/// An invalid vector counts only if its twin passed.
void hold_to_twins(const std::vector<Vector>& vectors, std::vector<Judged>& results) {
  std::map<std::string, VectorVerdict> own;
  for (std::size_t i = 0; i < vectors.size(); ++i) own[vectors[i].id] = results[i].verdict;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const auto twin = own.find(vectors[i].twin);
    if (results[i].verdict != VectorVerdict::pass || twin == own.end()) continue;
    if (twin->second != VectorVerdict::pass)
      results[i] = {VectorVerdict::not_exercised, "its valid twin " + twin->first + " fails"};
  }
}

std::string xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '&' || c == '<' || c == '>' || c == '"')
      out += fmt::format("&#{};", code);
    else
      out += code < 0x20 ? ' ' : c;
  }
  return out;
}

/// Why a vector's failure matters, and the clauses, in one line.
std::string why_of(const Vector& vector) {
  const std::string clauses = joined(vector.clauses, ", ");
  if (vector.note.is_null()) return "It must be accepted. Clauses: " + clauses;
  return fmt::format("{}: {} {}: {} Clauses: {}", vector.flags.front(),
                     vector.note.at("description").get<std::string>(),
                     vector.note.at("bug_type").get<std::string>(),
                     vector.note.at("effect").get<std::string>(), clauses);
}

std::string flag_of(const Vector& vector) {
  return vector.flags.empty() ? "valid" : vector.flags.front();
}

/// What a flag is about, then its vectors that fail.
std::string flag_text(const std::vector<Vector>& vectors, const VectorRun& run,
                      const std::vector<std::size_t>& bad, std::size_t shown_max) {
  const Vector& first = vectors[bad.front()];
  std::string out;
  if (first.note.is_null()) {
    out = fmt::format("\nvalid: {} fail. It must be accepted.\n", bad.size());
  } else {
    out = fmt::format("\n{}: {} fail. {}\n  {}: {} Clauses: {}\n", flag_of(first), bad.size(),
                      first.note.at("description").get<std::string>(),
                      first.note.at("bug_type").get<std::string>(),
                      first.note.at("effect").get<std::string>(),
                      joined(first.note.at("clauses").get<std::vector<std::string>>(), ", "));
  }
  for (std::size_t i = 0; i < std::min(bad.size(), shown_max); ++i) {
    const Vector& vector = vectors[bad[i]];
    const Judged& result = run.results[bad[i]];
    out += fmt::format("    {} {} [{}] {}: {}{} ({})\n", vector.id, vector.op, vector.importance,
                       vector.comment,
                       result.verdict == VectorVerdict::not_exercised ? "not exercised: " : "",
                       result.what, joined(vector.clauses, ", "));
  }
  if (bad.size() > shown_max)
    out += fmt::format("    … {} more: --flag, --op or --id shows all, --json keeps all\n",
                       bad.size() - shown_max);
  return out;
}

std::string op_table(const std::vector<Vector>& vectors, const VectorRun& run) {
  std::map<std::string, std::map<VectorVerdict, int>> ops;
  for (std::size_t i = 0; i < vectors.size(); ++i) ++ops[vectors[i].op][run.results[i].verdict];
  std::string out =
      fmt::format("\n{:<18}{:>7}{:>7}{:>15}\n", "op", "pass", "fail", "not exercised");
  for (auto& [op, of] : ops) {
    if (of[VectorVerdict::unsupported] > 0) {
      out += fmt::format("{:<18}unsupported: hello does not declare it ({} vectors)\n", op,
                         of[VectorVerdict::unsupported]);
    } else {
      out += fmt::format("{:<18}{:>7}{:>7}{:>15}\n", op, of[VectorVerdict::pass],
                         of[VectorVerdict::fail], of[VectorVerdict::not_exercised]);
    }
  }
  return out;
}

std::map<std::int64_t, json> collect(Sut& sut, const std::string& requests, std::size_t wanted) {
  std::map<std::int64_t, json> answers;
  sut.exchange(requests, [&](std::string_view line) {
    json answer = parse_answer(line);
    if (answer["id"].is_null()) throw SutError("an answer without an id: " + answer.dump());
    const auto id = answer["id"].get<std::int64_t>();
    if (id < 1 || id > static_cast<std::int64_t>(wanted))
      throw SutError("an answer to id " + std::to_string(id) + ", which nobody asked");
    if (!answers.emplace(id, std::move(answer)).second)
      throw SutError("two answers to id " + std::to_string(id));
    return answers.size() == wanted;
  });
  return answers;
}

}  // namespace

Judged judge_vector(const Vector& vector, const json& answer) {
  if (answer.contains("fault"))
    return failed("the adapter could not use the request: " + answer["fault"].get<std::string>());
  std::string got;
  if (answer.contains("error"))
    got = answer["error"]["phase"].get<std::string>() + "/" +
          answer["error"]["code"].get<std::string>();
  if (vector.valid) {
    if (!got.empty()) return failed("valid, but refused with " + got);
    std::vector<std::string> wrong;
    for (const auto& [name, value] : vector.output.items())
      if (!answer["ok"].contains(name) || answer["ok"][name] != value) wrong.push_back(name);
    if (!wrong.empty()) return failed("valid, but in ok differs: " + joined(wrong, ", "));
    return {VectorVerdict::pass, ""};
  }
  const std::string wanted = vector.phase + "/" + joined(vector.codes, " or ");
  if (got.empty()) return failed("must be refused with " + wanted + ", was accepted");
  for (const std::string& code : vector.codes)
    if (got == vector.phase + "/" + code) return {VectorVerdict::pass, ""};
  return failed("must be refused with " + wanted + ", got " + got);
}

VectorRun run_vectors(Sut& sut, const std::vector<Vector>& vectors) {
  VectorRun run;
  run.hello = say_hello(sut);
  std::set<std::string> declared;
  if (!run.hello.is_null()) declared = run.hello.at("ops").get<std::set<std::string>>();
  run.results.resize(vectors.size());
  std::string requests;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (!declared.contains(vectors[i].op)) continue;
    asked.push_back(i);
    requests +=
        json{{"id", asked.size()}, {"op", vectors[i].op}, {"args", vectors[i].input}}.dump();
    requests += '\n';
  }
  if (!asked.empty()) {
    const auto start = std::chrono::steady_clock::now();
    const auto answers = collect(sut, requests, asked.size());
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (const auto& [id, answer] : answers) {
      const std::size_t at = asked[static_cast<std::size_t>(id) - 1];
      run.results[at] = judge_vector(vectors[at], answer);
    }
  }
  sut.finish();
  hold_to_twins(vectors, run.results);
  return run;
}

std::string vectors_console(const std::vector<Vector>& vectors, const VectorRun& run,
                            std::size_t shown_max) {
  std::vector<std::vector<std::size_t>> flags;  // in the order in which they first fail
  std::map<std::pair<std::string, std::string>, std::size_t> place;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (!is_bad(run.results[i])) continue;
    const auto [at, fresh] =
        place.emplace(std::pair(flag_of(vectors[i]), vectors[i].note.dump()), flags.size());
    if (fresh) flags.emplace_back();
    flags[at->second].push_back(i);
  }
  std::string out;
  for (const auto& bad : flags) out += flag_text(vectors, run, bad, shown_max);
  out += op_table(vectors, run);
  const std::size_t unasked = count(run, VectorVerdict::unsupported);
  out +=
      fmt::format("{} vectors: {} pass, {} fail, {} not exercised, {} unsupported", vectors.size(),
                  count(run, VectorVerdict::pass), count(run, VectorVerdict::fail),
                  count(run, VectorVerdict::not_exercised), unasked);
  if (run.seconds > 0)
    out += fmt::format("; {:.2f} s, {:.0f} vectors/s", run.seconds,
                       static_cast<double>(vectors.size() - unasked) / run.seconds);
  return out + "\n";
}

json vectors_json(const std::string& sut, const std::vector<Vector>& vectors,
                  const VectorRun& run) {
  json tests = json::array();
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const Vector& vector = vectors[i];
    tests.push_back({{"id", vector.id},
                     {"op", vector.op},
                     {"verdict", name_of(run.results[i].verdict)},
                     {"flags", vector.flags},
                     {"importance", vector.importance},
                     {"clauses", vector.clauses},
                     {"comment", vector.comment}});
    if (!run.results[i].what.empty()) tests.back()["what"] = run.results[i].what;
    if (is_bad(run.results[i]) && !vector.note.is_null()) tests.back()["note"] = vector.note;
  }
  return {{"schema", "ams-vectors-report/1"},
          {"sut", sut},
          {"hello", run.hello},
          {"seconds", run.seconds},
          {"tests", tests},
          {"counts",
           {{"pass", count(run, VectorVerdict::pass)},
            {"fail", count(run, VectorVerdict::fail)},
            {"not_exercised", count(run, VectorVerdict::not_exercised)},
            {"unsupported", count(run, VectorVerdict::unsupported)}}}};
}

std::string vectors_junit(const std::vector<Vector>& vectors, const VectorRun& run) {
  std::string body;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const Vector& vector = vectors[i];
    const Judged& result = run.results[i];
    body += fmt::format("  <testcase classname=\"{}\" name=\"{}\"", xml(vector.op), xml(vector.id));
    if (result.verdict == VectorVerdict::pass) {
      body += "/>\n";
    } else if (!is_bad(result)) {
      body += fmt::format("><skipped message=\"{}\"/></testcase>\n", name_of(result.verdict));
    } else {
      body += fmt::format("><failure type=\"{}\" message=\"{}\">{}</failure></testcase>\n",
                          name_of(result.verdict), xml(vector.comment + ": " + result.what),
                          xml(why_of(vector)));
    }
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"ams-conform vectors\" "
      "tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n{}</testsuite>\n",
      vectors.size(), count(run, VectorVerdict::fail) + count(run, VectorVerdict::not_exercised),
      count(run, VectorVerdict::unsupported), body);
}

int vectors_exit_code(const VectorRun& run, bool all) {
  if (std::any_of(run.results.begin(), run.results.end(), is_bad)) return 1;
  if (count(run, VectorVerdict::pass) == 0) return 3;
  return all && count(run, VectorVerdict::unsupported) > 0 ? 3 : 0;
}

}  // namespace ams::conform
