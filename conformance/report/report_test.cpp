#include "report/report.h"

#include <gtest/gtest.h>

namespace ams::conform {
namespace {

Report report_of(std::initializer_list<Verdict> verdicts) {
  static const Case one = [] {
    Case out;
    out.id = "srv-example";
    out.chapter = "frames";
    out.kind = "positive";
    return out;
  }();
  Report report{"a <server>", {}};
  for (const Verdict verdict : verdicts) report.cases.push_back({&one, {verdict, "", 1500}});
  return report;
}

TEST(Report, exit_codes) {
  using enum Verdict;
  EXPECT_EQ(exit_code(report_of({pass, pass}), false), 0);
  EXPECT_EQ(exit_code(report_of({pass, unsupported}), true), 0);
  for (const Verdict bad : {fail, crash, hang, not_exercised, ambiguous})
    EXPECT_EQ(exit_code(report_of({pass, bad}), false), 1) << name(bad);
  EXPECT_EQ(exit_code(report_of({pass, warn}), false), 0);
  EXPECT_EQ(exit_code(report_of({pass, warn}), true), 2);
  EXPECT_EQ(exit_code(report_of({}), false), 3);
  EXPECT_EQ(exit_code(report_of({unsupported, unsupported, pass}), false), 3);
  EXPECT_EQ(exit_code(report_of({pass, fail, suite_error}), false), 4);
}

TEST(Report, json_and_junit_say_the_same) {
  const Report report = report_of({Verdict::pass, Verdict::hang, Verdict::unsupported});
  const Json json = to_json(report);
  EXPECT_EQ(json["summary"], Json({{"PASS", 1}, {"HANG", 1}, {"UNSUPPORTED", 1}}));
  EXPECT_EQ(json["cases"][0]["ms"], 1.5);
  const std::string junit = to_junit(report);
  EXPECT_NE(junit.find("tests=\"3\" failures=\"1\" skipped=\"1\""), std::string::npos) << junit;
  EXPECT_NE(junit.find("<failure type=\"HANG\""), std::string::npos);
}

}  // namespace
}  // namespace ams::conform
