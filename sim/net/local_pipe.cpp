#include "sim_net/local_pipe.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sim_engine/random.h"

namespace ams::sim {
namespace {

enum PipeOp : std::uint8_t { pipe_open, pipe_opened, pipe_data, pipe_close, pipe_broken };

constexpr std::uint32_t draw_pipe_loss = 0x120;  // + end
constexpr std::uint32_t draw_pipe_exporter = 0x122;

PipeEnd other_end(PipeEnd end) {
  return end == PipeEnd::opener ? PipeEnd::listener : PipeEnd::opener;
}
std::size_t index_of(PipeEnd end) { return static_cast<std::size_t>(end); }

}  // namespace

LocalPipes::LocalPipes(LocalPipeOptions options, std::uint64_t seed, LpId owner)
    : options_(options), seed_(seed), owner_(owner) {
  AMS_ASSERT(options_.latency.count() >= 0);
}

// Word b: op | receiving end << 8.
void LocalPipes::emit(PipeId id, Pipe& pipe, PipeEnd from, std::uint8_t op, Payload bytes,
                      Context& context) {
  const PipeEnd to = other_end(from);
  const std::uint64_t segment = pipe.sent[index_of(from)]++;
  Instant arrival = context.now() + options_.latency;
  if (options_.loss_ppm > 0) {
    const std::uint64_t entity = static_cast<std::uint64_t>(owner_) << 32 | id;
    const RandomStream draws(seed_, entity, draw_pipe_loss + static_cast<std::uint32_t>(from));
    if (draws.bernoulli_ppm(segment, options_.loss_ppm)) arrival += options_.retransmit_after;
  }
  arrival = std::max(arrival, pipe.last_arrival[index_of(to)]);
  pipe.last_arrival[index_of(to)] = arrival;
  const auto size = static_cast<std::uint32_t>(bytes.size());
  context.schedule(arrival - context.now(), Message{.kind = net_kind_local,
                                                    .size = size,
                                                    .a = id,
                                                    .b = index_of(to) << 8 | op,
                                                    .payload = std::move(bytes)});
}

PipeId LocalPipes::open(std::uint64_t tag, Context& context) {
  const PipeId id = next_++;
  Pipe& pipe = pipes_[id];
  pipe.tag = tag;
  emit(id, pipe, PipeEnd::opener, pipe_open, {}, context);
  return id;
}

bool LocalPipes::send(PipeId id, PipeEnd from, Bytes bytes, Context& context) {
  const auto found = pipes_.find(id);
  if (found == pipes_.end() || found->second.closed[index_of(from)]) return false;
  if (from == PipeEnd::opener && !found->second.opened) return false;
  if (!bytes.empty()) {
    emit(id, found->second, from, pipe_data, Payload(std::move(bytes)), context);
  }
  return true;
}

void LocalPipes::close(PipeId id, PipeEnd from, Context& context) {
  const auto found = pipes_.find(id);
  if (found == pipes_.end() || found->second.closed[index_of(from)]) return;
  found->second.closed[index_of(from)] = true;
  emit(id, found->second, from, pipe_close, {}, context);
}

void LocalPipes::cut(PipeId id, std::optional<PipeEnd> dead, Context& context) {
  const auto found = pipes_.find(id);
  if (found == pipes_.end()) return;
  for (const PipeEnd end : {PipeEnd::opener, PipeEnd::listener}) {
    if (end == dead || found->second.closed[index_of(end)]) continue;
    context.schedule(options_.latency, Message{.kind = net_kind_local,
                                               .a = id,
                                               .b = index_of(end) << 8 | pipe_broken,
                                               .c = found->second.tag});
  }
  pipes_.erase(found);
}

void LocalPipes::crash_listener(Context& context) {
  std::vector<PipeId> all;
  for (const auto& [id, pipe] : pipes_) all.push_back(id);
  for (PipeId id : all) cut(id, PipeEnd::listener, context);
}

std::optional<PipeEvent> LocalPipes::handle(const Event& event, Context& context) {
  const auto op = static_cast<PipeOp>(event.b & 0xff);
  const auto at = static_cast<PipeEnd>(event.b >> 8);
  const PipeId id = event.a;
  if (op == pipe_broken) return PipeEvent{PipeEventType::broken, id, at, event.c};
  const auto found = pipes_.find(id);
  if (found == pipes_.end()) return std::nullopt;  // cut while this was in flight
  Pipe& pipe = found->second;
  const std::uint64_t tag = pipe.tag;
  const bool deaf = pipe.closed[index_of(at)];
  if (op == pipe_open) {
    emit(id, pipe, PipeEnd::listener, pipe_opened, {}, context);
    return PipeEvent{PipeEventType::opened, id, at, tag};
  }
  if (op == pipe_close) {
    if (!deaf) {
      pipes_.erase(found);
      return PipeEvent{PipeEventType::closed, id, at, tag};
    }
    pipes_.erase(found);
    return std::nullopt;
  }
  if (deaf) return std::nullopt;
  if (op == pipe_opened) {
    pipe.opened = true;
    return PipeEvent{PipeEventType::opened, id, at, tag};
  }
  return PipeEvent{PipeEventType::data, id, at, tag, Payload::share(event.payload)};
}

Hash LocalPipes::exporter(PipeId id) const {
  Hash out;
  const std::uint64_t entity = static_cast<std::uint64_t>(owner_) << 32 | id;
  RandomStream(seed_, entity, draw_pipe_exporter).fill(0, out);
  return out;
}

}  // namespace ams::sim
