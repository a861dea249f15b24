// What the commands of tables share: their arguments, the machine they ran on, measuring in turns
// and the three files.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "paired/report.h"

namespace ams::bench {

struct Arguments {
  std::string out, filter;
  double seconds = 0.18;
  int rounds = 9;
};

/// A folder of its own under the temporary one; removed with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  /// Done before it is removed; must not throw.
  void at_end(std::function<void()> end) { end_ = std::move(end); }

 private:
  std::string path_;
  std::function<void()> end_;
};

/// What is measured, and what its page says about it.
struct Plan {
  std::vector<paired::Table> tables;
  std::vector<std::pair<std::string, std::string>> context;  // beside machine and versions
  std::vector<std::string> notes;
};
struct Command {
  std::string name;  // of the command and of its files: NAME.html, NAME.md, NAME.json
  std::string title, description, footer;
  std::function<Plan(const Arguments&, Folder&)> plan;
};

/// Whether a table of this id is asked for.
bool wanted(const Arguments& args, const std::string& table_id);
/// Parses the arguments, measures, writes; gives the exit code.
int run_tables(const Command& command, int argc, char** argv);

}  // namespace ams::bench
