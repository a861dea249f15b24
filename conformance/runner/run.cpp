#include "runner/run.h"

#include <algorithm>

#include "runner/sim_client.h"
#include "runner/sim_target.h"
#include "runner/stage.h"

namespace ams::conform {
namespace {

std::int64_t now_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace

bool selected(const Case& one, const Filter& filter) {
  const bool full = std::any_of(one.caps.begin(), one.caps.end(),
                                [](const std::string& cap) { return cap != "peer"; });
  if (filter.role == "directory" && one.role != filter.role) return false;
  if (!filter.role.empty() && (filter.role == "client") != (one.role == "client")) return false;
  if (filter.role == "server" && full) return false;
  if (one.id.find(filter.id) == std::string::npos) return false;
  return filter.clause.empty() ||
         std::any_of(one.clauses.begin(), one.clauses.end(),
                     [&](const Clause& clause) { return clause.anchor == filter.clause; });
}

Runner::Runner(const std::vector<Case>& cases, Target& target, std::string run_tag)
    : cases_(cases), target_(&target), run_tag_(std::move(run_tag)) {
  roster_.emplace(target, run_tag_);
}
Runner::Runner(const std::vector<Case>& cases, std::string role)
    : cases_(cases), run_tag_("simulated"), role_(std::move(role)) {}

Outcome Runner::run(const Case& one) {
  const std::int64_t started = now_us();
  Outcome out;
  if (!one.twin.empty()) {
    const Outcome twin = run_twin(one);
    if (twin.verdict == Verdict::unsupported)
      out = twin;
    else if (twin.verdict != Verdict::pass)
      out = {Verdict::not_exercised, "its twin " + one.twin + ": " + twin.why, 0};
  }
  if (out.verdict == Verdict::pass) out = play(one);
  if (out.verdict == Verdict::fail && one.keyword == "SHOULD") out.verdict = Verdict::warn;
  out.us = now_us() - started;
  return out;
}

/// The valid twin takes the same path, so that a refusal for another reason is not believed.
Outcome Runner::run_twin(const Case& one) {
  const auto known = twins_.find(one.twin);
  if (target_ && known != twins_.end()) return known->second;
  const auto twin = std::find_if(cases_.begin(), cases_.end(),
                                 [&](const Case& other) { return other.id == one.twin; });
  if (twin == cases_.end()) return {Verdict::suite_error, "there is no such case", 0};
  Outcome out = play(*twin);
  if (target_) twins_[one.twin] = out;
  return out;
}

Outcome Runner::play(const Case& one) {
  if (target_) return play_on(one, *target_, *roster_);
  if (one.role == "client") {
    const auto client = make_simulated_client();
    Roster nobody(*client, run_tag_);
    return play_on(one, *client, nobody);
  }
  TargetOptions options = one.options;
  options.directory = (role_.empty() ? one.role : role_) == "directory" ? 1 : 0;
  const auto target = make_simulated(options);
  Roster roster(*target, run_tag_);
  return play_on(one, *target, roster);
}

Outcome Runner::play_on(const Case& one, Target& target, Roster& roster) {
  const std::string tag = run_tag_ + " " + one.id + " " + std::to_string(++plays_);
  try {
    for (const std::string& cap : one.caps) {
      if (cap != "full" && !target.has_peer)
        return {Verdict::unsupported, "needs --listen, where the target reaches conform.test", 0};
      if (cap != "peer" && !target.full)
        return {Verdict::unsupported, "needs a full directory peer: --role directory", 0};
    }
    {
      Stage stage(target, roster, tag, one.deadline);
      stage.play(one.steps);
      if (one.role == "client") stage.require_client();
    }
    if (one.role != "client" && one.kind != "positive") require_alive(target, target.patience);
    return {};
  } catch (const StepFailed& failed) {
    return {failed.verdict, failed.why, 0};
  } catch (const std::exception& error) {
    return {Verdict::suite_error, error.what(), 0};
  }
}

}  // namespace ams::conform
