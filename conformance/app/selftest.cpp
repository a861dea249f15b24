#include "selftest.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <set>

#include "judge/data.h"
#include "policy/mutant.h"
#include "runner/run.h"

namespace ams::conform {
namespace {

constexpr int mutant_wait_ms = 30'000;

struct Kill {
  std::string id, verdict, why;
};
struct Mutant {
  std::string name, clause, kind, equivalent;
  std::vector<std::string> elsewhere;  // tests outside this suite
  std::vector<const Case*> cases;      // that must see it
  std::vector<Kill> kills;
};

/// A case sees a mutant when it fails itself; that its twin failed shows nothing of the case.
bool is_kill(Verdict verdict) {
  return verdict == Verdict::fail || verdict == Verdict::hang || verdict == Verdict::crash ||
         verdict == Verdict::warn;
}

const Case* find_case(const std::vector<Case>& cases, const std::string& id) {
  const auto at =
      std::find_if(cases.begin(), cases.end(), [&](const Case& one) { return one.id == id; });
  return at == cases.end() ? nullptr : &*at;
}

/// Joins mutants.json with what the cases name. A name in killed_by that is no case is a test.
std::vector<Mutant> read_mutants(const std::vector<Case>& cases, bool full) {
  std::vector<Mutant> out;
  for (const Json& entry : Json::parse(mutants_json())) {
    Mutant mutant{entry.at("name"),
                  entry.at("clause"),
                  entry.at("kind"),
                  entry.value("equivalent", ""),
                  {},
                  {},
                  {}};
    std::set<const Case*> named;
    for (const std::string killer : entry.at("killed_by")) {
      if (const Case* one = find_case(cases, killer))
        named.insert(one);
      else if (killer.starts_with("srv-") || killer.starts_with("cli-"))
        throw CaseError(killer + ": mutants.json: no such case");
      else
        mutant.elsewhere.push_back(killer);
    }
    for (const Case& one : cases) {
      const auto& names = one.mutants;
      const bool says = std::find(names.begin(), names.end(), mutant.name) != names.end();
      if (says || named.contains(&one) || full) mutant.cases.push_back(&one);
    }
    out.push_back(std::move(mutant));
  }
  for (const Case& one : cases)
    for (const std::string& name : one.mutants)
      if (std::none_of(out.begin(), out.end(), [&](const Mutant& m) { return m.name == name; }))
        throw CaseError(one.id + ": mutants: " + name + " is not in mutants.json");
  return out;
}

/// In the child: plays the cases with the mutant on; a line of JSON for each kill.
void play_mutated(const std::vector<Case>& cases, const Mutant& mutant, int out) {
  mutants::activate(mutant.name);
  Runner runner(cases);
  for (const Case* one : mutant.cases) {
    const Outcome outcome = runner.run(*one);
    if (!is_kill(outcome.verdict)) continue;
    const std::string line =
        Json({one->id, name(outcome.verdict), outcome.why}).dump(-1, ' ', true) + "\n";
    if (::write(out, line.data(), line.size()) < 0) return;
  }
}

/// A process of its own: a mutant that aborts or never ends is seen, not suffered.
void run_mutant(const std::vector<Case>& cases, Mutant& mutant) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    play_mutated(cases, mutant, ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  char piece[4096];
  pollfd entry{ends[0], POLLIN, 0};
  bool late = false;
  for (;;) {
    late = ::poll(&entry, 1, mutant_wait_ms) <= 0;
    const ssize_t size = late ? 0 : ::read(ends[0], piece, sizeof piece);
    if (size <= 0) break;
    text.append(piece, static_cast<std::size_t>(size));
  }
  ::close(ends[0]);
  if (late) ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const Json line = Json::parse(text.substr(at, end - at));
    mutant.kills.push_back({line[0], line[1], line[2]});
    at = end + 1;
  }
  const bool died = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  if (died)
    std::cerr << mutant.name << ": the mutated process " << (late ? "hung" : "died") << "\n";
}

std::map<std::string, std::vector<std::string>> by_case(const std::vector<Mutant>& all) {
  std::map<std::string, std::vector<std::string>> out;
  for (const Mutant& mutant : all)
    for (const Kill& kill : mutant.kills) out[kill.id].push_back(mutant.name);
  return out;
}

Json matrix_json(const std::vector<Case>& cases, const std::vector<Mutant>& all) {
  const auto killers = by_case(all);
  Json rows = Json::array(), columns = Json::array();
  int killed = 0, seen = 0;
  for (const Mutant& mutant : all) {
    Json kills = Json::array();
    for (const Kill& kill : mutant.kills)
      kills.push_back({{"case", kill.id}, {"verdict", kill.verdict}, {"why", kill.why}});
    Json row = {{"name", mutant.name},
                {"clause", mutant.clause},
                {"kind", mutant.kind},
                {"killed_by", std::move(kills)},
                {"killed_elsewhere", mutant.elsewhere}};
    if (!mutant.equivalent.empty()) row["equivalent"] = mutant.equivalent;
    killed += mutant.kills.empty() ? 0 : 1;
    rows.push_back(std::move(row));
  }
  for (const Case& one : cases) {
    const auto at = killers.find(one.id);
    columns.push_back(
        {{"id", one.id},
         {"killed_by", at == killers.end() ? std::vector<std::string>{} : at->second}});
    seen += at == killers.end() ? 0 : 1;
  }
  return {{"schema", "ams-kills/1"},
          {"mutants", std::move(rows)},
          {"cases", std::move(columns)},
          {"summary",
           {{"mutants", all.size()},
            {"mutants_killed_by_cases", killed},
            {"cases", cases.size()},
            {"cases_killed", seen}}}};
}

std::string matrix_markdown(const Json& matrix) {
  std::string out =
      "# Kill matrix\n\nEach mutant breaks one rule of the reference; a case "
      "kills it when it fails then.\n\n| mutant | clause | killed by |\n"
      "| --- | --- | --- |\n";
  for (const Json& mutant : matrix.at("mutants")) {
    std::string by;
    for (const Json& kill : mutant.at("killed_by"))
      by += (by.empty() ? "" : ", ") + kill.at("case").get<std::string>();
    for (const std::string test : mutant.at("killed_elsewhere"))
      by += (by.empty() ? "" : ", ") + ("*" + test + "*");
    if (mutant.contains("equivalent"))
      by += (by.empty() ? "" : "; ") + mutant.at("equivalent").get<std::string>();
    out += "| " + mutant.at("name").get<std::string>() + " | " +
           mutant.at("clause").get<std::string>() + " | " + by + " |\n";
  }
  return out;
}

void write_text(const std::string& path, const std::string& text) {
  if (path.empty()) return;
  std::ofstream out(path);
  out << text;
  if (!out.flush()) throw std::runtime_error(path + ": cannot be written");
}

}  // namespace

int selftest(const std::vector<Case>& cases, const SelftestOptions& options) {
  int faults = 0;
  const auto fault = [&](const std::string& what) {
    ++faults;
    std::cout << "FAIL  " << what << "\n";
  };
  {
    Runner unmutated(cases);
    for (const Case& one : cases)
      if (const Outcome outcome = unmutated.run(one); outcome.verdict != Verdict::pass)
        fault(one.id + " on the unmutated reference: " + outcome.why);
  }
  std::vector<Mutant> all = read_mutants(cases, options.full);
  if (!options.mutant.empty())
    std::erase_if(all, [&](const Mutant& one) { return one.name != options.mutant; });
  if (all.empty()) return 3;
  for (Mutant& mutant : all) {
    if (!mutant.cases.empty()) run_mutant(cases, mutant);
    const bool known = !mutant.elsewhere.empty() || !mutant.equivalent.empty();
    if (mutant.kills.empty() && (!known || (!mutant.cases.empty() && !options.full)))
      fault("the mutant " + mutant.name + " is killed by no case");
  }
  const auto killers = by_case(all);
  if (options.mutant.empty())
    for (const Case& one : cases)
      if (!killers.contains(one.id)) fault(one.id + " is killed by none of its mutants");
  const Json matrix = matrix_json(cases, all);
  write_text(options.json, matrix.dump(1) + "\n");
  write_text(options.markdown, matrix_markdown(matrix));
  if (!options.mutant.empty()) std::cout << matrix.at("mutants").dump(1) << "\n";
  std::cout << "selftest: " << matrix.at("summary").dump() << (faults ? "" : " clean") << "\n";
  return faults ? 1 : 0;
}

}  // namespace ams::conform
