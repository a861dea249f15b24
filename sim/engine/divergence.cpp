#include "sim_engine/divergence.h"

#include <algorithm>
#include <tuple>

namespace ams::sim {
namespace {

std::string describe_record(const std::optional<EventRecord>& record) {
  if (!record) return "no event";
  return "at " + std::to_string(record->at.time_since_epoch().count()) + " ns lp " +
         std::to_string(record->dst) + " handles event #" + std::to_string(record->src_seq) +
         " of lp " + std::to_string(record->src) + ", kind " + std::to_string(record->kind) +
         ", size " + std::to_string(record->size) + ", hash " + std::to_string(record->hash);
}

void find_first_difference(const std::vector<EventRecord>& a, const std::vector<EventRecord>& b,
                           Divergence& out) {
  const std::size_t common = std::min(a.size(), b.size());
  std::size_t i = 0;
  while (i < common && a[i] == b[i]) ++i;
  if (i < a.size()) out.first = a[i];
  if (i < b.size()) out.second = b[i];
}

}  // namespace

std::optional<Divergence> find_divergence(const MakeEngine& first, const MakeEngine& second,
                                          Instant stop) {
  EngineOptions recording;
  recording.record_windows = true;
  const auto run_a = first(recording);
  const auto run_b = second(recording);
  run_a->run_until(stop);
  run_b->run_until(stop);
  const auto& a = run_a->window_hashes();
  const auto& b = run_b->window_hashes();
  std::size_t i = 0;
  while (i < std::min(a.size(), b.size()) && a[i] == b[i]) ++i;
  if (i == a.size() && i == b.size()) return std::nullopt;

  Divergence divergence{i, Instant::max(), std::nullopt, std::nullopt};
  if (i < a.size()) divergence.window_start = a[i].start;
  if (i < b.size()) divergence.window_start = std::min(divergence.window_start, b[i].start);
  Instant end = stop;  // of the window: where the later of the two next windows begins
  if (i + 1 < a.size() && i + 1 < b.size()) end = std::max(a[i + 1].start, b[i + 1].start);
  recording.record_from = divergence.window_start;
  recording.record_until = end;
  const auto detail_a = first(recording);
  const auto detail_b = second(recording);
  detail_a->run_until(end);
  detail_b->run_until(end);
  find_first_difference(detail_a->records(), detail_b->records(), divergence);
  return divergence;
}

std::string describe(const Divergence& divergence) {
  return "window " + std::to_string(divergence.window) + " from " +
         std::to_string(divergence.window_start.time_since_epoch().count()) +
         " ns: first run: " + describe_record(divergence.first) +
         "; second run: " + describe_record(divergence.second);
}

}  // namespace ams::sim
