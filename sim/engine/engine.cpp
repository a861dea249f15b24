#include "sim_engine/engine.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

#include "sim_engine/worker_pool.h"

namespace ams::sim {
namespace {

constexpr std::size_t prefetch_distance = 8;

std::uint64_t nanoseconds(Instant t) {
  return static_cast<std::uint64_t>(t.time_since_epoch().count());
}

// The whole event, so that a difference anywhere shows at the first window it touches.
void absorb_event(TraceHash& hash, const Event& event) {
  const std::uint64_t source = (static_cast<std::uint64_t>(event.src) << 32) | event.kind;
  const std::uint64_t head =
      fold_product(nanoseconds(event.at) ^ 0xa076'1d64'78bd'642f, source ^ 0x8ebc'6af0'9c88'c6e3);
  const std::uint64_t body =
      fold_product(event.a ^ 0x5899'65cc'7537'4cc3, event.b ^ 0x1d8e'4e27'c47d'124f);
  const std::uint64_t digest = event.payload == nullptr ? 0 : event.payload->digest();
  const std::uint64_t tail =
      fold_product(event.c ^ 0xeb44'acca'b455'd165, digest ^ 0x9e6c'63d0'676a'9a99);
  hash.absorb(head + std::rotl(tail, 17) + event.src_seq * 0x9e37'79b9'7f4a'7c15,
              body + std::rotl(head, 41) + event.size);
}

// Order is in the terms (each LP's chain, keyed by its id), not in the sum: parts can be added up.
std::uint64_t window_term(LpId lp, const TraceHash& hash) {
  return mix64(hash.low + 0x9e37'79b9'7f4a'7c15 * (lp + std::uint64_t{1})) ^ mix64(hash.high);
}

}  // namespace

struct Engine::Workers {
  explicit Workers(unsigned threads) : pool(threads), parts(threads) {}
  WorkerPool pool;
  std::vector<WorkerPart> parts;
};

Engine::Engine(EngineOptions options) : options_(options) {
  AMS_ASSERT(options_.look_ahead.count() > 0);
  AMS_ASSERT(options_.threads >= 1);
}

Engine::~Engine() {
  if (workers_ == nullptr) return;
  for (WorkerPart& part : workers_->parts) {
    for (std::vector<Event>& box : part.outbox) {
      for (const Event& event : box) {
        if (event.payload != nullptr) event.payload->release();
      }
    }
  }
}

LpId Engine::add(std::unique_ptr<Process> process) {
  AMS_ASSERT(workers_ == nullptr);
  lps_.emplace_back();
  lps_.back().process = std::move(process);
  next_due_.push_back(Instant::max());
  return static_cast<LpId>(lps_.size() - 1);
}

void Engine::schedule(LpId lp, Instant at, Message message) {
  AMS_ASSERT(lp < lps_.size());
  AMS_ASSERT(at >= window_end_);
  LpState& state = lps_[lp];
  state.queue.push(Event{at, state.next_seq++, lp, lp, message.kind, message.size, message.a,
                         message.b, message.c, message.payload.detach()});
  next_due_[lp] = std::min(next_due_[lp], at);
}

void Engine::on_progress(std::uint64_t windows, std::function<bool(const Progress&)> callback) {
  progress_every_ = windows;
  progress_ = std::move(callback);
}

void Engine::prepare() {
  if (workers_ != nullptr) return;
  workers_ = std::make_unique<Workers>(options_.threads);
  const auto count = static_cast<LpId>(lps_.size());
  const LpId per_part = std::max<LpId>(1, (count + options_.threads - 1) / options_.threads);
  LpId first = 0;
  for (WorkerPart& part : workers_->parts) {
    part.first = first;
    part.last = std::min<LpId>(count, first + per_part);
    part.lps_per_part = per_part;
    part.outbox.resize(workers_->parts.size());
    first = part.last;
  }
}

bool Engine::run_until(Instant stop) {
  prepare();
  bool parallel = false;
  Instant next = next_event();
  while (next < stop) {
    window_start_ = next;
    // Compare as distances: next + look_ahead could leave the range of time.
    window_end_ = stop - next > options_.look_ahead ? next + options_.look_ahead : stop;
    each_part(parallel && others_due(), &Engine::run_part);
    each_part(parallel && many_sent(), &Engine::deliver_part);
    parallel = finish_window() >= options_.parallel_events_min;
    next = Instant::max();
    for (const WorkerPart& part : workers_->parts) next = std::min(next, part.next_due);
    if (progress_every_ != 0 && windows_ % progress_every_ == 0) {
      if (!progress_(Progress{std::min(next, stop), windows_, events_handled()})) return false;
    }
  }
  return true;
}

/// Whether a worker but the caller's own has anything to do in this window: waking one for nothing
/// costs more than most windows.
bool Engine::others_due() const {
  const auto& parts = workers_->parts;
  return std::any_of(parts.begin() + 1, parts.end(),
                     [&](const WorkerPart& part) { return part.next_due < window_end_; });
}

bool Engine::many_sent() const {
  std::size_t sent = 0;
  for (const WorkerPart& part : workers_->parts)
    for (const std::vector<Event>& box : part.outbox) sent += box.size();
  return sent >= options_.parallel_deliveries_min;
}

void Engine::each_part(bool parallel, void (Engine::*step)(unsigned)) {
  const auto parts = static_cast<unsigned>(workers_->parts.size());
  if (!parallel || parts == 1) {
    for (unsigned part = 0; part < parts; ++part) (this->*step)(part);
    return;
  }
  auto work = [this, step](unsigned part) { (this->*step)(part); };
  workers_->pool.run(
      [](void* argument, unsigned part) { (*static_cast<decltype(work)*>(argument))(part); },
      &work);
}

void Engine::run_part(unsigned index) {
  WorkerPart& part = workers_->parts[index];
  part.window_events = 0;
  part.window_hash = 0;
  Instant due = Instant::max();
  for (LpId id = part.first; id < part.last; ++id) {
    if (next_due_[id] < window_end_) run_lp(id, part);
    due = std::min(due, next_due_[id]);
  }
  part.next_due = due;
}

void Engine::run_lp(LpId id, WorkerPart& part) {
  LpState& lp = lps_[id];
  Context context;
  context.look_ahead_ = options_.look_ahead;
  context.self_ = id;
  context.lp_count_ = static_cast<LpId>(lps_.size());
  context.lp_ = &lp;
  context.part_ = &part;
  std::uint64_t handled = 0;
  while (!lp.queue.empty() && lp.queue.top().at < window_end_) {
    const Event event = lp.queue.pop();
    context.now_ = event.at;
    absorb_event(lp.hash, event);
    const std::uint64_t first_seq = lp.next_seq;
    lp.process->handle(event, context);
    if (event.at >= options_.record_from && event.at < options_.record_until) {
      lp.records.push_back(EventRecord{event.at, id, event.src, event.src_seq, first_seq,
                                       lp.hash.low ^ lp.hash.high, event.kind, event.size});
    }
    if (event.payload != nullptr) event.payload->release();
    ++handled;
  }
  next_due_[id] = lp.queue.empty() ? Instant::max() : lp.queue.top().at;
  part.window_events += handled;
  part.window_hash += window_term(id, lp.hash);
}

void Engine::deliver_part(unsigned index) {
  WorkerPart& receiver = workers_->parts[index];
  for (WorkerPart& sender : workers_->parts) {
    std::vector<Event>& box = sender.outbox[index];
    if (options_.shuffle_seed != 0) {
      const RandomStream stream(options_.shuffle_seed, windows_, Purpose::shuffle);
      for (std::size_t i = box.size(); i > 1; --i) std::swap(box[i - 1], box[stream.below(i, i)]);
    }
    for (std::size_t i = 0; i < box.size(); ++i) {
      // Destinations are random: have the LP at hand before its turn.
      if (i + prefetch_distance < box.size()) {
        __builtin_prefetch(&lps_[box[i + prefetch_distance].dst], 1);
      }
      if (i + prefetch_distance / 2 < box.size()) {
        __builtin_prefetch(lps_[box[i + prefetch_distance / 2].dst].queue.storage(), 1);
      }
      const Event& event = box[i];
      lps_[event.dst].queue.push(event);
      next_due_[event.dst] = std::min(next_due_[event.dst], event.at);
      receiver.next_due = std::min(receiver.next_due, event.at);
    }
    box.clear();
  }
}

std::uint64_t Engine::finish_window() {
  std::uint64_t events = 0;
  std::uint64_t hash = 0;
  for (WorkerPart& part : workers_->parts) {
    events += part.window_events;
    hash += part.window_hash;
    part.events += part.window_events;
  }
  if (options_.record_windows) window_hashes_.push_back(WindowHash{window_start_, hash});
  ++windows_;
  return events;
}

LpId Engine::lp_count() const { return static_cast<LpId>(lps_.size()); }
Process& Engine::process(LpId lp) { return *lps_.at(lp).process; }

std::uint64_t Engine::events_handled() const {
  std::uint64_t events = 0;
  if (workers_ == nullptr) return events;
  for (const WorkerPart& part : workers_->parts) events += part.events;
  return events;
}

Instant Engine::next_event() const {
  Instant next = Instant::max();
  for (Instant due : next_due_) next = std::min(next, due);
  return next;
}

TraceHash Engine::trace_hash() const {
  TraceHash all;
  for (const LpState& lp : lps_) all.absorb(lp.hash.low, lp.hash.high);
  return all;
}

TraceHash Engine::trace_hash(LpId lp) const { return lps_.at(lp).hash; }
const std::vector<EventRecord>& Engine::records(LpId lp) const { return lps_.at(lp).records; }

std::vector<EventRecord> Engine::records() const {
  std::vector<EventRecord> all;
  for (const LpState& lp : lps_) all.insert(all.end(), lp.records.begin(), lp.records.end());
  std::stable_sort(all.begin(), all.end(), [](const EventRecord& x, const EventRecord& y) {
    return std::tie(x.at, x.kind, x.dst, x.src, x.src_seq) <
           std::tie(y.at, y.kind, y.dst, y.src, y.src_seq);
  });
  return all;
}

}  // namespace ams::sim
