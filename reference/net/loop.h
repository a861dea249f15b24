// Loop: the one thread on which sockets, timers and a machine live.
//
// Everything that takes a callback calls it from run(), never from within the call that took it.
// Only post() and stop() may be called from other threads.
#pragma once

#include <functional>
#include <memory>

#include "base/instant.h"

namespace ams::net {

/// A pending call; dropping it cancels the call.
class Timer {
 public:
  Timer() = default;

 private:
  friend class Loop;
  struct State;
  std::shared_ptr<State> state_;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop(). May be called again afterwards.
  void run();
  void stop();
  void post(std::function<void()> call);
  /// Calls at `due` of the wall clock, never before it; follows a clock that is set within a
  /// minute.
  [[nodiscard]] Timer call_at(Instant due, std::function<void()> call);
  [[nodiscard]] Timer call_after(Duration delay, std::function<void()> call);
  /// SIGTERM and SIGINT call `call` instead of ending the process; SIGPIPE is ignored.
  void on_stop_signal(std::function<void(int signal_number)> call);
  /// The wall clock, held where it is while it is set back: time never decreases for a machine.
  Instant now();

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
  Instant latest_{};
};

}  // namespace ams::net
