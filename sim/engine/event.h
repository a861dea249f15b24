// What happens to a logical process, and the order in which it happens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "base/instant.h"
#include "sim_engine/payload.h"

namespace ams::sim {

using LpId = std::uint32_t;  // dense, in order of Engine::add

/// One event: exactly a cache line, trivially copyable. `kind` and the words a, b, c belong to the
/// process that handles it; among events of one instant the lower kind comes first, so give faults
/// the lowest numbers, arrivals the next, timers the highest.
/// (src, src_seq) is the event's identity: the sender counts its own events.
struct Event {
  Instant at;
  std::uint64_t src_seq;
  LpId dst;
  LpId src;
  std::uint32_t kind;
  std::uint32_t size;  // modelled bytes on the wire; the payload need not exist
  std::uint64_t a, b, c;
  const PayloadBlock* payload;  // lent by the engine during handle(); null for none

  ByteView bytes() const { return payload == nullptr ? ByteView{} : payload->view(); }
};
static_assert(sizeof(Event) == 64 && std::is_trivially_copyable_v<Event>);

/// The total order of all events of a run: (at, kind, dst, src, src_seq). No two are equal.
inline bool key_less(const Event& x, const Event& y) {
  if (x.at != y.at) return x.at < y.at;
  if (x.kind != y.kind) return x.kind < y.kind;
  if (x.dst != y.dst) return x.dst < y.dst;
  if (x.src != y.src) return x.src < y.src;
  return x.src_seq < y.src_seq;
}

/// What a sender fills in. The engine adds time, source, destination and sequence number.
struct Message {
  std::uint32_t kind = 0;
  std::uint32_t size = 0;
  std::uint64_t a = 0, b = 0, c = 0;
  Payload payload = {};
};

/// Binary min-heap by key_less. Holds one reference to each payload; the popper takes it over.
class EventQueue {
 public:
  EventQueue() = default;
  EventQueue(EventQueue&& other) noexcept = default;
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;
  EventQueue& operator=(EventQueue&&) = delete;
  ~EventQueue() {
    for (const Event& event : heap_) {
      if (event.payload != nullptr) event.payload->release();
    }
  }

  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  const Event& top() const { return heap_.front(); }
  const void* storage() const { return heap_.data(); }

  void push(const Event& event) {
    std::size_t hole = heap_.size();
    heap_.push_back(event);
    while (hole > 0) {
      const std::size_t parent = (hole - 1) / 2;
      if (!key_less(event, heap_[parent])) break;
      heap_[hole] = heap_[parent];
      hole = parent;
    }
    heap_[hole] = event;
  }

  Event pop() {
    const Event first = heap_.front();
    const Event last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sift_down(last);
    return first;
  }

 private:
  void sift_down(const Event& event) {
    const std::size_t size = heap_.size();
    std::size_t hole = 0;
    for (std::size_t child = 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && key_less(heap_[child + 1], heap_[child])) ++child;
      if (!key_less(heap_[child], event)) break;
      heap_[hole] = heap_[child];
      hole = child;
    }
    heap_[hole] = event;
  }

  std::vector<Event> heap_;
};

}  // namespace ams::sim
