#include "policy/mutant.h"

#include <atomic>
#include <utility>

#include "policy/record.h"

namespace ams {
namespace {
std::string active_name;
std::atomic<unsigned long long> asked_count{0};
bool recording = false;
std::set<std::string, std::less<>> recorded_names;
}  // namespace

bool mutant(std::string_view name) noexcept {
  if (recording && !recorded_names.contains(name)) recorded_names.emplace(name);
  if (active_name.empty() || name != active_name) return false;
  asked_count.fetch_add(1, std::memory_order_relaxed);
  return true;
}

namespace mutants {
void activate(std::string name) {
  active_name = std::move(name);
  asked_count = 0;
  recording = false;
}
unsigned long long asked() noexcept { return asked_count; }

void record() {
  activate("");
  recorded_names.clear();
  recording = true;
}
const std::set<std::string, std::less<>>& recorded() noexcept { return recorded_names; }
}  // namespace mutants

}  // namespace ams
