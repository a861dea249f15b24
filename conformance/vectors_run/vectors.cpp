#include "vectors_run/vectors.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>

namespace ams::conform {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

Vector read_vector(const json& file, const json& test) {
  Vector out;
  out.op = file.at("op");
  out.id = test.at("id");
  out.comment = test.at("comment");
  out.importance = test.at("importance");
  out.input = test.at("input");
  out.flags = test.at("flags").get<std::vector<std::string>>();
  out.clauses = test.at("clauses").get<std::vector<std::string>>();
  out.valid = test.at("result") == "valid";
  if (out.valid) {
    out.output = test.at("output");
  } else {
    out.phase = test.at("reject").at("phase");
    out.codes = test.at("reject").at("codes").get<std::vector<std::string>>();
    out.twin = test.at("twin");
    out.check = test.at("check");
  }
  if (!out.flags.empty()) out.note = file.at("notes").at(out.flags.front());
  return out;
}

void read_file(const fs::path& path, std::vector<Vector>& out) {
  std::ifstream in(path, std::ios::binary);
  try {
    const json file = json::parse(in);
    if (!file.contains("groups")) return;  // keys that vectors are made with
    for (const json& group : file.at("groups"))
      for (const json& test : group.at("tests")) out.push_back(read_vector(file, test));
  } catch (const json::exception& error) {
    throw std::runtime_error(path.string() + ": no file of vectors: " + error.what());
  }
}

}  // namespace

fs::path vectors_folder(const std::string& given) {
  const auto holds = [](const fs::path& at) { return fs::exists(at / "schema.json"); };
  if (!given.empty()) {
    if (holds(given)) return given;
    throw std::runtime_error("--vectors " + given + ": no schema.json in it");
  }
  fs::path at = fs::read_symlink("/proc/self/exe").parent_path();
  for (; at.has_relative_path(); at = at.parent_path())
    for (const char* name : {"vectors", "share/ams/vectors"})
      if (holds(at / name)) return at / name;
  throw std::runtime_error("no vectors/ beside or above this program: say --vectors FOLDER");
}

std::vector<Vector> load_vectors(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".json" && entry.path().parent_path() != folder)
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Vector> out;
  for (const fs::path& file : files) read_file(file, out);
  return out;
}

std::vector<Vector> select_vectors(std::vector<Vector> all, const VectorFilter& filter) {
  std::set<std::string> chosen;
  for (const Vector& one : all) {
    const bool flagged =
        filter.flag.empty() || std::count(one.flags.begin(), one.flags.end(), filter.flag) > 0;
    if (!flagged || (!filter.op.empty() && one.op != filter.op)) continue;
    if (!filter.id.empty() && one.id != filter.id) continue;
    chosen.insert(one.id);
    if (!one.twin.empty()) chosen.insert(one.twin);
  }
  std::erase_if(all, [&](const Vector& one) { return !chosen.contains(one.id); });
  return all;
}

}  // namespace ams::conform
