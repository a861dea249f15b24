// Our binding log, shown to the full peers of the directory (spec BLG-39): after each epoch, in
// rounds, by each peer's own pace, until all have cosigned what was offered last.
//   begin --nobody is asked--> offer --for each peer--> asked --cosigned or failed--> begin
#include <algorithm>

#include "directory/history.h"
#include "policy/mutant.h"
#include "server/core.h"

namespace ams::server {

void Core::start_showing() {
  if (!binding_log_ || mutant("server.show_no_log")) return;
  // Those that the operator named (DIR-76): learned ones come and go, and a witness is for years.
  for (const std::string& domain : options_.directory_peers)
    if (!local(domain) && showing_.witnesses.size() < log_witnesses_max)
      showing_.witnesses.emplace(domain, LogWitness{});  // our own word counts for nobody
  want_showing();
}

void Core::want_showing() {
  if (showing_.witnesses.empty() || showing_.wanted) return;
  showing_.wanted = true;
  later([this] { show_log(); });
}

/// After each commit: cheap.
void Core::log_committed() {
  if (binding_log_ && binding_log_->size() > showing_.offered) want_showing();
}

/// What is shown does not grow old while nobody asks for it: a look-up finds a cosigned epoch.
void Core::end_shown_epoch() {
  if (now_ < showing_.next_epoch) return;
  showing_.next_epoch = now_ + std::chrono::seconds{log_epoch_shown_s + 1};
  const auto size = binding_log_->offer();
  if (!size || *size == 0) return;  // no binding yet, nothing to be asked for
  Txn txn(reader_);
  const auto ended = binding_log_->refresh(txn, now_ms(), log_epoch_shown_s);
  if (ended && *ended) commit(txn, [](const Result<>&) {});
}

void Core::show_log() {
  showing_.wanted = false;
  if (shutting_down_) return;
  auto& witnesses = showing_.witnesses;
  const bool idle = std::none_of(witnesses.begin(), witnesses.end(),
                                 [](const auto& one) { return one.second.busy; });
  if (idle && now_ >= showing_.next_round) {
    end_shown_epoch();
    const auto size = binding_log_->offer();
    if (!size || *size != showing_.offered) showing_.next_round = now_ + log_round_spacing;
    if (size) showing_.offered = *size;
  }
  for (auto& [domain, witness] : witnesses)
    if (!witness.busy && witness.next <= now_ && witness.cosigned < showing_.offered)
      show_to(domain, witness);
  arm_showing();
}

void Core::arm_showing() {
  std::optional<Instant> due = showing_.next_epoch;
  for (const auto& [domain, witness] : showing_.witnesses) {
    if (witness.busy) continue;
    if (witness.cosigned < showing_.offered) due = std::min(*due, witness.next);
  }
  if (binding_log_->size() > showing_.offered) due = std::min(*due, showing_.next_round);
  if (*due <= now_) due = now_ + log_round_spacing;
  timers_.arm({TimerKind::showing, 0, {}}, due);
}

/// Only what is durable: an epoch that is lost in a crash was shown to nobody, for another one will
/// stand in its place.
void Core::show_to(const std::string& domain, LogWitness& witness) {
  const std::uint64_t from = std::min(witness.size.value_or(showing_.offered), showing_.offered);
  auto shown = binding_log_->shown(from, showing_.offered);
  if (!shown) return show_failed(witness, Error{Code::storage, "binding log"});
  witness.busy = true;
  const auto send = [this, domain, shown = std::move(*shown),
                     generation = binding_log_->generation()](const Result<>& outcome) {
    if (!outcome || generation != binding_log_->generation())
      return log_shown(domain, shown.to,
                       Outcome{fail(Code::storage, "binding log"), false, nullptr});
    ask(domain, "directory.bindlog", shown.args,
        [this, domain, to = shown.to](const Outcome& answer) { log_shown(domain, to, answer); });
  };
  if (mutant("server.show_before_durable")) return send({});
  when_stable(send);
}

void Core::log_shown(const std::string& domain, std::uint64_t to, const Outcome& outcome) {
  LogWitness& witness = showing_.witnesses.at(domain);
  witness.busy = false;
  if (const auto taken = log_taken(domain, witness, to, outcome); !taken) {
    show_failed(witness, taken.error());
    if (!code_info(taken.error().code).temporary)
      log(machine::Log::Level::warning, "the binding log is not cosigned by " + domain + ": " +
                                            std::string(code_info(taken.error().code).name));
  } else {
    witness.failures = 0;
  }
  want_showing();
}

/// What the peer says of the log, and its cosignature.
Result<> Core::log_taken(const std::string& domain, LogWitness& witness, std::uint64_t to,
                         const Outcome& outcome) {
  if (!outcome.value) return tl::unexpected<Error>(outcome.value.error());
  wire::ObjectReader in(*outcome.value, "directory.bindlog", wire::ObjectReader::Unknown::ignore_x);
  const auto size = static_cast<std::uint64_t>(in.integer("size"));
  const auto note = in.optional_string("cosignature", bindlog::note_size_max);
  AMS_CHECK(in.finish());
  const bool probe = !witness.size;
  witness.size = size;
  if (size > showing_.offered)  // storage that was put back to an earlier time
    return fail(Code::log_rewritten,
                "directory.bindlog: it has seen more of the log than there is");
  if (size < to) {
    if (probe) return {};
    return fail(Code::peer_unreachable, "directory.bindlog: it took nothing");
  }
  if (size > to) return {};  // an earlier request's answer was lost
  if (!note || outcome.chain == nullptr) return fail(Code::witnesses, "directory.bindlog");
  AMS_TRY(const verifiable::NoteKey key,
          directory::log_key(domain, outcome.chain->op.signing(),
                             verifiable::NoteKeyType::cosignature_v1));
  Txn txn(reader_);
  AMS_CHECK(binding_log_->cosigned(txn, to, *note, key));
  witness.cosigned = to;
  storage::WriteBatch kept = txn.take();
  if (!kept.empty()) commit(std::move(kept), [](const Result<>&) {});  // lost: asked for again
  return {};
}

void Core::show_failed(LogWitness& witness, const Error& why) {
  const Duration wait = log_retry_first * (1 << std::min(witness.failures, 10));
  ++witness.failures;
  const bool again = code_info(why.code).temporary;
  witness.next = now_ + (again ? std::min(wait, log_retry_max) : log_retry_max);
}

}  // namespace ams::server
