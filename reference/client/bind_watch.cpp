#include "client/bind_watch.h"

#include <utility>

#include "client/endorse.h"
#include "policy/mutant.h"

namespace ams::client {

bool BindWatch::watched() const {
  return link_.up() && account_.ready() && link_.chain().record.log.has_value();
}

void BindWatch::keep(const bindlog::Seen& seen, const wire::Value& shown, bool whole) {
  storage::WriteBatch batch;
  if (!mutant("client.forget_shown"))
    batch.puts.push_back(put_row(table_account, row_log_seen, to_row(seen)));
  batch.puts.push_back(put_row(table_account, row_log_shown, wire::encode(shown)));
  core_.commit(std::move(batch), [this, whole, number = started_](const Result<>&) {
    core_.again = true;  // lost, more is checked next time
    if (whole) finished(number);
  });
}

std::uint64_t BindWatch::check_now() {
  wanted_ = true;
  core_.again = true;
  return started_ + 1;
}

void BindWatch::finished(std::uint64_t number) {
  core_.again = true;
  checked_ = number;
}

void BindWatch::check(std::function<void(const Result<bindlog::Checked>&)> then) {
  waiting_.push_back(std::move(then));
  check_now();
}

void BindWatch::conclude(const Result<bindlog::Checked>& outcome) {
  for (const auto& then : std::exchange(waiting_, {})) then(outcome);
}

void BindWatch::run() {
  if (wanted_ && link_.up() && account_.ready() && !watched()) {  // our domain keeps no log
    wanted_ = false;
    finished(++started_);
    conclude(fail(Code::not_found, "the domain keeps no binding log"));
  }
  if (asked_ || !watched()) return;
  const bool changed = checked_binding_ != account_.binding();
  if (link_.epoch() == connection_ && core_.now < next_ && !changed && !wanted_) return;
  if (mutant("client.skip_history")) return;
  asked_ = true;
  wanted_ = false;
  ++started_;
  connection_ = link_.epoch();
  checked_binding_ = account_.binding();
  lookup_.witnesses().ready([this] {
    const bindlog::Seen before = seen_of_own(core_);
    link_.request("keys.history",
                  wire::Object{{"from", std::max<std::int64_t>(before.version, 1)},
                               {"size", static_cast<std::int64_t>(before.size)}},
                  [this](const Result<wire::Value>& answer) {
                    asked_ = false;
                    core_.again = true;
                    answered(answer);
                  });
  });
}

void BindWatch::answered(const Result<wire::Value>& answer) {
  next_ = core_.now + bind_check_interval;
  if (!answer && (!link_.up() || is_temporary(answer.error()))) {
    next_ = core_.now + core_.backoff(attempt_++);
    return;
  }
  if (!answer && mutant("client.trust_silence"))
    return keep(seen_of_own(core_), wire::Value(), true);
  if (!answer) return alarm(answer.error(), wire::Value());  // withheld
  const wire::Value* shown = answer->find("history");
  if (!shown) return alarm(Error{Code::schema, "keys.history"}, *answer);
  const bindlog::Seen before = seen_of_own(core_);
  const auto checked = judge(*shown, before);
  if (!checked) {
    if (is_temporary(checked.error())) {
      finished(started_);
      core_.tell(CommandFailed{"bindings", checked.error()});
      if (checked.error().code != Code::witnesses) return conclude(checked);
      next_ = core_.now + core_.backoff(attempt_++);  // they may be on their way
      return;
    }
    return alarm(checked.error(), *shown, evidence_of(*shown));
  }
  attempt_ = 0;
  const bindlog::Entry* entry = foreign(*checked, before);
  if (entry != nullptr && !mutant("client.trust_every_version"))
    return alarm(Error{Code::binding_foreign, "keys.history"}, *shown,
                 denial_of(*checked, *entry, *shown));
  keep(checked->seen, *shown, checked->complete);
  if (!checked->complete) {
    next_ = core_.now;
  } else {
    conclude(checked);
  }
}

Result<bindlog::Checked> BindWatch::judge(const wire::Value& history,
                                          const bindlog::Seen& before) const {
  const keys::Chain& chain = link_.chain();
  AMS_TRY(const bindlog::Identity log, bindlog::identity_of(chain.record, &core_.labels));
  const Demand demand = lookup_.witnesses().demand(chain.record.domain);
  AMS_TRY(bindlog::Checked checked,
          bindlog::verify_history(history, core_.options.addr, log, before, demand.policy()));
  AMS_CHECK(bindlog::holds_at(checked.head.epoch, to_unix_ms(core_.now)));
  return checked;
}

/// A key of ours, or an address that our key has led elsewhere, be it at another device: the
/// signature is over the value before too, which the history has shown.
bool BindWatch::is_own(const bindlog::Entry& entry) const {
  const keys::KeyPair* pair = account_.pair_of(entry.key);
  if (pair == nullptr || entry.type == bindlog::Type::key) return pair != nullptr;
  return keys::verify_object(bindlog::to_value(entry), pair->record.signing()).has_value() ||
         mutant("client.trust_every_redirect");
}

const bindlog::Entry* BindWatch::foreign(const bindlog::Checked& checked,
                                         const bindlog::Seen& before) const {
  for (const bindlog::Entry& entry : checked.entries) {
    if (entry.version <= before.version) continue;  // judged then
    if (is_own(entry)) continue;
    const StoredKeys* stored = account_.stored();
    if (stored && stored->record.id() == entry.key) continue;
    // A key store's former keys are not ours to know; its newest is the one in use.
    const bool former = entry.version < checked.seen.version || !checked.complete;
    if (entry.custody == keys::Custody::corporate && former) continue;
    return &entry;
  }
  return nullptr;
}

/// What the history shown before and this one prove together.
Evidence BindWatch::evidence_of(const wire::Value& shown) const {
  const auto row = core_.row(table_account, as_bytes(row_log_shown));
  if (!row) return std::nullopt;
  const auto before = wire::decode(*row);
  return before ? rewrite(link_.chain(), *before, shown) : std::nullopt;
}

/// Where the version before is ours, its key says that it did not make this one (BLG-23).
Evidence BindWatch::denial_of(const bindlog::Checked& checked, const bindlog::Entry& entry,
                              const wire::Value& shown) const {
  for (const bindlog::Entry& before : checked.entries)
    if (before.version + 1 == entry.version)
      if (const keys::KeyPair* own = account_.pair_of(before.key))
        return denial(link_.chain(), shown, entry.version, *own);
  return std::nullopt;
}

/// Where nothing was shown, what was shown before stays: a server that was caught and falls silent
/// does not take back what convicts it.
void BindWatch::alarm(const Error& why, const wire::Value& shown, Evidence lie) {
  storage::WriteBatch batch;
  if (shown != wire::Value())
    batch.puts.push_back(put_row(table_account, row_log_alarm, wire::encode(shown)));
  core_.commit(std::move(batch),
               [this, why, shown, lie = std::move(lie), number = started_](const Result<>&) {
                 finished(number);
                 core_.tell(Alarm{core_.options.addr, why, shown, lie});
                 conclude(tl::unexpected(why));
               });
}

std::optional<Instant> BindWatch::due() const {
  if (asked_ || !watched()) return std::nullopt;
  return next_ > core_.now ? std::optional(next_) : std::nullopt;
}

}  // namespace ams::client
