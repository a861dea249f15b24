// Paired measurements: several ways to do one thing, run in turns (A B C A B C …) so that whatever
// the machine does meanwhile meets all of them, and compared turn by turn. A ratio of such a run is
// a result; an absolute figure is one only beside the machine it came from.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ams::paired {

/// Does the work once, and throws std::runtime_error when it fails: a wrong result is no speed.
using Operation = std::function<void()>;

struct Contestant {
  std::string name;
  /// Called once for each thread, before anything is timed: what an operation reuses is its own.
  std::function<Operation()> make;
};

enum class Clock : std::uint8_t {
  cpu,   // the thread's own time: what others run meanwhile does not count
  wall,  // for whole processes
};

struct Row {
  std::int64_t x = 0;  // where the row stands on the table's axis
  std::string label;   // shown instead of x, where x means nothing
  double bytes = 0;    // handled by one operation; 0: operations are what counts
  double items = 1;    // that one operation handles together; times are those of one
  int threads = 1;     // more than one: wall clock, all threads together
  Clock clock = Clock::cpu;
  int rounds_max = 1000;  // for what takes long
  /// Made when its turn comes, so that not all rows' data lie in memory at once.
  std::function<std::vector<Contestant>()> contestants;
};

/// `contestant` must be at least `ratio` times as fast as `against` at `x`; against nobody: at
/// least `rate` operations (bytes, where the row has some) a second.
struct Target {
  std::int64_t x = 0;
  std::string contestant, against;
  double at_least = 0;
  std::string what;
};

struct Table {
  std::string id, title, question;
  std::string axis;  // "bytes", "recipients", "threads", "bits"; "": no axis
  std::string base;  // the contestant that the others are shown relative to
  std::vector<Row> rows;
  std::vector<Target> targets;
};

struct Series {
  std::string name;
  std::int64_t iterations = 0;  // in each round
  std::vector<double> seconds;  // for one operation, one value a round
};
struct MeasuredRow {
  std::int64_t x = 0;
  std::string label;
  double bytes = 0;
  int threads = 1;
  Clock clock = Clock::cpu;
  std::vector<Series> series;
  const Series* find(const std::string& name) const;
};
struct MeasuredTable {
  std::string id, title, question, axis, base;
  std::vector<MeasuredRow> rows;
  std::vector<Target> targets;
};

struct Options {
  int rounds = 9;
  double slice_s = 0.02;  // of one contestant in one round
};

MeasuredRow measure(const Row& row, const Options& options);

}  // namespace ams::paired
