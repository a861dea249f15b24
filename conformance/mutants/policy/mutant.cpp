#include "policy/mutant.h"

#include <atomic>
#include <utility>

namespace ams {
namespace {
std::string active_name;
std::atomic<unsigned long long> asked_count{0};
}  // namespace

bool mutant(std::string_view name) noexcept {
  if (active_name.empty() || name != active_name) return false;
  asked_count.fetch_add(1, std::memory_order_relaxed);
  return true;
}

namespace mutants {
void activate(std::string name) {
  active_name = std::move(name);
  asked_count = 0;
}
unsigned long long asked() noexcept { return asked_count; }
}  // namespace mutants

}  // namespace ams
