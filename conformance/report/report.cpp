#include "report/report.h"

#include <cstdio>

namespace ams::conform {
namespace {

std::string xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) < 0x20)
      out += ' ';
    else
      out += c;
  }
  return out;
}

std::string seconds(std::int64_t us) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(us) / 1e6);
  return text;
}

bool neutral(Verdict verdict) {
  return verdict == Verdict::unsupported || verdict == Verdict::not_applicable;
}

}  // namespace

std::map<std::string, int> summary(const Report& report) {
  std::map<std::string, int> out;
  for (const Finished& one : report.cases) ++out[name(one.outcome.verdict)];
  return out;
}

Json to_json(const Report& report) {
  Json cases = Json::array();
  for (const Finished& one : report.cases) {
    Json entry = {{"id", one.one->id},
                  {"chapter", one.one->chapter},
                  {"kind", one.one->kind},
                  {"verdict", name(one.outcome.verdict)},
                  {"ms", static_cast<double>(one.outcome.us) / 1000.0}};
    if (!one.outcome.why.empty()) entry["why"] = one.outcome.why;
    cases.push_back(std::move(entry));
  }
  return {{"suite", "ams-conform"},
          {"sut", report.sut},
          {"cases", std::move(cases)},
          {"summary", summary(report)}};
}

std::string to_junit(const Report& report) {
  std::string body;
  int failures = 0, skipped = 0;
  for (const Finished& one : report.cases) {
    body += "  <testcase classname=\"" + xml(one.one->chapter) + "\" name=\"" + xml(one.one->id) +
            "\" time=\"" + seconds(one.outcome.us) + "\"";
    const std::string verdict = name(one.outcome.verdict);
    if (one.outcome.verdict == Verdict::pass) {
      body += "/>\n";
    } else if (neutral(one.outcome.verdict)) {
      ++skipped;
      body += "><skipped message=\"" + verdict + "\"/></testcase>\n";
    } else {
      ++failures;
      body += "><failure type=\"" + verdict + "\" message=\"" + xml(one.outcome.why) +
              "\"/></testcase>\n";
    }
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"ams-conform\" tests=\"" +
         std::to_string(report.cases.size()) + "\" failures=\"" + std::to_string(failures) +
         "\" skipped=\"" + std::to_string(skipped) + "\">\n" + body + "</testsuite>\n";
}

std::string to_console(const Report& report) {
  std::string out;
  for (const Finished& one : report.cases) {
    if (one.outcome.verdict == Verdict::pass) continue;
    out += std::string(name(one.outcome.verdict)) + "  " + one.one->id;
    for (const Clause& clause : one.one->clauses) out += " " + clause.anchor;
    out += ": " + one.outcome.why + "\n";
  }
  out += std::to_string(report.cases.size()) + " cases on " + report.sut + ":";
  for (const auto& [verdict, count] : summary(report))
    out += " " + verdict + " " + std::to_string(count);
  return out + "\n";
}

int exit_code(const Report& report, bool strict) {
  int passed = 0;
  bool harness = false, unexpected = false, warned = false;
  for (const Finished& one : report.cases) {
    const Verdict verdict = one.outcome.verdict;
    passed += verdict == Verdict::pass ? 1 : 0;
    harness = harness || verdict == Verdict::suite_error;
    warned = warned || verdict == Verdict::warn;
    unexpected = unexpected || (verdict != Verdict::pass && verdict != Verdict::warn &&
                                verdict != Verdict::suite_error && !neutral(verdict));
  }
  if (harness) return 4;
  if (unexpected) return 1;
  if (warned && strict) return 2;
  // A run in which most cases had nothing to say proves nothing.
  if (passed == 0 || static_cast<std::size_t>(passed) * 2 < report.cases.size()) return 3;
  return 0;
}

}  // namespace ams::conform
