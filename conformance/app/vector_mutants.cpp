// ams-vector-mutants: proof that the vectors can fail. Every mutant of the rooms that the codec
// adapter reaches must be killed by a vector, and for every check that a vector is labelled with
// there must be a mutant that such a vector kills while its valid twin still passes.
// Exit codes: 0 all so; 1 not; 2 bad usage.
//
// A run without mutants notes which switches each vector asks for; only those are tried on it, and
// no more than are needed. So a few thousand vectors and a hundred mutants take seconds.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "adapter/codec.h"
#include "policy/mutant.h"
#include "policy/record.h"
#include "vectors_run/run.h"

namespace ams::conform {
namespace {

using nlohmann::json;

constexpr const char* usage =
    "usage: ams-vector-mutants MUTANTS_JSON [REPORT_JSON]\n"
    "MUTANTS_JSON lists the mutants; one with a member no_vector is one that no vector can see.\n";

constexpr std::string_view rooms[] = {"bindlog.",  "container.", "crypto.",     "keyfile.", "keys.",
                                      "keystore.", "mail.",      "verifiable.", "wire."};

bool passes(const Vector& vector, const std::string& mutant) {
  mutants::activate(mutant);
  const json request{{"id", 1}, {"op", vector.op}, {"args", vector.input}};
  const json answer = json::parse(adapter::answer(request.dump()));
  if (answer.contains("fault")) return true;  // what falls over proves no rule
  return judge_vector(vector, answer).verdict == VectorVerdict::pass;
}

class Matrix {
 public:
  explicit Matrix(std::vector<Vector> vectors) : vectors_(std::move(vectors)) {
    for (const Vector& each : vectors_) by_id_[each.id] = &each;
  }

  /// Which switches each vector asks for, and whether it passes with all off.
  void record() {
    for (const Vector& vector : vectors_) {
      mutants::record();
      const json request{{"id", 1}, {"op", vector.op}, {"args", vector.input}};
      const json answer = json::parse(adapter::answer(request.dump()));
      const auto& names = mutants::recorded();
      asked_.emplace_back(names.begin(), names.end());
      all_asked_.insert(names.begin(), names.end());
      if (judge_vector(vector, answer).verdict != VectorVerdict::pass) green_ = false;
      if (!vector.check.empty()) checks_.try_emplace(vector.check);
    }
  }

  /// Invalid vectors first: a mutant of a check is killed by what the check refuses.
  void kill() {
    for (const bool valid : {false, true})
      for (std::size_t i = 0; i < vectors_.size(); ++i)
        if (vectors_[i].valid == valid) kill_with(vectors_[i], asked_[i]);
    mutants::activate("");
  }

  bool green() const { return green_; }
  const std::map<std::string, std::string>& killed() const { return killed_; }
  const std::map<std::string, std::string>& checks() const { return checks_; }
  const std::set<std::string, std::less<>>& asked() const { return all_asked_; }
  std::size_t size() const { return vectors_.size(); }

 private:
  void kill_with(const Vector& vector, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const auto check = checks_.find(vector.check);
      const bool check_open = check != checks_.end() && check->second.empty();
      if (killed_.contains(name) && !check_open) continue;
      if (passes(vector, name)) continue;
      const bool exercised = vector.valid || passes(*by_id_.at(vector.twin), name);
      if (!exercised) continue;
      killed_.try_emplace(name, vector.id);
      if (check_open) check->second = name;
    }
  }

  std::vector<Vector> vectors_;
  std::vector<std::vector<std::string>> asked_;
  std::set<std::string, std::less<>> all_asked_;
  std::map<std::string, const Vector*> by_id_;
  std::map<std::string, std::string> killed_;  // mutant: the first vector that kills it
  std::map<std::string, std::string> checks_;  // check: a mutant of it; empty: none yet
  bool green_ = true;
};

/// Of a room whose every rule the ops reach, or asked for by a vector: what a vector comes by, one
/// must tell apart.
bool must_die(std::string_view name, const Matrix& matrix) {
  return matrix.asked().contains(name) ||
         std::any_of(std::begin(rooms), std::end(rooms),
                     [&](std::string_view room) { return name.starts_with(room); });
}

/// Says what is wrong, a line each; how many lines.
int complain(const Matrix& matrix, const json& listed) {
  int wrong = 0;
  const auto say = [&](const std::string& line) {
    std::cout << line << "\n";
    ++wrong;
  };
  if (!matrix.green()) say("without mutants not all vectors pass");
  for (const json& entry : listed) {
    const std::string name = entry.at("name");
    if (!must_die(name, matrix)) continue;
    const bool killed = matrix.killed().contains(name);
    if (!killed && !entry.contains("no_vector")) say(name + ": lives");
    if (killed && entry.contains("no_vector")) say(name + ": is killed, but said not to be");
  }
  for (const auto& [check, mutant] : matrix.checks())
    if (mutant.empty()) say(check + ": no mutant");
  return wrong;
}

int run(const char* mutants_path, const char* report_path) {
  const json listed = json::parse(std::ifstream(mutants_path));
  Matrix matrix(load_vectors(vectors_folder("")));
  matrix.record();
  matrix.kill();
  const int wrong = complain(matrix, listed);
  std::cout << matrix.size() << " vectors, " << matrix.killed().size() << " mutants killed, "
            << matrix.checks().size() << " checks, " << wrong << " complaints\n";
  if (report_path != nullptr) {
    std::ofstream out(report_path);
    out << json{{"mutants", matrix.killed()}, {"checks", matrix.checks()}}.dump(1) << "\n";
  }
  return wrong == 0 && matrix.size() > 0 ? 0 : 1;
}

}  // namespace
}  // namespace ams::conform

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << ams::conform::usage;
    return 2;
  }
  try {
    return ams::conform::run(argv[1], argc == 3 ? argv[2] : nullptr);
  } catch (const std::exception& error) {
    std::cerr << "ams-vector-mutants: " << error.what() << "\n";
    return 2;
  }
}
