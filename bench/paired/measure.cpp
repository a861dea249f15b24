#include "paired/measure.h"

#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

namespace ams::paired {
namespace {

double now_s(Clock clock) {
  timespec out{};
  clock_gettime(clock == Clock::cpu ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &out);
  return static_cast<double>(out.tv_sec) + static_cast<double>(out.tv_nsec) * 1e-9;
}

double time_of(const Operation& operation, std::int64_t count, Clock clock) {
  const double begin = now_s(clock);
  for (std::int64_t i = 0; i < count; ++i) operation();
  return now_s(clock) - begin;
}

/// One contestant with its own operation for each thread.
class Runner {
 public:
  Runner(const Contestant& contestant, const Row& row) : row_(row) {
    for (int i = 0; i < row.threads; ++i) operations_.push_back(contestant.make());
  }

  /// Seconds of `count` operations in each thread, divided by all operations.
  double run(std::int64_t count) const {
    const auto all = static_cast<double>(count * row_.threads);
    if (row_.threads == 1) return time_of(operations_.front(), count, row_.clock) / all;
    return run_threads(count) / all;
  }

  /// How many operations fill `slice_s`. The first run warms caches up and is not counted.
  std::int64_t fit(double slice_s) const {
    run(1);
    std::int64_t count = 1;
    for (;;) {
      const double took = run(count) * static_cast<double>(count * row_.threads);
      if (took >= slice_s / 4) {
        const double each = took / static_cast<double>(count);
        return std::max<std::int64_t>(1, static_cast<std::int64_t>(slice_s / each));
      }
      count *= took < slice_s / 16 ? 8 : 2;
    }
  }

 private:
  double run_threads(std::int64_t count) const {
    std::atomic<int> waiting{row_.threads};
    std::vector<std::exception_ptr> thrown(operations_.size());
    std::vector<double> begins(operations_.size()), ends(operations_.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      threads.emplace_back([&, i] {
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        begins[i] = now_s(Clock::wall);
        try {
          for (std::int64_t n = 0; n < count; ++n) operations_[i]();
        } catch (...) {
          thrown[i] = std::current_exception();
        }
        ends[i] = now_s(Clock::wall);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& each : thrown) {
      if (each) std::rethrow_exception(each);
    }
    return *std::max_element(ends.begin(), ends.end()) -
           *std::min_element(begins.begin(), begins.end());
  }

  const Row& row_;
  std::vector<Operation> operations_;
};

}  // namespace

const Series* MeasuredRow::find(const std::string& name) const {
  const auto found = std::find_if(series.begin(), series.end(),
                                  [&](const Series& each) { return each.name == name; });
  return found == series.end() ? nullptr : &*found;
}

MeasuredRow measure(const Row& row, const Options& options) {
  MeasuredRow out{row.x, row.label, row.bytes, row.threads, row.clock, {}};
  std::vector<Runner> runners;
  for (const Contestant& contestant : row.contestants()) {
    runners.emplace_back(contestant, row);
    out.series.push_back({contestant.name, runners.back().fit(options.slice_s), {}});
  }
  const int rounds = std::min(options.rounds, row.rounds_max);
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < runners.size(); ++i) {
      out.series[i].seconds.push_back(runners[i].run(out.series[i].iterations) / row.items);
    }
  }
  return out;
}

}  // namespace ams::paired
