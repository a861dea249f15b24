// BindWatch: the owner's check of the domain's binding log (BLG-18): on each connection and once a
// day, and when our key has changed, all versions of our address since the last check. What it
// finds is told as Alarm, again at each check until it is so no more; the answers are kept, for
// they may be what convicts the server.
//
//   idle --connected or a day--> asked --history, judged--> idle
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "bindlog/history.h"
#include "client/connection.h"
#include "client/core.h"
#include "client/enrol.h"
#include "client/evidence.h"
#include "client/lookup.h"

namespace ams::client {

inline constexpr Duration bind_check_interval = std::chrono::hours{24};

class BindWatch {
 public:
  BindWatch(Core& core, Link& link, Account& account, Lookup& lookup)
      : core_(core), link_(link), account_(account), lookup_(lookup), next_(core.now) {}

  /// Checks now and says what the whole history shows; its last entry is what holds. An alarm is
  /// told besides. `then` is called once: a check that fails for now is made again before.
  void check(std::function<void(const Result<bindlog::Checked>&)> then);
  void run();
  /// A check that begins from now on, at once. Its number: checked() reaches it with the outcome.
  std::uint64_t check_now();
  bool wanted() const { return wanted_; }
  /// The number of the last check that had an outcome: kept, or told.
  std::uint64_t checked() const { return checked_; }
  bool asked() const { return asked_ || !waiting_.empty(); }
  std::optional<Instant> due() const;

 private:
  bool watched() const;
  bool is_own(const bindlog::Entry& entry) const;
  void conclude(const Result<bindlog::Checked>& outcome);
  void answered(const Result<wire::Value>& answer);
  void finished(std::uint64_t number);
  Result<bindlog::Checked> judge(const wire::Value& history, const bindlog::Seen& before) const;
  /// The first entry that we did not make.
  const bindlog::Entry* foreign(const bindlog::Checked& checked, const bindlog::Seen& before) const;
  /// `whole`: nothing more follows, and so the check is over.
  void keep(const bindlog::Seen& seen, const wire::Value& shown, bool whole);
  Evidence evidence_of(const wire::Value& shown) const;
  Evidence denial_of(const bindlog::Checked& checked, const bindlog::Entry& entry,
                     const wire::Value& shown) const;
  void alarm(const Error& why, const wire::Value& shown, Evidence lie = std::nullopt);

  Core& core_;
  Link& link_;
  Account& account_;
  Lookup& lookup_;
  bool asked_ = false;
  bool wanted_ = false;  // by check_now(), and not yet asked for
  std::uint64_t started_ = 0, checked_ = 0;
  wire::Value checked_binding_;   // the account's when the check was made
  std::uint64_t connection_ = 0;  // the last one on which the check was made
  Instant next_;
  int attempt_ = 0;
  std::vector<std::function<void(const Result<bindlog::Checked>&)>> waiting_;
};

}  // namespace ams::client
