#include "sim_engine/worker_pool.h"

namespace ams::sim {
namespace {

// Waits until `value` is no longer `old`: spinning covers the common short wait between windows.
void wait_while_equal(const std::atomic<std::uint32_t>& value, std::uint32_t old, unsigned spins) {
  for (unsigned i = 0; i < spins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace

WorkerPool::WorkerPool(unsigned parts) {
  // With more workers than cores, spinning only steals the time of the one who works.
  spins_ = parts <= std::thread::hardware_concurrency() ? 4000 : 0;
  for (unsigned part = 1; part < parts; ++part) {
    threads_.emplace_back([this, part] { work(part); });
  }
}

WorkerPool::~WorkerPool() {
  stop_.store(true, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::run(Job job, void* argument) {
  job_ = job;
  argument_ = argument;
  unfinished_.store(static_cast<std::uint32_t>(threads_.size()), std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  job(argument, 0);
  for (;;) {
    const std::uint32_t left = unfinished_.load(std::memory_order_acquire);
    if (left == 0) return;
    wait_while_equal(unfinished_, left, spins_);
  }
}

void WorkerPool::work(unsigned part) {
  std::uint32_t seen = 0;
  for (;;) {
    wait_while_equal(epoch_, seen, spins_);
    ++seen;  // run() does not return before every part is done, so no epoch is skipped
    if (stop_.load(std::memory_order_relaxed)) return;
    job_(argument_, part);
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
  }
}

}  // namespace ams::sim
