// The executor: logical processes in virtual time, windowed conservative look-ahead.
//
// A logical process (LP) is one domain with everything inside it. Time advances in windows no
// longer than the look-ahead, the least latency between two LPs; inside a window LPs cannot
// influence each other, so they run one after the other or on several threads. Events between LPs
// wait in buffers and reach their destination's queue at the barrier. Each LP handles its events in
// the total order of event.h, so what it does depends neither on the number of threads, nor on the
// order of insertion, nor on where windows begin.
//
//   run window [t, t + look_ahead) on every LP -> barrier -> deliver buffers -> barrier
//   t = least time of any waiting event (idle time is skipped)
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "sim_engine/event.h"
#include "sim_engine/trace_hash.h"

namespace ams::sim {

class Engine;
struct LpState;
struct WorkerPart;

/// What a process may do while it handles an event. Valid during handle() only.
class Context {
 public:
  Instant now() const { return now_; }
  LpId self() const { return self_; }
  /// Least delay of send().
  Duration look_ahead() const { return look_ahead_; }

  /// An event of this LP to itself (a timer, a delivery inside the domain). Asserts delay >= 0.
  /// To cancel a timer, put a generation number in a word and ignore the stale one.
  void schedule(Duration delay, Message message);
  /// An event to another LP. Asserts delay >= look_ahead and that `dst` exists.
  /// To itself it behaves as schedule().
  void send(LpId dst, Duration delay, Message message);
  /// Adds a word of the process's own state to the trace hash, e.g. a checksum of its queue.
  void trace(std::uint64_t word);

 private:
  friend class Engine;
  Event make_event(LpId dst, Duration delay, Message& message);

  Instant now_;
  Duration look_ahead_;
  LpId self_;
  LpId lp_count_;
  LpState* lp_;
  WorkerPart* part_;
};

/// A logical process. handle() runs on some worker thread, never twice at once; it must touch only
/// its own state and immutable shared data, and draw every decision from random.h.
class Process {
 public:
  virtual ~Process() = default;
  virtual void handle(const Event& event, Context& context) = 0;
};

/// One handled event in a recording. `cause_*` of an event is found by looking for the record of
/// its src whose [first_seq, next record's first_seq) holds the event's src_seq.
struct EventRecord {
  Instant at;
  LpId dst;
  LpId src;
  std::uint64_t src_seq;
  std::uint64_t first_seq;  // sequence number of the first event that handling this one emitted
  std::uint64_t hash;       // the LP's trace hash afterwards
  std::uint32_t kind;
  std::uint32_t size;
  friend bool operator==(const EventRecord&, const EventRecord&) = default;
};

struct WindowHash {
  Instant start;
  std::uint64_t hash;  // over the LPs that were active in this window
  friend bool operator==(const WindowHash&, const WindowHash&) = default;
};

struct EngineOptions {
  Duration look_ahead = std::chrono::milliseconds{1};  // > 0
  unsigned threads = 1;                                // >= 1; never changes a result
  /// A window runs on several threads only if the one before it handled this many events.
  std::uint64_t parallel_events_min = 1500;
  /// And the events that LPs of such a window sent are sorted in on several threads only from this
  /// many on.
  std::size_t parallel_deliveries_min = 512;
  bool record_windows = false;  // 16 bytes per window
  /// Events with record_from <= at < record_until are recorded (56 bytes each).
  Instant record_from = Instant::max();
  Instant record_until = Instant::max();
  /// Self-check: nonzero permutes the order in which buffers are delivered. Must change nothing.
  std::uint64_t shuffle_seed = 0;
};

struct Progress {
  Instant now;  // start of the next window
  std::uint64_t windows;
  std::uint64_t events;
};

class Engine {
 public:
  explicit Engine(EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Adds a process; ids count from 0. Only before the first run.
  LpId add(std::unique_ptr<Process> process);
  /// An event of `lp` to itself, from outside. Only between runs; asserts `at` not in the past.
  void schedule(LpId lp, Instant at, Message message);

  /// Called on the caller's thread after every `windows` windows; false stops the run there.
  void on_progress(std::uint64_t windows, std::function<bool(const Progress&)> callback);

  /// Handles every event before `stop`; later ones stay queued and a later call goes on.
  /// False: the progress callback stopped the run.
  bool run_until(Instant stop);

  LpId lp_count() const;
  Process& process(LpId lp);
  std::uint64_t windows() const { return windows_; }
  std::uint64_t events_handled() const;
  /// Earliest waiting event; Instant::max() for none. O(LPs).
  Instant next_event() const;

  /// Over all LPs in order of id: equal for equal runs, whatever the number of threads.
  TraceHash trace_hash() const;
  TraceHash trace_hash(LpId lp) const;
  const std::vector<WindowHash>& window_hashes() const { return window_hashes_; }
  /// Recorded events of one LP in the order it handled them.
  const std::vector<EventRecord>& records(LpId lp) const;
  /// Recorded events of all LPs, by (at, kind, dst, src, src_seq).
  std::vector<EventRecord> records() const;

 private:
  void prepare();
  bool others_due() const;
  bool many_sent() const;
  void each_part(bool parallel, void (Engine::*step)(unsigned));
  void run_part(unsigned part);
  void deliver_part(unsigned part);
  void run_lp(LpId id, WorkerPart& part);
  std::uint64_t finish_window();

  EngineOptions options_;
  std::vector<LpState> lps_;
  std::vector<Instant> next_due_;  // per LP, apart from it: scanned every window
  struct Workers;
  std::unique_ptr<Workers> workers_;
  Instant window_start_ = Instant::min();
  Instant window_end_ = Instant::min();
  std::uint64_t windows_ = 0;
  std::uint64_t progress_every_ = 0;
  std::function<bool(const Progress&)> progress_;
  std::vector<WindowHash> window_hashes_;
};

/// Internal: one LP as the executor sees it.
struct LpState {
  std::unique_ptr<Process> process;
  EventQueue queue;
  std::uint64_t next_seq = 0;
  TraceHash hash;
  std::vector<EventRecord> records;
};

/// Internal: the LPs [first, last) of one worker and the events they sent elsewhere, per receiving
/// worker. Aligned: two workers never write the same cache line.
struct alignas(64) WorkerPart {
  LpId first = 0;
  LpId last = 0;
  Instant next_due = Instant::max();
  std::uint64_t events = 0;         // handled so far
  std::uint64_t window_events = 0;  // handled in this window
  std::uint64_t window_hash = 0;
  std::vector<std::vector<Event>> outbox;  // by receiving worker
  LpId lps_per_part = 1;
};

inline Event Context::make_event(LpId dst, Duration delay, Message& message) {
  return Event{now_ + delay, lp_->next_seq++, dst,       self_,     message.kind,
               message.size, message.a,       message.b, message.c, message.payload.detach()};
}

inline void Context::schedule(Duration delay, Message message) {
  AMS_ASSERT(delay.count() >= 0);
  lp_->queue.push(make_event(self_, delay, message));
}

inline void Context::send(LpId dst, Duration delay, Message message) {
  if (dst == self_) return schedule(delay, std::move(message));
  AMS_ASSERT(delay >= look_ahead_);
  AMS_ASSERT(dst < lp_count_);
  part_->outbox[dst / part_->lps_per_part].push_back(make_event(dst, delay, message));
}

inline void Context::trace(std::uint64_t word) { lp_->hash.absorb(word); }

}  // namespace ams::sim
