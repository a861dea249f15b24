#include "net/loop.h"

#include <algorithm>
#include <csignal>

#include "net/asio.h"

namespace ams::net {
namespace {

// A timer counts on the steady clock but is due by the wall clock: it looks again this often.
constexpr Duration timer_step_max = std::chrono::minutes(1);

}  // namespace

struct Timer::State {
  explicit State(asio::io_context& context) : timer(context) {}
  // The pending wait holds only a weak pointer, so that dropping the Timer drops the call.
  static void wait(Loop& loop, const std::shared_ptr<State>& state) {
    const Duration rest = std::clamp(state->due - loop.now(), Duration{0}, timer_step_max);
    state->timer.expires_after(rest);
    state->timer.async_wait([&loop, weak = std::weak_ptr(state)](error_code error) {
      const auto self = weak.lock();
      if (error || !self) return;
      if (loop.now() < self->due) return wait(loop, self);
      const auto run = std::move(self->call);
      run();
    });
  }
  asio::steady_timer timer;
  Instant due;
  std::function<void()> call;
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
  impl_->context.restart();
  const auto work = asio::make_work_guard(impl_->context);
  impl_->context.run();
}

void Loop::stop() { impl_->context.stop(); }

void Loop::post(std::function<void()> call) { asio::post(impl_->context, std::move(call)); }

Timer Loop::call_at(Instant due, std::function<void()> call) {
  Timer timer;
  timer.state_ = std::make_shared<Timer::State>(impl_->context);
  timer.state_->due = due;
  timer.state_->call = std::move(call);
  Timer::State::wait(*this, timer.state_);
  return timer;
}

Timer Loop::call_after(Duration delay, std::function<void()> call) {
  return call_at(now() + delay, std::move(call));
}

void Loop::on_stop_signal(std::function<void(int)> call) {
  std::signal(SIGPIPE, SIG_IGN);
  error_code ignored;
  impl_->signals.add(SIGTERM, ignored);
  impl_->signals.add(SIGINT, ignored);
  impl_->signals.async_wait([call = std::move(call)](error_code error, int number) {
    if (!error) call(number);
  });
}

Instant Loop::now() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  latest_ = std::max(latest_, Instant{std::chrono::duration_cast<Duration>(wall)});
  return latest_;
}

}  // namespace ams::net
