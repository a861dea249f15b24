// A few threads that run the same job on different parts, with a barrier at the end.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace ams::sim {

/// Not thread-safe: one owner calls run(). Idle threads sleep in the kernel after a short spin.
class WorkerPool {
 public:
  using Job = void (*)(void* argument, unsigned part);

  /// Starts parts - 1 threads; the caller of run() is the first worker.
  explicit WorkerPool(unsigned parts);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Runs job(argument, part) for every part, each on its own thread; returns when all are done.
  void run(Job job, void* argument);
  unsigned parts() const { return static_cast<unsigned>(threads_.size()) + 1; }

 private:
  void work(unsigned part);

  std::vector<std::thread> threads_;
  Job job_ = nullptr;
  void* argument_ = nullptr;
  unsigned spins_ = 0;
  alignas(64) std::atomic<std::uint32_t> epoch_{0};
  alignas(64) std::atomic<std::uint32_t> unfinished_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace ams::sim
