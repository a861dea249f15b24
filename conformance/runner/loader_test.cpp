#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/data.h"
#include "runner/case.h"

namespace ams::conform {
namespace {

using ::testing::HasSubstr;

const std::string good = R"({"schema":"ams-cases/1","chapter":"frames","cases":[
 {"id":"srv-x","title":"t","kind":"positive",
  "clauses":[{"anchor":"WIR-4","sentence_sha256":"00"}],
  "steps":[{"do":"alive"}]}]})";

std::string refused(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  text.replace(at, what.size(), by);
  try {
    check_together(read_cases("f.json", text));
  } catch (const CaseError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Loader, says_file_line_and_field) {
  EXPECT_EQ(read_cases("f.json", good).size(), 1u);
  EXPECT_THAT(refused(good, "\"kind\":\"positive\"", "\"kind\":\"nice\""),
              HasSubstr("f.json:2: srv-x: kind: expected positive"));
  EXPECT_THAT(refused(good, "\"do\":\"alive\"", "\"do\":\"dance\""),
              HasSubstr("f.json:4: srv-x: steps.do: no such step: dance"));
  EXPECT_THAT(refused(good, "\"do\":\"alive\"", "\"do\":\"ping\",\"onn\":\"c\""),
              HasSubstr("f.json:4: srv-x: steps.onn: the step 'ping' takes no such field"));
  EXPECT_THAT(refused(good, "\"title\":\"t\",", "\"titel\":\"t\","),
              HasSubstr("f.json:2: srv-x: titel: no such field here"));
  EXPECT_THAT(refused(good, "\"steps\":[", "\"steps\":[,"), HasSubstr("f.json:4: json:"));
  EXPECT_THAT(refused(good, "\"do\":\"alive\"", "\"do\":\"restart\""), HasSubstr("needs tier 3"));
}

TEST(Loader, families_give_steps_around_those_of_their_cases) {
  const std::string file = R"({"schema":"ams-cases/1","chapter":"c","families":{
 "f":{"kind":"positive","role":"directory","before":[{"do":"connect"}],"after":[{"do":"alive"}]}},
 "cases":[{"id":"dir-x","family":"f","title":"t","x":7,
  "expect":{"codes":["bom"],"phase":"encoding"},
  "clauses":[{"anchor":"WIR-4","sentence_sha256":"00"}],"steps":[{"do":"ping"}]}]})";
  const std::vector<Case> cases = read_cases("f.json", file);
  ASSERT_EQ(cases.size(), 1u);
  EXPECT_EQ(cases[0].role, "directory");
  const Json wanted = {{{"do", "connect"}},
                       {{"do", "let"}, {"name", "code"}, {"value", "bom"}},
                       {{"do", "let"}, {"name", "x"}, {"value", 7}},
                       {{"do", "ping"}},
                       {{"do", "alive"}}};
  EXPECT_EQ(cases[0].steps, wanted);
  EXPECT_THAT(refused(file, "\"family\":\"f\"", "\"family\":\"g\""),
              HasSubstr("f.json:3: dir-x: family: expected the name of one"));
  EXPECT_THAT(refused(file, "\"directory\"", "\"post\""), HasSubstr("role: expected server,"));
}

TEST(Loader, a_case_takes_the_steps_of_its_role_alone) {
  const std::string file = R"({"schema":"ams-cases/1","chapter":"c",
 "cases":[{"id":"cli-x","role":"client","title":"t","kind":"positive",
  "clauses":[{"anchor":"BLG-26","sentence_sha256":"00"}],
  "steps":[{"do":"client"},{"do":"let","name":"n","value":1}]}]})";
  EXPECT_EQ(read_cases("f.json", file).at(0).role, "client");
  EXPECT_THAT(refused(file, "\"do\":\"client\"", "\"do\":\"connect\""),
              HasSubstr("'connect' is no step of a case of the role client"));
  EXPECT_THAT(refused(file, "\"role\":\"client\"", "\"role\":\"server\""),
              HasSubstr("'client' is no step of a case of the role server"));
}

TEST(Loader, judges_codes_and_twins) {
  const std::string negative = "\"kind\":\"negative\"";
  EXPECT_THAT(refused(good, "\"kind\":\"positive\"", negative), HasSubstr("twin: a case"));
  EXPECT_THAT(refused(good, "\"kind\":\"positive\"", negative + ",\"twin\":\"srv-y\""),
              HasSubstr("twin: expected the id of a positive case"));
  const std::string expect = "\"kind\":\"positive\",\"expect\":";
  EXPECT_THAT(
      refused(good, "\"kind\":\"positive\"", expect + R"({"codes":["nope"],"phase":"auth"})"),
      HasSubstr("'nope' is not registered"));
  EXPECT_THAT(
      refused(good, "\"kind\":\"positive\"", expect + R"({"codes":["bom"],"phase":"auth"})"),
      HasSubstr("that of the code is encoding"));
}

TEST(Loader, the_cases_inside_are_well_formed_and_name_sentences_as_they_stand) {
  Json requirements = Json::parse(requirements_json());
  std::vector<Case> all;
  for (const CaseText& file : case_texts())
    for (Case& one : read_cases(std::string(file.file), std::string(file.text)))
      all.push_back(std::move(one));
  check_together(all);
  int strict = 0;
  for (const Case& one : all) {
    strict += one.kind == "positive" ? 0 : 1;
    for (const Clause& clause : one.clauses) {
      ASSERT_TRUE(requirements.contains(clause.anchor)) << one.id << " " << clause.anchor;
      EXPECT_EQ(requirements[clause.anchor]["sha256"], clause.sentence_sha256)
          << one.id << ": " << clause.anchor << " was reworded; judge the case again, then run "
          << "conformance/cases/stamp.py";
    }
  }
  EXPECT_GE(strict * 2, static_cast<int>(all.size()));
}

}  // namespace
}  // namespace ams::conform
